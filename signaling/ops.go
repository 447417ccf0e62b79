package signaling

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"parley/matcher"
	"parley/moderation"
	"parley/retention"
)

// complainEvery is how often an outage of the store is logged.
const complainEvery = 10 * time.Second

// do carries out an effect of cl that is not a frame.
func (h *Hub) do(cl *client, e Effect) {
	switch e := e.(type) {
	case post:
		h.post(cl, e)
	case bounce:
		h.bus.ToSession(e.to, e.letter)
	case join:
		h.join(cl, e)
	case quit:
		h.quit(cl, e.ticket)
	case confirm:
		h.ask(&cl.lane, func(ctx context.Context) error {
			result, err := h.cfg.Queue.Confirm(ctx, e.match, e.ticket)
			cl.post(confirmed{e.match, result, err})
			return err
		})
	case abort:
		h.abort(cl, e)
	case report:
		h.report(cl, e)
	case block:
		h.block(cl, e)
	case inquire:
		h.inquire(cl, e)
	case vanish:
		h.forget(cl)
	case seekRoom:
		h.seekRoom(cl, e)
	case seekBack:
		h.seekBack(cl, e.letter)
	case send, hint, sendQueued, sendPuzzle, sendConnected, sendJoined, forward: // client.push has done them
	}
}

// ask gives do to the lane. Errors are logged here, and here only.
func (h *Hub) ask(l *lane, do func(context.Context) error) {
	h.jobs.add(l, func(ctx context.Context) {
		if err := do(ctx); err != nil {
			h.complain(ctx)
		}
	})
}

// complain logs an outage of the store, at most every 10 s: each search meets it again and again.
// The error itself is left out, since it may hold an address; the matcher logs what kind it is.
func (h *Hub) complain(ctx context.Context) {
	h.counts.failed.Add(1)
	if !h.away.due(time.Now()) {
		return
	}
	h.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "the store does not answer", slog.Int64("unanswered", h.counts.failed.Load()))
}

// grumble keeps what goes wrong again and again from filling the log.
type grumble struct{ last atomic.Int64 } // Unix nanoseconds

// due tells whether it is time to say it again.
func (g *grumble) due(now time.Time) bool {
	last := g.last.Load()
	return now.UnixNano()-last >= int64(complainEvery) && g.last.CompareAndSwap(last, now.UnixNano())
}

func (h *Hub) join(cl *client, e join) {
	t := e.ticket
	h.register(cl, t.ID)
	h.ask(&cl.lane, func(ctx context.Context) error {
		answer := joined{ticket: t.ID}
		if !e.banded {
			answer.entry = h.admit(ctx, cl, e.last)
			answer.entry.owes = e.unpaid && answer.entry.verdict.GaveUp
			t.Band, t.Meets = answer.entry.stands()
		}
		if answer.band, answer.meets = t.Band, t.Meets; !answer.entry.refused() {
			answer.result, answer.err = h.enter(ctx, t)
		}
		if _, waits := answer.result.(matcher.Waiting); waits {
			if estimate, err := h.cfg.Queue.Estimate(ctx, t); err == nil {
				answer.estimate = &estimate
			}
		}
		cl.post(answer)
		if errors.Is(answer.err, errPaused) {
			return nil
		}
		return answer.err
	})
}

// errPaused says that operators have paused matching. A ticket that waits already is asked about as
// seldom as while the store is away, and meets nobody, because nobody else asks either.
var errPaused = errors.New("matching is paused")

// enter lets a ticket wait or meet somebody.
func (h *Hub) enter(ctx context.Context, t matcher.Ticket) (matcher.Result, error) {
	if h.cfg.Paused != nil && h.cfg.Paused() {
		return nil, errPaused
	}
	return h.cfg.Queue.Join(ctx, t)
}

// register makes cl the one who hears of a ticket.
func (h *Hub) register(cl *client, ticket string) {
	h.tickets.put(ticket, cl)
	cl.mu.Lock()
	old := cl.ticket
	cl.ticket = ticket
	cl.mu.Unlock()
	if old != ticket {
		h.tickets.remove(old)
	}
}

// quit leaves the queue. If that is too late, the match is aborted so that the peer need not wait.
func (h *Hub) quit(cl *client, ticket string) {
	h.ask(&cl.lane, func(ctx context.Context) error {
		left, err := h.cfg.Queue.Leave(ctx, ticket)
		if err == nil && left.State == matcher.Claimed {
			_, err = h.cfg.Queue.Abort(ctx, left.Match, ticket)
		}
		return err
	})
}

func (h *Hub) abort(cl *client, e abort) {
	h.ask(&cl.lane, func(ctx context.Context) error {
		became, err := h.cfg.Queue.Abort(ctx, e.match, e.ticket)
		switch {
		case !e.ask:
		case err != nil:
			cl.post(confirmed{match: e.match, err: err})
		case became == matcher.AlreadyLive:
			cl.post(wentLive{e.match})
		default:
			cl.post(aborted{e.match, matcher.WhyPeer})
		}
		return err
	})
}

