package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/matcher"
)

// arrivals lets people come to two nodes on one Redis at random moments, so many a second, and
// measures from the moment at which somebody meant to come until both nodes know of the match.
func arrivals(ctx context.Context, b bench) ([]figure, error) {
	s, err := startStore(ctx)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	var all []evening
	for range b.rounds {
		bare, err := bareEvening(ctx, s, b)
		if err != nil {
			return nil, fmt.Errorf("floor: %w", err)
		}
		found, err := fullEvening(ctx, s, b, false)
		if err != nil {
			return nil, err
		}
		full, err := fullEvening(ctx, s, b, true)
		if err != nil {
			return nil, err
		}
		full.floor, full.joins = &bare, found.share
		fmt.Fprintf(b.progress, "  %.0f/s, %.0f pairs/s, Redis %.1f %% of a core, with confirmations %.1f %%, both nodes know after %.2f ms (p99 %.2f); floor %.1f %%, %.2f ms (p99 %.2f); the load's own delay %.2f ms (p99 %.2f)\n",
			full.rate, float64(len(full.answered))/b.spell.Seconds(), full.joins, full.share, millis(full.known, 0.5), millis(full.known, 0.99),
			bare.share, millis(bare.answered, 0.5), millis(bare.answered, 0.99), millis(full.late, 0.5), millis(full.late, 0.99))
		all = append(all, full)
	}
	return arrivalFigures(fmt.Sprintf("arrivals, %d/s", b.people), all), nil
}

// evening is what a spell of arrivals did.
type evening struct {
	rate     float64         // people a second
	share    float64         // CPU of Redis, in percent of a core
	joins    float64         // the same when nobody confirms
	late     []time.Duration // until the load let somebody come
	answered []time.Duration // until the node of who came knew of a match; in the floor: had its answer
	known    []time.Duration // until both nodes knew, where they are two
	floor    *evening
}

func arrivalFigures(name string, all []evening) []figure {
	over := func(what, unit string, l limit, value, base func(evening) float64) figure {
		var rounds []round
		for _, e := range all {
			rounds = append(rounds, round{value(e), base(*e.floor)})
		}
		return figure{name: name + ": " + what, unit: unit, baseline: floorName, limit: l}.over(rounds)
	}
	share := func(e evening) float64 { return e.share }
	joins := func(e evening) float64 { return e.joins }
	answered := func(q float64) func(evening) float64 {
		return func(e evening) float64 { return millis(e.answered, q) }
	}
	known := func(q float64) func(evening) float64 {
		return func(e evening) float64 { return millis(e.known, q) }
	}
	return []figure{
		over("Redis", "% of a core", valueAtMost(30), joins, share),
		over("Redis, with both confirmations", "% of a core", noLimit(), share, share),
		over("one node knows, p50", "ms", noLimit(), answered(0.5), answered(0.5)),
		over("one node knows, p99", "ms", noLimit(), answered(0.99), answered(0.99)),
		over("both nodes know, p50", "ms", noLimit(), known(0.5), answered(0.5)),
		over("both nodes know, p99", "ms", valueAtMost(10), known(0.99), answered(0.99)),
	}
}

func millis(delays []time.Duration, q float64) float64 { return micros(quantile(delays, q)) / 1000 }

// crush bounds the people who wait for an answer at the same time.
const crush = 8192

// visit is one person who comes.
type visit struct {
	meant   time.Time // when they meant to come: delays count from here
	counted bool      // that was after the warm-up
	node    int       // to which of the two they come
	rnd     *rand.Rand
}

// openLoop lets people come at moments that are independent of one another (a Poisson process),
// whatever becomes of those before: for a fifth of the spell as a warm-up, then for the spell. It
// waits until all are served.
func openLoop(ctx context.Context, s *store, b bench, serve func(context.Context, visit) error) (evening, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	room := make(chan struct{}, crush)
	come := func(v visit) {
		select {
		case room <- struct{}{}:
		default:
			cancel(fmt.Errorf("%d people wait for an answer", crush))
			return
		}
		all.Go(func() {
			if err := serve(ctx, v); err != nil {
				cancel(err)
			}
			<-room
		})
	}
	counts := time.Now().Add(b.spell / 5)
	stream(ctx, b.people, time.Now(), counts, come)
	before, err := s.cpu(ctx)
	var e evening
	stream(ctx, b.people, counts, counts.Add(b.spell), func(v visit) {
		v.counted = true
		e.late = append(e.late, time.Since(v.meant))
		come(v)
	})
	after, asked := s.cpu(ctx)
	span := time.Since(counts).Seconds()
	all.Wait()
	e.share, e.rate = 100*(after-before).Seconds()/span, float64(len(e.late))/span
	return e, errors.Join(err, asked, context.Cause(ctx))
}

// stream calls come when somebody means to come, rate times a second on average, between two times.
func stream(ctx context.Context, rate int, from, to time.Time, come func(visit)) {
	rnd := random(rate)
	for at := from; ctx.Err() == nil; {
		at = at.Add(time.Duration(rnd.ExpFloat64() / float64(rate) * float64(time.Second)))
		if at.After(to) {
			return
		}
		if early := time.Until(at); early > 0 {
			pause(ctx, early)
		}
		come(visit{meant: at, node: rnd.IntN(2), rnd: random(rnd.Int())})
	}
}

