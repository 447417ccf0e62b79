package link

import (
	"time"

	"parley/retention"
)

// Limits of what is kept for one node that has not acknowledged it.
const (
	maxMessages = 4096
	maxBytes    = 4 << 20
	maxAge      = 10 * time.Second // of the oldest; beyond it Send refuses
)

// Limits of what one packet and one pull hold. A packet may exceed them by one long message.
const (
	packetMessages = 256
	packetBytes    = 32 << 10
	pullBytes      = 1 << 20
)

// Limits of the time after which the oldest message is published again.
const (
	leastWait = 200 * time.Millisecond
	mostWait  = 2 * time.Second
	askPause  = 50 * time.Millisecond // the same request within it is not answered twice
)

// outbound is the stream of messages to the other node.
type outbound struct {
	epoch uint64
	born  bool // the epoch began after a loss: its message 1 is a mark
	mute  bool // given up for silence: nothing is taken until it answers

	ring  []message // unacknowledged
	base  uint64    // number of ring[0]
	next  uint64    // number to publish next, from base on
	high  uint64    // lowest number that was never published
	bytes int
	held  map[string]holding // what of it is whose

	since time.Time     // since when the oldest waits for an acknowledgement, or for the next one
	tries int           // how often it was published again in vain; then no more than one packet
	rtt   time.Duration // smoothed; includes the pause before an acknowledgement
	timed uint64        // the message that measures it; 0 for none
	began time.Time     // when that was published
	asked time.Time     // when the other node last asked for base
}

type message struct {
	body []byte
	by   string
	at   time.Time // when it was taken
}

// holding is how much of what is unacknowledged was sent on somebody's behalf.
type holding struct{ messages, bytes int }

// end is the number that the next message gets.
func (o *outbound) end() uint64 { return o.base + uint64(len(o.ring)) }

// take adds a message, or refuses it.
func (o *outbound) take(now time.Time, m send) bool {
	n, bytes := len(o.ring), len(m.body)
	if o.mute || n >= maxMessages || o.bytes+bytes > maxBytes || n > 0 && now.Sub(o.ring[0].at) > maxAge {
		return false
	}
	if m.by != "" {
		h := o.held[m.by]
		if h.messages >= maxMessages-n || h.bytes+bytes > maxBytes-o.bytes {
			return false
		}
		o.hold(m.by, 1, bytes)
	}
	if o.born && o.end() == 1 {
		o.ring = append(o.ring, message{at: now})
	}
	o.ring = append(o.ring, message{m.body, m.by, now})
	o.bytes += bytes
	return true
}

// hold adds to what somebody holds; less than nothing when it is acknowledged.
func (o *outbound) hold(by string, messages, bytes int) {
	h := o.held[by]
	h.messages += messages
	h.bytes += bytes
	switch {
	case h.messages == 0:
		delete(o.held, by)
		return
	case o.held == nil:
		o.held = map[string]holding{}
	}
	o.held[by] = h
}

// ready tells whether there is something to publish. While nobody answers it is one packet at a time.
func (o *outbound) ready() bool { return o.next < o.end() && (o.tries == 0 || o.next == o.base) }

// pull returns what to publish now.
func (o *outbound) pull(now time.Time) []publish {
	var packets []publish
	for total := 0; o.ready() && total < pullBytes; {
		if o.next == o.base {
			o.since = now
		}
		p, size := o.packet()
		if o.timed == 0 && p.again == 0 {
			o.timed, o.began = o.next-1, now
		}
		packets = append(packets, p)
		total += size
	}
	return packets
}

// packet makes one packet from next on.
func (o *outbound) packet() (publish, int) {
	p := publish{mail: mail{epoch: o.epoch, born: o.born, first: o.next}}
	waiting, size := o.ring[o.next-o.base:], 0
	n := 0
	for n < len(waiting) && n < packetMessages && (n == 0 || size+len(waiting[n].body) <= packetBytes) {
		size += len(waiting[n].body)
		n++
	}
	p.bodies = make([][]byte, n)
	for i := range n {
		p.bodies[i] = waiting[i].body
	}
	o.next += uint64(n)
	if o.next > o.high {
		p.again = n - int(o.next-max(o.high, p.first)) //nolint:gosec // at most n
		o.high = o.next
	} else {
		p.again = n
	}
	return p, size
}

