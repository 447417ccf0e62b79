package link

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// names of the two nodes of a history.
var names = [2]string{"AAAAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBBBBBBBA"}

// end is one node with what its owner knows.
type end struct {
	*peer
	sent      uint64         // messages that Send took; each holds its number
	doubts    map[uint64]int // for each: how often the owner had been told of a loss by then
	told      int            // resets, and times that the owner forgot the other
	lastHeard uint64
	heardAll  map[uint64]bool
	excused   bool // told of a loss since the last delivery
}

// world is two nodes and what is on its way between them.
type world struct {
	t    *rapid.T
	now  time.Time
	ends [2]*end
	wire [2][][]byte // packets to each node, encoded
}

func newWorld(t *rapid.T) *world {
	w := &world{t: t, now: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)}
	for i := range w.ends {
		w.ends[i] = &end{peer: newPeer(names[1-i], 1<<32), doubts: map[uint64]int{}, heardAll: map[uint64]bool{}}
	}
	return w
}

// step steps node i and checks what comes out.
func (w *world) step(i int, e event) {
	n := w.ends[i]
	for _, eff := range n.Step(w.now, e) {
		switch eff := eff.(type) {
		case deliver:
			for _, b := range eff.bodies {
				w.arrived(n, binary.BigEndian.Uint64(b))
			}
		case lost:
			n.told++
			n.excused = true
		case publish:
			w.wire[1-i] = append(w.wire[1-i], appendMail(nil, names[i], eff.mail))
		case refused:
			w.t.Fatal("a refusal without a send")
		case gap, answer:
		}
	}
	if len(n.out.ring) > maxMessages+1 || n.out.bytes > maxBytes {
		w.t.Fatal("the ring outgrows its limits")
	}
}

// arrived holds a delivery to the promise: the next number, or a later one after a reset.
func (w *world) arrived(n *end, number uint64) {
	switch {
	case number <= n.lastHeard:
		w.t.Fatalf("message %d after %d: doubled or out of order", number, n.lastHeard)
	case number > n.lastHeard+1 && !n.excused:
		w.t.Fatalf("message %d after %d without a reset", number, n.lastHeard)
	}
	n.lastHeard, n.excused, n.heardAll[number] = number, false, true
}

// send sends one message; false when it is refused.
func (w *world) send(i, size int) bool {
	n := w.ends[i]
	body := binary.BigEndian.AppendUint64(make([]byte, 0, 8+size), n.sent+1)
	if slices.ContainsFunc(n.Step(w.now, send{body: body[:8+size]}), func(e effect) bool { _, no := e.(refused); return no }) {
		return false
	}
	n.sent++
	n.doubts[n.sent] = n.told
	return true
}

// carry brings packet k to node i.
func (w *world) carry(i, k int) {
	w.double(i, k)
	w.lose(i, k)
}

// lose takes packet k from the wire.
func (w *world) lose(i, k int) { w.wire[i] = slices.Delete(w.wire[i], k, k+1) }

// double brings packet k to node i and leaves it on the wire.
func (w *world) double(i, k int) {
	raw := w.wire[i][k]
	h, err := readHead(raw)
	if err != nil || h.from != names[1-i] {
		w.t.Fatal("head", h, err)
	}
	m, err := readMail(raw[bodyStart:])
	if err != nil {
		w.t.Fatal(err)
	}
	w.step(i, heard{m})
}

// forget makes node i forget the other.
func (w *world) forget(i int) {
	w.step(i, forget{})
	w.ends[i].told++
	w.ends[i].excused = true
}

// pass lets time pass and deadlines fire.
func (w *world) pass(d time.Duration) {
	w.now = w.now.Add(d)
	for i, n := range w.ends {
		if at := n.Deadline(); !at.IsZero() && !w.now.Before(at) {
			w.step(i, tick{})
		}
	}
}

