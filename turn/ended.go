package turn

import (
	"sync"
	"time"
)

// mostEnded is how many calls that ended are remembered in each half; with more the older half is
// forgotten early. 16 bytes each, so a few megabytes at 400 calls that end in a second.
const mostEnded = 1 << 18

// ended remembers calls that are over for as long as a credential may be good: no new relay is
// made for them. It keeps two halves and drops the older when the younger is full of age or
// number.
type ended struct {
	mu         sync.Mutex // guards the following fields
	young, old map[mark]struct{}
	since      time.Time // when young began
}

func newEnded() *ended { return &ended{young: map[mark]struct{}{}, old: map[mark]struct{}{}} }

func (e *ended) add(call mark, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if age := now.Sub(e.since); age < 0 || age >= CredentialTime+clockSkew || len(e.young) >= mostEnded {
		e.old, e.young, e.since = e.young, map[mark]struct{}{}, now
	}
	e.young[call] = struct{}{}
}

func (e *ended) has(call mark) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, young := e.young[call]
	_, old := e.old[call]
	return young || old
}

func (e *ended) forget(call mark) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.young, call)
	delete(e.old, call)
}

// End says that a call is over: from now on no credential for it makes a relay here. Relays that
// are alive stay until their browsers end them, since sound may outlive what the server knows of a
// call.
func (s *Server) End(call string) { s.ended.add(s.mint.markOf(call), s.cfg.Now()) }
