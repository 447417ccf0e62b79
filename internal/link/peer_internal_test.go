package link

import (
	"fmt"
	"testing"
	"time"

	"parley/retention"
)

// TestPeerTail: the last message is lost, nothing follows it, and it arrives all the same.
func TestPeerTail(t *testing.T) {
	fixed(t, func(w *world) {
		w.send(0, 0)
		w.step(0, pull{})
		w.wire[1] = nil
		w.pass(leastWait - 1)
		if w.ends[0].Ready(w.now) {
			w.t.Fatal("too early")
		}
		w.pass(1)
		w.step(0, pull{})
		w.carry(1, 0)
		if !w.ends[1].heardAll[1] {
			w.t.Fatal("not published again")
		}
	})
}

// TestPeerRenewed: whoever may have missed something finds out at once, without any timer: what was
// meant for it, and what was said about its own messages.
func TestPeerRenewed(t *testing.T) {
	for _, e := range []event{renewed{}, failed{}} {
		fixed(t, func(w *world) {
			w.send(0, 0)
			w.calm()
			w.send(0, 0)
			w.step(0, pull{})
			w.wire[1] = nil
			w.step(1, e)
			for _, i := range []int{1, 0} {
				w.step(i, pull{})
				w.carry(1-i, 0)
			}
			if w.ends[1].lastHeard != 2 {
				w.t.Fatal("the receiver did not ask")
			}
			w.pass(ackPause)
			w.step(1, pull{})
			w.wire[0] = nil
			w.step(0, e)
			for _, i := range []int{0, 1} {
				w.step(i, pull{})
				w.carry(1-i, 0)
			}
			if len(w.ends[0].out.ring) > 0 {
				w.t.Fatal("the sender did not ask")
			}
		})
	}
}

// TestPeerTimid: while nobody answers it is one packet at a time, at growing intervals.
func TestPeerTimid(t *testing.T) {
	fixed(t, func(w *world) {
		for range 4 * packetMessages {
			w.send(0, 0)
		}
		w.step(0, pull{})
		if n := len(w.wire[1]); n != 4 {
			w.t.Fatal(n, "packets at first")
		}
		w.wire[1] = nil
		for range 1000 {
			w.pass(10 * time.Millisecond)
			w.step(0, pull{})
			w.step(0, pull{})
		}
		if n := len(w.wire[1]); n != 7 { // 0.2, 0.4, 0.8, 1.6, then 2 s after one another
			w.t.Fatal(n, "packets in 10 s")
		}
		w.verdict()
	})
}

// TestPeerGap: what is missing is asked for and published again at once, without any timer; and the
// acknowledgement of what came twice does not wait either.
func TestPeerGap(t *testing.T) {
	fixed(t, func(w *world) {
		w.send(0, 0)
		w.step(0, pull{})
		lost := w.wire[1]
		w.wire[1] = nil
		w.send(0, 0)
		for _, i := range []int{0, 1, 0} {
			w.step(i, pull{})
			w.carry(1-i, 0)
		}
		if w.ends[1].lastHeard != 2 {
			w.t.Fatal("heard up to", w.ends[1].lastHeard)
		}
		w.pass(ackPause)
		w.step(1, pull{})
		w.carry(0, 0)
		w.wire[1] = lost
		w.carry(1, 0)
		if !w.ends[1].Ready(w.now) {
			w.t.Fatal("a message that came twice is not acknowledged")
		}
	})
}

// TestPeerRemade: a node that forgot all about a link and makes it anew begins a higher epoch, and
// the other is told.
func TestPeerRemade(t *testing.T) {
	fixed(t, func(w *world) {
		w.send(0, 0)
		w.calm()
		w.ends[0].peer = newPeer(names[1], 2<<32)
		w.send(0, 0)
		w.calm()
		if w.ends[1].told != 1 || w.ends[1].lastHeard != 2 {
			w.t.Fatal("told", w.ends[1].told, "times, heard", w.ends[1].lastHeard)
		}
	})
}

// TestPeerOldEpoch: what arrives late of a stream that was given up is not delivered any more.
func TestPeerOldEpoch(t *testing.T) {
	fixed(t, func(w *world) {
		w.send(0, 0)
		w.send(0, 0)
		w.calm()
		w.send(0, 0) // its number is 3, and so is that of the next one in the new epoch
		w.step(0, pull{})
		late := w.wire[1]
		w.wire[1] = nil
		w.forget(0)
		w.send(0, 0)
		w.calm()
		w.wire[1] = late
		w.carry(1, 0)
		w.verdict()
		if w.ends[1].told != 1 || w.ends[1].heardAll[3] {
			w.t.Fatal("told", w.ends[1].told, "times")
		}
	})
}

