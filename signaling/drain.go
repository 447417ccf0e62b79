package signaling

import (
	"context"
	"math/rand/v2"
	"time"
)

// drainWithin is over what time the sockets are closed at the most, so that the browsers do not all
// come to the next node at once. A program that ends sooner spreads them over the time it has.
const drainWithin = 20 * time.Second

// stopSearches is the event that this node takes no more searches.
type stopSearches struct{}

func (stopSearches) event() {}

// Drain takes no new sockets and searches, tells every browser to come back elsewhere, and closes
// the sockets one by one. It returns when all are closed or ctx ends; calls go on between the
// browsers.
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
			h.timers.set(newTimer(func() { g.end(CloseDrain) }), time.Now().Add(within))
			wait = max(wait, within)
		}
	}
	gone := time.NewTimer(wait)
	defer gone.Stop()
	select {
	case <-gone.C:
	case <-ctx.Done():
	case <-h.stopped:
	}
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