// record makes sure that the store knows of a running call, which it may have forgotten.
func (h *Hub) record(ctx context.Context, call string) error {
	if call == "" {
		return nil
	}
	return h.cfg.Desk.Begin(ctx, call)
}

func (h *Hub) report(cl *client, e report) {
	m := e.msg
	h.decide(cl, m.C, func(ctx context.Context, now time.Time) (ToBrowser, error) {
		device := cl.machine.device
		if err := h.record(ctx, e.call); err != nil {
			return nil, err
		}
		next := Counted
		before, err := h.cfg.Desk.Report(ctx, device, m.Handle, moderation.Reason(m.Reason), now)
		if err != nil {
			return nil, err
		}
		if before {
			next = CountedBefore
		}
		_, target, err := h.cfg.Desk.Target(device, m.Handle, now)
		return Reported{h.tokens.sealAvoid(h.cfg.Queue.Now(), device.Token, h.cfg.Desk.Tag(target.Token), retention.ReportTime), next}, err
	})
}

func (h *Hub) block(cl *client, e block) {
	m := e.msg
	h.decide(cl, m.C, func(ctx context.Context, now time.Time) (ToBrowser, error) {
		device := cl.machine.device
		if err := h.record(ctx, e.call); err != nil {
			return nil, err
		}
		call, target, err := h.cfg.Desk.Target(device, m.Handle, now)
		if err != nil {
			return nil, err
		}
		switch possible, err := h.cfg.Desk.Reportable(ctx, call); {
		case err != nil:
			return nil, err
		case !possible:
			return nil, moderation.ErrHandle
		}
		return Blocked{h.tokens.sealAvoid(h.cfg.Queue.Now(), device.Token, h.cfg.Desk.Tag(target.Token), blockTime)}, nil
	})
}

// decide asks the desk and answers frame c.
func (h *Hub) decide(cl *client, c uint64, do func(context.Context, time.Time) (ToBrowser, error)) {
	if h.jobs.full(&cl.lane) {
		cl.post(answered{Refused{Of: c, Code: Unavailable, Text: refusal(Unavailable)}})
		return
	}
	h.ask(&cl.lane, func(ctx context.Context) error {
		m, err := do(ctx, time.Now())
		if err == nil {
			cl.post(answered{m})
			return nil
		}
		code := codeOf(err)
		cl.post(answered{Refused{Of: c, Code: code, Text: refusal(code)}})
		if code == Unavailable {
			return err
		}
		return nil
	})
}

// codeOf maps an error of the desk.
func codeOf(err error) ErrorCode {
	switch {
	case errors.Is(err, moderation.ErrHandle):
		return BadHandle
	case errors.Is(err, moderation.ErrReason):
		return BadValue
	case errors.Is(err, moderation.ErrNoRecords):
		return BadState
	}
	return Unavailable
}

func refusal(code ErrorCode) string {
	switch code {
	case BadHandle:
		return moderation.ErrHandle.Error()
	case BadValue:
		return moderation.ErrReason.Error()
	case BadState:
		return moderation.ErrNoRecords.Error()
	case Unavailable, BadFrame, BadMatch, BadProof, NoMember, PeerBusy, TooMany:
	}
	return "the store is away: try again in a few seconds"
}

// keepCall begins or renews the record of a call: Begin does both, also after the store lost it.
func (h *Hub) keepCall(c *call) {
	id := c.machine.id
	h.ask(&c.lane, func(ctx context.Context) error {
		err := h.cfg.Desk.Begin(ctx, id)
		c.post(kept{err})
		return err
	})
}

func (h *Hub) endCall(c *call, e endCall) {
	id := c.machine.id
	if e.a.Token != "" {
		h.cfg.Desk.Talked(id, e.a, e.b, e.length)
		h.counts.calls.Add(1)
	}
	h.ask(&c.lane, func(ctx context.Context) error { return h.cfg.Desk.End(ctx, id) })
}

// connected makes the frame, with all its tokens, for the member whose pass it is.
func (h *Hub) connected(p pass, ice Ice) Connected {
	return Connected{
		Room: p.Room, Me: p.Member, Peer: p.Peer, Role: p.Role, Ice: ice,
		Handle: h.cfg.Desk.Handle(p.Room, p.Device, p.PeerDevice, p.began()),
		Avoid:  h.tokens.sealAvoid(h.cfg.Queue.Now(), p.Device.Token, h.cfg.Desk.Tag(p.PeerDevice.Token), retention.RematchPause),
		Pass:   h.tokens.sealPass(p),
		Shared: list(p.Shared), Language: p.Language,
	}
}

// forget drops a session whose browser did not come back.
func (h *Hub) forget(cl *client) {
	h.bus.clients.remove(cl.self.ID)
	h.phases[Gone].Add(-1)
	cl.mu.Lock()
	defer cl.mu.Unlock()
	h.tickets.remove(cl.ticket)
	if cl.line != nil { // it came back in this very moment: let it start anew
		cl.drop(CloseSlow)
	}
}