// TestPeerNonsense: an acknowledgement of what was never published, or an old one, changes nothing.
func TestPeerNonsense(t *testing.T) {
	fixed(t, func(w *world) {
		w.send(0, 0)
		w.calm()
		w.send(0, 0)
		w.step(0, pull{})
		w.send(0, 0)
		w.step(0, pull{})
		for _, m := range []mail{
			{ackEpoch: 1 << 32, ackNext: 5}, {ackEpoch: 1 << 32, ackNext: 1 << 62, want: true}, // 4 is next
			{ackEpoch: 1 << 32, ackNext: 1, want: true}, {ackEpoch: 1 << 32}, {ackEpoch: 3 << 32, ackNext: 2, want: true}, {},
		} {
			w.step(0, heard{m})
			if w.ends[0].Ready(w.now) || len(w.ends[0].out.ring) != 2 || w.ends[0].told > 0 {
				w.t.Fatalf("%+v was taken for something", m)
			}
		}
	})
}

// TestPeerGivesUp: after 10 s without an answer nothing more is taken, after 30 s the sender is told,
// and the receiver when it is back.
func TestPeerGivesUp(t *testing.T) {
	fixed(t, func(w *world) {
		quiet := func(d time.Duration) {
			for range d / time.Second {
				w.pass(time.Second)
				w.step(0, pull{})
				w.wire[1] = nil
			}
		}
		w.send(0, 0)
		quiet(maxAge)
		if !w.send(0, 0) {
			w.t.Fatal("refused too early")
		}
		quiet(time.Second)
		if w.send(0, 0) || w.ends[0].told != 0 {
			w.t.Fatal("taken too late, or told too early")
		}
		quiet(retention.BusTime - maxAge - time.Second)
		if w.ends[0].told != 1 || w.send(0, 0) {
			w.t.Fatal("not given up")
		}
		quiet(time.Minute)
		if w.ends[0].told != 1 {
			w.t.Fatal("told again of the same loss")
		}
		w.verdict()
		if w.ends[1].told != 1 || w.ends[1].heardAll[1] {
			w.t.Fatal("the receiver was told", w.ends[1].told, "times")
		}
	})
}

// TestPeerBounds: what is unacknowledged is bounded by number and by bytes.
func TestPeerBounds(t *testing.T) {
	for size, want := range map[int]int{0: maxMessages, MaxMessage - 8: maxBytes / MaxMessage} {
		fixed(t, func(w *world) {
			n := 0
			for n <= want && w.send(0, size) {
				n++
				if n%100 == 0 {
					w.step(0, pull{})
				}
			}
			if n != want {
				w.t.Fatal(fmt.Sprintf("%d messages of %d bytes were taken, want %d", n, size+8, want))
			}
			w.verdict()
		})
	}
}

// TestPeerForgotten: a node that is forgotten and lives gets a reset, and so does who forgot it.
func TestPeerForgotten(t *testing.T) {
	fixed(t, func(w *world) {
		w.send(0, 0)
		w.calm()
		w.forget(1)
		if !w.send(0, 0) {
			w.t.Fatal("refused")
		}
		w.calm()
		if w.ends[0].told != 1 || w.ends[1].told != 2 {
			w.t.Fatal("told", w.ends[0].told, w.ends[1].told)
		}
		w.verdict()
	})
}

// TestPeerAlien: nothing is taken for a node of another version; it is told once a second at most.
func TestPeerAlien(t *testing.T) {
	fixed(t, func(w *world) {
		w.send(0, 0)
		w.step(0, stranger{asks: true})
		if w.ends[0].told != 1 || w.send(0, 0) {
			w.t.Fatal("not given up")
		}
		answers := 0
		for range 10 {
			w.step(0, stranger{asks: true})
			for _, e := range w.ends[0].Step(w.now, pull{}) {
				if _, is := e.(answer); is {
					answers++
				}
			}
			w.pass(150 * time.Millisecond)
		}
		if answers != 2 {
			w.t.Fatal(answers, "answers within 1.5 s")
		}
	})
}