// bareEvening lets each person make the call of the floor, from one of two clients.
func bareEvening(ctx context.Context, s *store, b bench) (evening, error) {
	if err := s.FlushAll(ctx).Err(); err != nil {
		return evening{}, err
	}
	clients := [2]*redis.Client{redis.NewClient(storeOptions(s.socket)), redis.NewClient(storeOptions(s.socket))}
	script := redis.NewScript(floorLua)
	var mu sync.Mutex // guards delays
	var delays []time.Duration
	e, err := openLoop(ctx, s, b, func(ctx context.Context, v visit) error {
		if err := script.Run(ctx, clients[v.node], []string{"bench:queue"}, matcher.NewID(), v.rnd.Uint32()).Err(); err != nil {
			return err
		}
		if delay := time.Since(v.meant); v.counted {
			mu.Lock()
			defer mu.Unlock()
			delays = append(delays, delay)
		}
		return nil
	})
	e.answered = delays
	return e, errors.Join(err, clients[0].Close(), clients[1].Close())
}

// fullEvening lets each person search on one of two nodes. Both sides of a match confirm at once, or
// nobody does and Redis forgets the match after a minute; either way neither is in the queue any more.
func fullEvening(ctx context.Context, s *store, b bench, confirms bool) (e evening, err error) {
	if err := s.FlushAll(ctx).Err(); err != nil {
		return evening{}, err
	}
	f := &foyer{confirms: confirms, meetings: map[string]*meeting{}}
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	errs := make([]error, 2*len(f.nodes))
	for i := range f.nodes {
		client := redis.NewClient(storeOptions(s.socket))
		f.nodes[i] = matcher.New(client, matcher.Config{Timeout: 30 * time.Second})
		running.Go(func() { errs[2*i] = errors.Join(f.nodes[i].Run(ctx), client.Close()) })
		running.Go(func() { errs[2*i+1] = f.attend(ctx, f.nodes[i]) })
	}
	e, err = openLoop(ctx, s, b, f.search)
	pause(ctx, time.Second) // until the last events have come
	cancel()
	running.Wait()
	if err = errors.Join(append(errs, err)...); err != nil {
		return e, err
	}
	return e, f.sum(&e)
}

// foyer is where two nodes note what they hear.
type foyer struct {
	nodes    [2]*matcher.Queue
	confirms bool

	mu       sync.Mutex // guards the following
	meetings map[string]*meeting
	live     int // pairs that both have confirmed
}

// meeting is what became of somebody who came, by ticket: a match has the name of the ticket that
// made it.
type meeting struct {
	visit

	answered time.Duration // until the own node knew of the match, 0: there is none
	told     time.Duration // until the other's node knew
	apart    bool          // these are two nodes
}

// search is one person who comes.
func (f *foyer) search(ctx context.Context, v visit) error {
	q, t := f.nodes[v.node], person(v.rnd)
	m := &meeting{visit: v}
	f.mu.Lock()
	f.meetings[t.ID] = m
	f.mu.Unlock()
	result, err := q.Join(ctx, t)
	passed := time.Since(v.meant)
	offered, is := result.(matcher.Offered)
	if err != nil || !is || offered.Offer.Match != t.ID { // another's match is told by an event, too
		return err
	}
	f.mu.Lock()
	m.answered, m.apart = passed, offered.Offer.PeerNode != q.Node()
	f.mu.Unlock()
	return f.confirm(ctx, q, offered.Offer)
}

// attend takes a node's events until ctx ends, and lets those confirm for whom somebody was found.
func (f *foyer) attend(ctx context.Context, q *matcher.Queue) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var all sync.WaitGroup
	defer all.Wait()
	for {
		select {
		case event := <-q.Events():
			made, is := event.(matcher.OfferMade)
			if !is || !f.hears(made.Offer) {
				continue
			}
			all.Go(func() {
				if err := f.confirm(ctx, q, made.Offer); err != nil {
					cancel(err)
				}
			})
		case <-ctx.Done():
			if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
				return err
			}
			return nil
		}
	}
}

// hears notes that the node of who had waited knows of a match; false when it was told again.
func (f *foyer) hears(o matcher.Offer) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	m := f.meetings[o.Match]
	if m == nil || m.told > 0 || o.Ticket == o.Match {
		return false
	}
	m.told = time.Since(m.meant)
	return true
}

func (f *foyer) confirm(ctx context.Context, q *matcher.Queue, o matcher.Offer) error {
	if !f.confirms {
		return nil
	}
	state, err := q.Confirm(ctx, o.Match, o.Ticket)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch state {
	case matcher.Live:
		f.live++
	case matcher.Gone:
		err = errors.Join(err, errors.New("a match is gone before its time"))
	case matcher.Pending:
	}
	return err
}

// sum adds the delays to an evening, if nobody was forgotten.
func (f *foyer) sum(e *evening) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	made := 0
	for _, m := range f.meetings {
		if m.answered == 0 {
			continue
		}
		made++
		if m.told == 0 {
			return errors.New("a node was not told of a match within a second")
		}
		if !m.counted {
			continue
		}
		e.answered = append(e.answered, m.answered)
		if m.apart {
			e.known = append(e.known, max(m.answered, m.told))
		}
	}
	if f.confirms && f.live != made || len(e.known) == 0 {
		return fmt.Errorf("%d pairs were made, and %d are live", made, f.live)
	}
	return nil
}
