package signaling

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// When a node dies, all its browsers come to the others at once. They are let in at a rate that leaves
// room for those who talk already: who is a little too early waits with the handshake, and who would
// wait for too long is told to come later.
const (
	admitRate    = 1000 // handshakes a second
	admitBurst   = 1000
	admitLongest = 5 * time.Second // that a handshake waits
)

// admission is the queue before the door. Safe for concurrent use.
type admission struct {
	mu    sync.Mutex // guards turns
	turns bucket
}

// ask returns how long a handshake must wait for its turn. It reports false when that is too long, and
// after what time to try again.
func (a *admission) ask(now time.Time) (wait time.Duration, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.turns.fill(now)
	if a.turns.level < 1-admitRate*admitLongest.Seconds() {
		return admitLongest + rand.N(admitLongest), false //nolint:gosec // jitter, not a secret
	}
	return a.turns.take(now, 1), true
}

// enter waits for the turn of a handshake. Otherwise it returns after what time to try again.
func (a *admission) enter(ctx context.Context, stopped <-chan struct{}) (later time.Duration, ok bool) {
	wait, ok := a.ask(time.Now())
	if !ok || wait == 0 {
		return wait, ok
	}
	turn := time.NewTimer(wait)
	defer turn.Stop()
	select {
	case <-turn.C:
		return 0, true
	case <-ctx.Done(): // nobody comes: its turn is for somebody else
		a.giveBack()
	case <-stopped:
	}
	return admitLongest, false
}

// giveBack gives back a turn that was waited for and not taken. Who waits already keeps to the time of
// its own.
func (a *admission) giveBack() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.turns.level++
}
