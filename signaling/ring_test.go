package signaling_test

import (
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/signaling"
)

// TestRingDelivers: whatever is dropped, acknowledged and resumed, the browser has every frame once
// and in order. The dumb model is a list of all frames ever pushed.
func TestRingDelivers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var (
			r       signaling.Ring
			now     = time.Unix(0, 0)
			pushed  int      // frames are named by their number
			wire    []uint64 // written, not yet received; a drop loses them
			last    uint64   // the highest number that the browser has
			online  = true
			receive = func() {
				if len(wire) > 0 {
					if wire[0] != last+1 {
						t.Fatalf("heard %d after %d", wire[0], last)
					}
					last, wire = wire[0], wire[1:]
				}
			}
		)
		t.Repeat(map[string]func(*rapid.T){
			"push": func(*rapid.T) {
				if r.Push(now, strconv.Itoa(pushed+1), 10) {
					pushed++
				}
			},
			"write": func(t *rapid.T) {
				if !online {
					return
				}
				kind, n, ok := r.Take()
				if !ok {
					return
				}
				if kind != strconv.FormatUint(n, 10) {
					t.Fatalf("frame %s was numbered %d", kind, n)
				}
				wire = append(wire, n)
			},
			"receive":           func(*rapid.T) { receive() },
			"ack":               func(t *rapid.T) { r.Ack(rapid.Uint64Range(0, last).Draw(t, "a")) },
			"ack of the future": func(*rapid.T) { r.Ack(uint64(pushed) + 1) },
			"drop":              func(*rapid.T) { online, wire = false, nil },
			"resume": func(t *rapid.T) {
				wire = nil
				if online = r.Rewind(now, last); !online {
					t.Fatal("a resume was refused")
				}
			},
			"": func(t *rapid.T) {
				frames, bytes := r.Load()
				if frames > signaling.RingCount+signaling.RingSpare || (frames == 0) != (bytes == 0) {
					t.Fatalf("%d frames of %d bytes", frames, bytes)
				}
			},
		})
		if !r.Rewind(now, last) {
			t.Fatal("the last resume was refused")
		}
		for wire = nil; ; {
			_, n, ok := r.Take()
			if !ok {
				break
			}
			wire = append(wire, n)
		}
		for len(wire) > 0 {
			receive()
		}
		if last != uint64(pushed) {
			t.Fatalf("%d frames were pushed, %d arrived", pushed, last)
		}
	})
}

func TestRingBounds(t *testing.T) {
	now := time.Unix(0, 0)
	var r signaling.Ring
	for range signaling.RingCount {
		if !r.Fits(0) || !r.Push(now, "x", 0) {
			t.Fatal("refused too early")
		}
	}
	if r.Fits(0) {
		t.Error("a peer's frame fits over the bound")
	}
	for range signaling.RingSpare {
		if !r.Push(now, "x", 0) {
			t.Fatal("no spare room for the server's own frames")
		}
	}
	if r.Push(now, "x", 0) || r.Rewind(now, 0) {
		t.Error("a ring that lost a frame pretends that it did not")
	}
	var wide signaling.Ring
	for wide.Fits(32 << 10) {
		wide.Push(now, "x", 32<<10)
	}
	if frames, bytes := wide.Load(); frames != 7 || bytes > signaling.RingBytes {
		t.Errorf("%d envelopes of 32 KiB fit, %d bytes", frames, bytes)
	}
}

func TestRingKnowsForeignNumbers(t *testing.T) {
	now := time.Unix(0, 0)
	var r signaling.Ring
	for range 5 {
		r.Push(now, "x", 1)
		r.Take()
	}
	r.Ack(3)
	for last, want := range map[uint64]bool{2: false, 3: true, 6: false} {
		if got := r.Rewind(now, last); got != want {
			t.Errorf("resume after %d: %v", last, got)
		}
	}
	later := now.Add(time.Minute)
	r.Rewind(later, 4)
	if since, ok := r.Waiting(); !ok || !since.Equal(later) {
		t.Error("a resumed frame counts as waiting since before the resume")
	}
}