// calm carries everything in order until nothing is left to do. Too much chatter is a fault, and so
// is to take longer than the longest wait for an acknowledgement explains.
func (w *world) calm() {
	start := w.now
	defer func() {
		if took := w.now.Sub(start); took > 2*mostWait {
			w.t.Fatal("a healed link takes", took, "to come to rest")
		}
	}()
	for range 10_000 {
		for i, n := range w.ends {
			if n.Ready(w.now) {
				w.step(i, pull{})
			}
		}
		if len(w.wire[0])+len(w.wire[1]) > 0 {
			for i := range w.ends {
				for len(w.wire[i]) > 0 {
					w.carry(i, 0)
				}
			}
			continue
		}
		next := earlier(w.ends[0].Deadline(), w.ends[1].Deadline())
		if next.IsZero() && !w.ends[0].Ready(w.now) && !w.ends[1].Ready(w.now) {
			return
		}
		w.pass(max(0, next.Sub(w.now)))
	}
	w.t.Fatal("the link never comes to rest")
}

// verdict heals the world and sees whether everything is accounted for.
func (w *world) verdict() {
	w.calm()
	for range 2 { // the first may find out that it was forgotten
		for i := range w.ends {
			if !w.send(i, 0) {
				w.t.Fatal("a healed link takes nothing")
			}
		}
		w.calm()
	}
	for i, n := range w.ends {
		other := w.ends[1-i]
		if !other.heardAll[n.sent] {
			w.t.Fatalf("message %d never arrived, on a healed link", n.sent)
		}
		for number := uint64(1); number <= n.sent; number++ {
			if !other.heardAll[number] && n.told == n.doubts[number] {
				w.t.Fatalf("message %d of %d was lost and its sender never told", number, n.sent)
			}
		}
	}
}

// TestPeerHistory: whatever the network does, what is delivered is complete and in order between
// resets, both sides are told of what is lost, and a healed link works and comes to rest.
func TestPeerHistory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		spread := rapid.SampledFrom([]time.Duration{20 * time.Millisecond, 400 * time.Millisecond, 6 * time.Second}).Draw(t, "spread")
		forgets := rapid.Bool().Draw(t, "forgets")
		node := func() int { return rapid.IntRange(0, 1).Draw(t, "node") }
		some := func(do func(i, k int)) func(*rapid.T) {
			return func(t *rapid.T) {
				i := node()
				if len(w.wire[i]) == 0 {
					t.Skip()
				}
				do(i, rapid.IntRange(0, min(9, len(w.wire[i])-1)).Draw(t, "packet"))
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"send": func(t *rapid.T) {
				i := node()
				for range rapid.IntRange(1, 5).Draw(t, "messages") {
					w.send(i, rapid.SampledFrom([]int{0, 10, packetBytes}).Draw(t, "size"))
				}
			},
			"pull":      func(*rapid.T) { w.step(node(), pull{}) },
			"pull both": func(*rapid.T) { w.step(0, pull{}); w.step(1, pull{}) },
			"carry":     some(w.carry),
			"double":    some(w.double),
			"lose":      some(w.lose),
			"carry all": func(*rapid.T) {
				i := node()
				for len(w.wire[i]) > 0 {
					w.carry(i, 0)
				}
			},
			"cut":   func(*rapid.T) { w.wire[node()] = nil },
			"fail":  func(*rapid.T) { i := node(); w.step(i, pull{}); w.step(i, failed{}) },
			"renew": func(*rapid.T) { w.step(node(), renewed{}) },
			"pass":  func(t *rapid.T) { w.pass(time.Duration(rapid.Int64Range(1, int64(spread)).Draw(t, "time"))) },
			"forget": func(t *rapid.T) {
				if !forgets {
					t.Skip()
				}
				w.forget(node())
			},
		})
		w.verdict()
	})
}

// fixed is a world for a test that says what happens.
func fixed(t *testing.T, story func(*world)) {
	t.Helper()
	done := false
	rapid.Check(t, func(t *rapid.T) {
		if done {
			return
		}
		story(newWorld(t))
		done = !t.Failed()
	})
}
