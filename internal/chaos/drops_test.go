package chaos_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/vtest"
	"parley/matcher"
)

const (
	drops    = 10_000 // PARLEY_DROPS says otherwise
	dropping = 32     // searches at the same time
)

// TestDroppedReplies loses thousands of replies of Redis after the command was carried out. Whoever
// searches is waiting, matched once and told so on both sides, or gone by their own will.
func TestDroppedReplies(t *testing.T) {
	most := plan(t, "PARLEY_DROPS", drops, strconv.Atoi)
	t.Parallel()
	seed := sow(t)
	fault := vtest.NewFault(t, vtest.StartRedis(t))
	rdb := redis.NewClient(fault.Options())
	defer rdb.Close()
	h := newHall(matcher.New(rdb, matcher.Config{Timeout: time.Second}))
	ctx, cancel := context.WithCancel(t.Context())
	var all, people sync.WaitGroup
	all.Go(func() { _ = h.queue.Run(ctx) })
	all.Go(func() { h.dispatch(ctx) })
	enough := make(chan struct{})
	all.Go(func() { defer close(enough); drop(ctx, fault, most, rand.New(rand.NewPCG(seed, 0))) })
	for i := range dropping {
		rnd := rand.New(rand.NewPCG(seed, uint64(i+1)))
		people.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-enough:
					return
				default:
					h.search(ctx, t, rnd)
				}
			}
		})
	}
	people.Wait()
	cancel()
	all.Wait()
	lost := fault.Counts().Dropped
	h.judge(t)
	t.Logf("%d replies dropped; %d searches, %d live matches, %d left, %d came to nothing and were searched again",
		lost, h.searches, len(h.live), h.left, h.again)
	if lost < most {
		t.Errorf("only %d replies were dropped", lost)
	}
}

// drop loses one reply after the other, with sound ones in between.
func drop(ctx context.Context, f *vtest.Fault, most int, rnd *rand.Rand) {
	losses := []vtest.Loss{vtest.CloseAfter, vtest.CloseAfter, vtest.CloseAfter, vtest.TearAfter}
	for f.Counts().Dropped < most && ctx.Err() == nil {
		f.DropReplies(1, losses[rnd.IntN(len(losses))], "evalsha")
		wait(ctx, time.Duration(rnd.IntN(2000))*time.Microsecond)
	}
	f.Heal()
}

// hall keeps the books of a queue and of those who search in it.
type hall struct {
	queue *matcher.Queue

	mu       sync.Mutex // guards the following fields
	ears     map[string]chan matcher.Event
	live     map[string][]string // which tickets were told that a match is live
	matched  map[string]string   // ticket to match
	searches int
	left     int
	again    int
}

func newHall(q *matcher.Queue) *hall {
	return &hall{queue: q, ears: map[string]chan matcher.Event{}, live: map[string][]string{}, matched: map[string]string{}}
}

// dispatch brings events to who searches.
func (h *hall) dispatch(ctx context.Context) {
	for {
		var e matcher.Event
		select {
		case <-ctx.Done():
			return
		case e = <-h.queue.Events():
		}
		ticket := ""
		switch e := e.(type) {
		case matcher.OfferMade:
			ticket = e.Offer.Ticket
		case matcher.WentLive:
			ticket = e.Ticket
		case matcher.WasAborted:
			ticket = e.Ticket
		}
		h.mu.Lock()
		ear := h.ears[ticket]
		h.mu.Unlock()
		select {
		case ear <- e: // nil blocks for ever, so default is taken
		default: // the owner asks again
		}
	}
}

// search is one search as signaling does it: the same question until it is answered.
func (h *hall) search(ctx context.Context, t *testing.T, rnd *rand.Rand) {
	ticket := matcher.Ticket{
		ID: matcher.NewID(), Device: matcher.NewID()[:12], Languages: []string{"en"}, Interests: []string{"music"}, Meets: []int{0},
	}
	ear := make(chan matcher.Event, 16)
	h.mu.Lock()
	h.searches++
	h.ears[ticket.ID] = ear
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		delete(h.ears, ticket.ID)
		h.mu.Unlock()
	}()
	offer, found := h.find(ctx, ticket, ear, rnd)
	if !found {
		h.mu.Lock()
		h.left++
		h.mu.Unlock()
		return
	}
	if !h.confirm(ctx, t, offer, ear) {
		h.mu.Lock()
		h.again++
		h.mu.Unlock()
	}
}

// find returns an offer, or false when the person has left by their own will.
func (h *hall) find(ctx context.Context, ticket matcher.Ticket, ear <-chan matcher.Event, rnd *rand.Rand) (matcher.Offer, bool) {
	for {
		result, err := h.queue.Join(ctx, ticket)
		if offered, ok := result.(matcher.Offered); ok && err == nil {
			return offered.Offer, true
		}
		select {
		case e := <-ear:
			if made, ok := e.(matcher.OfferMade); ok {
				return made.Offer, true
			}
		case <-time.After(20 * time.Millisecond):
		}
		if err == nil && rnd.IntN(10) == 0 { // had enough
			left, err := h.leave(ctx, ticket.ID)
			if err != nil || left.State != matcher.Claimed {
				return matcher.Offer{}, false
			}
		}
		if ctx.Err() != nil {
			return matcher.Offer{}, false
		}
	}
}

func (h *hall) leave(ctx context.Context, ticket string) (matcher.Left, error) {
	for {
		left, err := h.queue.Leave(ctx, ticket)
		if err == nil || ctx.Err() != nil {
			return left, err
		}
	}
}

// confirm says that this side is here until it is told what became of the match.
func (h *hall) confirm(ctx context.Context, t *testing.T, o matcher.Offer, ear <-chan matcher.Event) bool {
	for ctx.Err() == nil {
		state, err := h.queue.Confirm(ctx, o.Match, o.Ticket)
		switch {
		case err == nil && state == matcher.Live:
			h.lives(t, o)
			return true
		case err == nil && state == matcher.Gone:
			return false
		case time.Now().After(o.Deadline):
			if became, err := h.queue.Abort(ctx, o.Match, o.Ticket); err == nil && became != matcher.AlreadyLive {
				return false
			}
		}
		select {
		case e := <-ear:
			switch e := e.(type) {
			case matcher.WentLive:
				if e.Match == o.Match {
					h.lives(t, o)
					return true
				}
			case matcher.WasAborted:
				return false
			case matcher.OfferMade:
			}
		case <-time.After(20 * time.Millisecond):
		}
	}
	return false
}

// lives books that one side was told that its match is live.
func (h *hall) lives(t *testing.T, o matcher.Offer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if was := h.matched[o.Ticket]; was != "" && was != o.Match {
		t.Errorf("ticket %s is in two matches", o.Ticket)
	}
	h.matched[o.Ticket] = o.Match
	h.live[o.Match] = append(h.live[o.Match], o.Ticket)
	if o.Ticket == o.PeerTicket {
		t.Errorf("ticket %s was matched with itself", o.Ticket)
	}
}

// judge fails when somebody was told of a live match alone.
func (h *hall) judge(t *testing.T) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for match, tickets := range h.live {
		if len(tickets) != 2 || tickets[0] == tickets[1] {
			t.Errorf("match %s is live for %v", match, tickets)
		}
	}
	if len(h.live) == 0 {
		t.Error(errors.New("nobody was matched"))
	}
}
