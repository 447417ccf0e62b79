package chaos_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
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
	lonely   = 8      // of them in a language that nobody else speaks: they wait until they leave
)

// TestDroppedReplies loses thousands of replies of Redis after the command was carried out. Whoever
// searches is waiting, matched once and told so on both sides, or gone by their own will and never
// heard of again.
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
		s := &seeker{hall: h, t: t, rnd: rand.New(rand.NewPCG(seed, uint64(i+1))), language: "en"}
		if i < lonely {
			s.language, s.alone = own(i), true
		}
		people.Go(func() {
			for {
				select {
				case <-enough:
					return
				default:
					s.search(ctx)
				}
			}
		})
	}
	people.Wait()
	cancel()
	all.Wait()
	lost := fault.Counts().Dropped
	h.judge(t)
	t.Logf("%d replies dropped; %d searches, %d live matches, %d left (%d answers were lost), %d declined (%d), %d came to nothing",
		lost, h.searches, len(h.live), h.left, h.lostLeaves, h.declined, h.lostAborts, h.nothing)
	if lost < most {
		t.Errorf("only %d replies were dropped", lost)
	}
	if h.left == 0 || h.nothing == 0 || h.lostLeaves == 0 || h.lostAborts == 0 {
		t.Error("nobody left, or no match came to nothing, or all of them had an answer at once")
	}
}

// own is a language that nobody else searches in.
func own(i int) string {
	others := slices.DeleteFunc(matcher.Languages(), func(l matcher.Language) bool { return l.Tag == "en" })
	return others[i].Tag
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

	mu         sync.Mutex // guards the following fields
	ears       map[string]chan matcher.Event
	live       map[string][]string // which tickets were told that a match is live
	matched    map[string]string   // ticket to match
	gone       map[string]bool     // tickets whose owners have gone by their own will, and were told so
	searches   int
	left       int
	declined   int
	nothing    int // matches that the other one gave up, or that were confirmed too late
	lostLeaves int
	lostAborts int
}

func newHall(q *matcher.Queue) *hall {
	return &hall{
		queue: q, ears: map[string]chan matcher.Event{}, live: map[string][]string{}, matched: map[string]string{}, gone: map[string]bool{},
	}
}

// book changes the books.
func (h *hall) book(change func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	change()
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

// seeker is somebody who searches again and again.
type seeker struct {
	*hall
	t        *testing.T
	rnd      *rand.Rand
	language string
	alone    bool // nobody else speaks it
}

// search is one search as signaling does it: the same question until it is answered.
func (s *seeker) search(ctx context.Context) {
	ticket := matcher.Ticket{
		ID: matcher.NewID(), Device: matcher.NewID()[:12], Languages: []string{s.language}, Interests: []string{"music"}, Meets: []int{0},
	}
	ear := make(chan matcher.Event, 16)
	s.book(func() { s.searches, s.ears[ticket.ID] = s.searches+1, ear })
	defer s.book(func() { delete(s.ears, ticket.ID) })
	offer, found := s.find(ctx, ticket, ear)
	switch {
	case !found:
		s.gate(ctx, ticket)
	case s.alone:
		s.t.Errorf("ticket %s is matched, and nobody speaks its language", ticket.ID)
	case s.rnd.IntN(8) == 0: // does not like the match
		s.abort(ctx, offer.Match, ticket.ID)
		s.book(func() { s.declined++ })
		s.gate(ctx, ticket)
	case !s.confirm(ctx, s.t, offer, ear):
		s.book(func() { s.nothing++ })
	}
}

// find returns an offer, or false when the person has left by their own will.
func (s *seeker) find(ctx context.Context, ticket matcher.Ticket, ear <-chan matcher.Event) (matcher.Offer, bool) {
	for ctx.Err() == nil {
		result, err := s.queue.Join(ctx, ticket)
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
		if err == nil && s.rnd.IntN(4) == 0 { // had enough
			s.leave(ctx, ticket.ID)
			return matcher.Offer{}, false
		}
	}
	return matcher.Offer{}, false
}

// leave ends a search, and gives up the match for which that is too late.
func (s *seeker) leave(ctx context.Context, ticket string) {
	for ctx.Err() == nil {
		left, err := s.queue.Leave(ctx, ticket)
		switch {
		case err != nil:
			s.book(func() { s.lostLeaves++ })
			continue
		case left.State == matcher.Claimed:
			s.abort(ctx, left.Match, ticket)
		case left.State == matcher.Unknown:
			s.t.Errorf("ticket %s was queued, and is not known", ticket)
		}
		s.book(func() { s.left++ })
		return
	}
}

// abort gives up a match that this side has not confirmed, so that it cannot be live.
func (s *seeker) abort(ctx context.Context, match, ticket string) {
	for ctx.Err() == nil {
		became, err := s.queue.Abort(ctx, match, ticket)
		if err != nil {
			s.book(func() { s.lostAborts++ })
			continue
		}
		if became != matcher.Aborted {
			s.t.Errorf("match %s of ticket %s, which did not confirm, is %v", match, ticket, became)
		}
		return
	}
}

// gate looks whether who has gone is out: a late repeat of the search does not bring the ticket back.
func (s *seeker) gate(ctx context.Context, ticket matcher.Ticket) {
	s.book(func() { s.gone[ticket.ID] = true })
	for ctx.Err() == nil {
		result, err := s.queue.Join(ctx, ticket)
		if err != nil {
			continue
		}
		if _, closed := result.(matcher.Closed); !closed {
			s.t.Errorf("ticket %s has gone, and is %T again", ticket.ID, result)
		}
		return
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

// judge fails when somebody was told of a live match alone, or had gone.
func (h *hall) judge(t *testing.T) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for match, tickets := range h.live {
		if len(tickets) != 2 || tickets[0] == tickets[1] {
			t.Errorf("match %s is live for %v", match, tickets)
		}
		for _, ticket := range tickets {
			if h.gone[ticket] {
				t.Errorf("match %s is live for %s, who has gone", match, ticket)
			}
		}
	}
	if len(h.live) == 0 {
		t.Error(errors.New("nobody was matched"))
	}
}
