package signaling

import (
	"context"
	"math/rand/v2"
	"time"
)

// drainWithin is over what time the sockets are closed at the most, so that the browsers do not all
// come to the next node at once. A program that ends sooner spreads them over the time it has.
const drainWithin = 20 * time.Second

// stayEvery is how often a node that stops looks whether its calls are over.
const stayEvery = 250 * time.Millisecond

// lingerFor is how long it stays after that: longer than a browser takes to come back.
const lingerFor = 3 * time.Second

// stopSearches is the event that this node takes no more searches.
type stopSearches struct{}

func (stopSearches) event() {}

// Drain takes no new sockets and searches, tells every browser to come back elsewhere, and closes
// the sockets one by one. Then it stays for the calls of this node, whose browsers have come back to
// other nodes; without another node there is nobody to stay for. It returns when all is over or ctx
// ends; calls go on between the browsers.
func (h *Hub) Drain(ctx context.Context) {
	if !h.become(draining) {
		return
	}
	over := drainWithin
	if end, limited := ctx.Deadline(); limited {
		over = max(min(over, time.Until(end)*3/4), time.Millisecond)
	}
	var wait time.Duration
	for i := range shardCount {
		for _, cl := range h.bus.clients.part(i) {
			within := rand.N(over) //nolint:gosec // jitter, not a secret
			cl.post(stopSearches{})
			cl.hint(Drain{within.Milliseconds()})
			h.timers.set(newTimer(func() { cl.leave(CloseDrain) }), time.Now().Add(within))
			wait = max(wait, within)
		}
		for _, g := range h.gates.part(i) {
			within := rand.N(over) //nolint:gosec // jitter, not a secret
			g.hint(Drain{within.Milliseconds()})
			h.timers.set(newTimer(func() { g.end(CloseDrain) }), time.Now().Add(within))
			wait = max(wait, within)
		}
	}
	gone := time.NewTimer(wait)
	defer gone.Stop()
	select {
	case <-gone.C:
		h.stay(ctx)
	case <-ctx.Done():
	case <-h.stopped:
	}
}

// stay returns when no call needs this node any more, and none has for a while: who was between two
// sockets when the call ended comes back to hear of it.
func (h *Hub) stay(ctx context.Context) {
	tick := time.NewTicker(stayEvery)
	defer tick.Stop()
	for left := lingerFor; left > 0 && !h.Alone(); left -= stayEvery {
		if h.needed() {
			left = lingerFor
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		case <-h.stopped:
			return
		}
	}
}

// Alone tells whether this is the only node.
func (h *Hub) Alone() bool { return len(h.cfg.Queue.Living()) < 2 }

// needed tells whether this node has calls that somebody can reach from another node.
func (h *Hub) needed() bool {
	calls := int64(h.bus.rooms.count())
	for phase := range Gone {
		if phase.stays() {
			calls += h.phases[phase].Load()
		}
	}
	return calls > 0 && !h.Alone()
}

// leave closes the present socket, whichever it is, so that the browser comes back.
func (cl *client) leave(code CloseCode) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if cl.line != nil {
		cl.drop(code)
		cl.postLocked(detached{})
	}
}
