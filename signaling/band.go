package signaling

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"parley/moderation"
)

// knownFor is how long the last band of a session counts while the store is away.
const knownFor = 10 * time.Minute

// known is the last band that a session heard of; nil for clear, which is also what a session goes on
// with that has heard of none.
type known struct {
	verdict moderation.Verdict
	at      time.Time
}

// counts returns the verdict that counts while the desk does not answer.
func (k *known) counts(now time.Time) moderation.Verdict {
	if k == nil || now.Sub(k.at) >= knownFor {
		return moderation.Verdict{}
	}
	v := k.verdict
	if v.Band == moderation.Cooldown && !now.Before(v.Until) {
		v.Band = moderation.Restricted // where a cooldown ends
	}
	return v
}

// entry is what is found out before a search stands in the queue.
type entry struct {
	verdict moderation.Verdict
	asked   bool // the desk has answered
	spent   spent
	owes    bool // it costs work first, because the device gave its token up
}

// refused tells that the search is over with that.
func (e entry) refused() bool {
	return e.spent.wait > 0 || e.owes || e.verdict.Band == moderation.Cooldown
}

// stands returns under which band a ticket stands, and whom it meets.
func (e entry) stands() (band int, meets []int) {
	b, meets := e.verdict.Stands()
	return int(b), meets
}

// admit asks the desk for the band and the budgets for their leave, both at once: a search costs no
// round trip more for having a budget. Without an answer of the desk the last known band counts.
// Budgets that do not answer allow everything: the queue is away with them.
func (h *Hub) admit(ctx context.Context, cl *client, last *known) (e entry) {
	device, now := cl.machine.device, time.Now()
	var asking sync.WaitGroup
	asking.Go(func() { e.spent = h.budgets.take(ctx, now, device) })
	verdict, err := h.cfg.Desk.Admit(ctx, device, now)
	asking.Wait()
	if err == nil {
		e.verdict, e.asked = verdict, true
		return e
	}
	e.verdict = last.counts(now)
	if h.blind.due(now) {
		h.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "the store does not say in which band devices are: searches go on with the one that was known last, or clear", slog.String("band", e.verdict.Band.String()))
	}
	return e
}

// judged takes what was found out about a search. It reports false when the search is over with that.
func (s *session) judged(now time.Time, e joined) bool {
	q := s.search
	if e.entry.asked {
		s.known, s.gaveUp = nil, e.entry.verdict.GaveUp
		if e.entry.verdict.Band != moderation.Clear {
			s.known = &known{e.entry.verdict, now}
		}
	}
	switch v := e.entry.verdict; {
	case e.entry.spent.wait > 0:
		s.idle()
		s.tooMany(q.of, e.entry.spent.wait, e.entry.spent.says())
		return false
	case v.Band == moderation.Cooldown:
		s.idle()
		s.send(Held{Of: q.of, UntilMS: left(now, v.Until), Reasons: words(v.Reasons)})
		return false
	case e.entry.owes:
		s.idle()
		s.demand(q.of, q.owes)
		return false
	}
	q.banded, q.want.Band, q.want.Meets = true, e.band, e.meets
	return true
}

// left is how long until at, 0 for never or now.
func left(now, at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return max(0, at.Sub(now).Milliseconds())
}

func words(reasons []moderation.Reason) []string {
	all := make([]string, len(reasons))
	for i, r := range reasons {
		all[i] = string(r)
	}
	return all
}
