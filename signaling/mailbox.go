package signaling

import (
	"slices"
	"sync"
)

// mailbox steps a machine one event at a time, in the order of arrival, without a goroutine of its
// own: whoever posts an event carries it out, or leaves it to whoever is at it already. So effects
// may post to other mailboxes in any order, and no lock is ever held while another is taken.
type mailbox[E any] struct {
	mu      sync.Mutex // guards the owner's state and the following fields
	waiting []E
	busy    bool
	// step handles one event. It is called with mu held, may release it for a while, and is never
	// called twice at a time.
	step func(E)
}

// post carries out e.
func (m *mailbox[E]) post(e E) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.postLocked(e)
}

// postLocked is post for a caller who holds mu.
func (m *mailbox[E]) postLocked(e E) {
	if m.busy {
		m.waiting = append(m.waiting, e)
		return
	}
	m.busy = true
	m.step(e)
	for len(m.waiting) > 0 {
		e = m.waiting[0]
		m.waiting = slices.Delete(m.waiting, 0, 1)
		m.step(e)
	}
	m.busy = false
}
