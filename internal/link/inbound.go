package link

import "time"

const (
	ackPause    = 25 * time.Millisecond  // how long an acknowledgement waits for a message to go along with
	ackMessages = 256                    // so many unacknowledged messages do not wait
	ackBytes    = 256 << 10              // nor so many bytes
	wantPause   = 100 * time.Millisecond // the same message is not asked for again within it
)

// inbound is the stream of messages from the other node.
type inbound struct {
	epoch uint64 // 0 for none
	floor uint64 // epochs up to it were forgotten and are refused; with an epoch, that is above it
	born  bool
	next  uint64 // number of the message to deliver next

	due    time.Time // when to acknowledge; zero for never
	urgent bool      // acknowledge now
	count  int       // messages unacknowledged
	bytes  int

	want   bool // ask for next
	wanted struct {
		next uint64
		at   time.Time
	}
	refuse uint64 // the epoch to refuse; 0 for none
}

// take takes the messages of a packet that are next.
func (n *inbound) take(now time.Time, m mail) []effect {
	switch {
	case m.epoch <= n.floor:
		n.refuse = m.epoch
		return nil
	case m.epoch < n.epoch:
		return nil // of a stream that was given up
	}
	var effects []effect
	if m.epoch > n.epoch {
		if n.epoch != 0 || m.born {
			effects = append(effects, lost{})
		}
		*n = inbound{epoch: m.epoch, born: m.born, next: 1}
	}
	if m.first > n.next {
		n.miss(now)
		return append(effects, gap{})
	}
	old := n.next - m.first
	if old > 0 {
		n.urgent = true // it does not know what we have
	}
	if old >= uint64(len(m.bodies)) {
		return effects
	}
	fresh := m.bodies[old:]
	if n.born && n.next == 1 {
		fresh = fresh[1:] // the mark
		n.urgent = true
	}
	n.next = m.first + uint64(len(m.bodies))
	n.received(now, m.bodies[old:])
	if len(fresh) == 0 {
		return effects
	}
	return append(effects, deliver{fresh})
}

// received sees to it that the messages are acknowledged.
func (n *inbound) received(now time.Time, bodies [][]byte) {
	n.count += len(bodies)
	for _, b := range bodies {
		n.bytes += len(b)
	}
	if n.count >= ackMessages || n.bytes >= ackBytes {
		n.urgent = true
	}
	if n.due.IsZero() {
		n.due = now.Add(ackPause)
	}
}

// miss asks for the next message, unless that was done a moment ago.
func (n *inbound) miss(now time.Time) {
	if n.wanted.next == n.next && now.Sub(n.wanted.at) < wantPause {
		return
	}
	n.want, n.wanted.next, n.wanted.at = true, n.next, now
}

// ask acknowledges at once, and asks for whatever there is.
func (n *inbound) ask(now time.Time) {
	if n.epoch != 0 {
		n.want, n.wanted.next, n.wanted.at = true, n.next, now
	}
}

func (n *inbound) ready(now time.Time) bool {
	return n.urgent || n.want || n.refuse != 0 || !n.due.IsZero() && !now.Before(n.due)
}

// acknowledge puts into a packet what we have and want.
func (n *inbound) acknowledge(m *mail) {
	if n.epoch == 0 {
		return
	}
	m.ackEpoch, m.ackNext, m.want = n.epoch, n.next, n.want
	n.due, n.urgent, n.want, n.count, n.bytes = time.Time{}, false, false, 0, 0
}

// forget drops everything but what must not be taken again.
func (n *inbound) forget() {
	*n = inbound{floor: max(n.floor, n.epoch), refuse: n.refuse}
}
