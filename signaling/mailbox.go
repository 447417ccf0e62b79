package signaling

import (
	"slices"
	"sync"
)

// mailboxLength is how many events may wait in a mailbox. Beyond it a peer's envelope is refused to
// the peer with peer_busy, and a browser that goes on sending is cut with 4008, to send again what was
// not heard. All other events are answers to questions of the machine, or one of each member of the
// room: they are few, and always taken.
const mailboxLength = 512

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

// offer is post for an event that may be refused: it reports false, and does nothing, when the mailbox
// is full.
func (m *mailbox[E]) offer(e E) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.full() {
		return false
	}
	m.postLocked(e)
	return true
}

// full tells whether too much waits. Called with mu held.
func (m *mailbox[E]) full() bool { return len(m.waiting) >= mailboxLength }

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
