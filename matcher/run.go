package matcher

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"parley/retention"
)

const (
	beatEvery   = time.Second
	forgetEvery = 60 // beats
)

// Run keeps this node alive: it renews the lease each second, reads the inbox and sweeps the pools
// that this node uses. It returns when ctx ends, with the lease resigned, so that nobody is matched
// with a browser of this node from then on. While Redis is away it goes on trying.
func (q *Queue) Run(ctx context.Context) error {
	var others sync.WaitGroup
	others.Go(func() { q.listen(ctx) })
	others.Go(func() { q.sweeps(ctx) }) // apart, so that a slow store delays no beat
	q.beats(ctx)

	// A name of its own: the others read ctx, and one that starts late must see that it has ended.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), q.cfg.Timeout)
	defer cancel()
	err := q.resign(last)
	others.Wait()
	q.joins.wait()
	return err
}

// beats renews the lease until ctx ends.
func (q *Queue) beats(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	away := false
	for n := 1; ctx.Err() == nil; n++ {
		err := q.beat(ctx)
		if failed := err != nil && ctx.Err() == nil; failed != away {
			away = failed
			q.report(ctx, err)
			if !failed {
				q.living.back()
			}
		}
		if n%forgetEvery == 0 {
			q.pace.forget(time.Now())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// sweeps drops dead tickets until ctx ends, but only while this node's own lease holds: after an
// outage its living tickets look dead until the next beat. That the store is away, the beats tell.
func (q *Queue) sweeps(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	failed := false
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if q.living.renewed() > retention.LeaseTime/2 {
			continue
		}
		err := q.sweep(ctx)
		if err != nil && !failed && ctx.Err() == nil {
			q.cfg.Log.LogAttrs(ctx, slog.LevelInfo, "pools are not swept for now", slog.Any("error", err))
		}
		failed = err != nil
	}
}

// report logs that Redis went away or came back.
func (q *Queue) report(ctx context.Context, err error) {
	if err != nil {
		q.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "queue store is away", slog.Any("error", err))
		return
	}
	q.cfg.Log.LogAttrs(ctx, slog.LevelInfo, "queue store is back")
}

// beat renews the lease.
func (q *Queue) beat(ctx context.Context) error {
	sent := time.Now()
	reply, err := q.beatFor(ctx, retention.LeaseTime)
	if err != nil {
		return fmt.Errorf("renew the lease: %w", err)
	}
	q.sync(reply[0])
	q.living.beat(sent, reply[1:])
	return nil
}

// resign gives the lease back and wakes the reader of the inbox.
func (q *Queue) resign(ctx context.Context) error {
	if _, err := q.beatFor(ctx, 0); err != nil {
		return fmt.Errorf("resign the lease: %w", err)
	}
	return nil
}

func (q *Queue) beatFor(ctx context.Context, lease time.Duration) ([]string, error) {
	keys := []string{retention.Lease.Key(), retention.Inbox.Key(q.cfg.Node)}
	return q.run(ctx, q.scripts.beat, keys, q.cfg.Node, lease.Microseconds())
}

const (
	sweepPools = 4   // in one beat
	sweepSize  = 128 // tickets of each
)

// sweeper knows the pools in which tickets of this node were queued, and how far each is swept.
// There are as many as the catalogue and the bands allow, at most.
type sweeper struct {
	mu    sync.Mutex // guards ranks
	ranks map[string]int64
}

func newSweeper() *sweeper { return &sweeper{ranks: map[string]int64{}} }

// watch adds the pools in which t stands at once.
func (s *sweeper) watch(t Ticket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range near(t) {
		key := p.key(t.Band)
		if _, watched := s.ranks[key]; !watched {
			s.ranks[key] = 0
		}
	}
}

// next returns some pools and the rank to go on at: the map's order is random, so all get a turn.
func (s *sweeper) next() map[string]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	some := map[string]int64{}
	for key, rank := range s.ranks {
		if len(some) == sweepPools {
			break
		}
		some[key] = rank
	}
	return some
}

// swept notes that a pool was swept up to rank; an empty pool is no longer watched.
func (s *sweeper) swept(key string, rank, seen int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case seen == sweepSize:
		s.ranks[key] = rank
	case rank == 0:
		delete(s.ranks, key)
	default:
		s.ranks[key] = 0
	}
}

// sweep drops dead tickets from a few of the pools that this node uses.
func (q *Queue) sweep(ctx context.Context) error {
	for key, rank := range q.sweeper.next() {
		reply, err := q.run(ctx, q.scripts.sweep, []string{key}, rank, sweepSize)
		if err != nil {
			return fmt.Errorf("sweep: %w", err)
		}
		seen, dropped := micros(reply[1]), micros(reply[2])
		q.sweeper.swept(key, rank+seen-dropped, seen)
	}
	return nil
}