// acknowledged notes what the other node says that it has, and wants.
func (o *outbound) acknowledged(now time.Time, m mail) []effect {
	next := m.ackNext
	switch {
	case m.ackEpoch != o.epoch:
		return nil // none, or about a stream that was given up
	case next == 0 && m.want:
		o.restart(now)
		return []effect{lost{}}
	case next > o.high || next < o.base:
		return nil // nonsense, or late
	}
	if next > o.base {
		o.release(now, next)
	}
	if o.next == o.base {
		return nil
	}
	switch {
	case m.want && (o.asked.IsZero() || now.Sub(o.asked) >= askPause):
		o.asked, o.tries = now, 0
		o.rewind(now)
	case o.tries > 0 && next == o.base && now.Sub(o.since) >= max(askPause, 2*o.rtt):
		o.retry(now) // it is there again, and still lacks what was published since
	}
	return nil
}

// release drops what the other node has.
func (o *outbound) release(now time.Time, next uint64) {
	n := next - o.base
	for i := range o.ring[:n] {
		if m := o.ring[i]; m.by != "" {
			o.hold(m.by, -1, -len(m.body))
		}
		o.bytes -= len(o.ring[i].body)
		o.ring[i] = message{}
	}
	o.ring, o.base = o.ring[n:], next
	o.next = max(o.next, next)
	o.since, o.tries, o.mute, o.asked = now, 0, false, time.Time{}
	if o.timed != 0 && next > o.timed {
		took := min(now.Sub(o.began), mostWait) // of the first attempt, so that a slow network is learnt
		if o.rtt == 0 {
			o.rtt = took
		}
		o.rtt += (took - o.rtt) / 8
		o.timed = 0
	}
}

// rewind publishes again all that is unacknowledged.
func (o *outbound) rewind(now time.Time) {
	o.next, o.since = o.base, now
}

// retry publishes the oldest again to find out what the other node has.
func (o *outbound) retry(now time.Time) {
	if len(o.ring) > 0 {
		o.tries = 1
		o.rewind(now)
	}
}

// wait is how long to wait for an acknowledgement.
func (o *outbound) wait() time.Duration {
	d := max(leastWait, leastWait/2+2*o.rtt)
	return min(mostWait, d<<min(o.tries, 4))
}

// hopeless is when the stream is given up; zero when nothing is at stake.
func (o *outbound) hopeless() time.Time {
	if n := len(o.ring); n == 0 || n == 1 && o.born && o.base == 1 {
		return time.Time{} // a mark is never given up
	}
	return o.ring[0].at.Add(retention.BusTime)
}

func (o *outbound) deadline() time.Time {
	if len(o.ring) == 0 {
		return time.Time{}
	}
	at := o.hopeless()
	if o.next > o.base {
		at = earlier(at, o.since.Add(o.wait()))
	}
	return at
}

// tick gives the stream up, or publishes the oldest message again.
func (o *outbound) tick(now time.Time) []effect {
	if at := o.hopeless(); !at.IsZero() && !now.Before(at) {
		o.restart(now)
		o.mute = true
		return []effect{lost{}}
	}
	if o.next > o.base && !now.Before(o.since.Add(o.wait())) {
		o.tries++
		o.rewind(now)
	}
	return nil
}

// restart begins the next epoch with a mark; what was unacknowledged is lost.
func (o *outbound) restart(now time.Time) {
	o.clear()
	o.born = true
	o.ring = []message{{at: now}}
}

// forget drops everything; the next message begins an epoch. It tells whether anything was dropped.
func (o *outbound) forget() bool {
	used, dropped := o.born || o.end() > 1, len(o.ring) > 0
	if used {
		o.clear()
		o.born = true
	}
	return dropped
}

func (o *outbound) clear() {
	*o = outbound{epoch: o.epoch + 1, base: 1, next: 1, high: 1, rtt: o.rtt}
}
