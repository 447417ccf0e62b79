package simulate_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"parley/internal/simulate"
)

// measured returns the time that was measured last.
func measured(t *testing.T, s *stage, what simulate.Measure) time.Duration {
	t.Helper()
	if len(s.took[what]) == 0 {
		t.Fatalf("%s was not measured", what)
	}
	return s.took[what][len(s.took[what])-1]
}

// TestTimesCountFromWhenTheyShouldHaveBegun holds every measure to its beginning: a server, or a
// simulation, that is late is charged with it.
func TestTimesCountFromWhenTheyShouldHaveBegun(t *testing.T) {
	s := enter(t, calm()) // at 1 s
	s.now = 4 * time.Second
	s.step(simulate.Refusal{Code: "503", After: 2 * time.Second})
	s.waits()
	s.step(simulate.Opened{})
	s.now = 9 * time.Second
	s.hears(welcomed)
	if d := measured(t, s, simulate.Hello); d != 8*time.Second {
		t.Errorf("hello took %s", d)
	}
	s.now = 11 * time.Second
	s.hears(offer, 1)
	if d := measured(t, s, simulate.Match); d != 10*time.Second {
		t.Errorf("the first match took %s", d)
	}
	s.hears(begins, 2)
	s.step(simulate.Lost{Code: 1006})
	from := s.p.Deadline() // when it wants to be back
	s.now = from + 3*time.Second
	s.step(simulate.Tick{})
	s.step(simulate.Refusal{Code: "unreachable"})
	s.waits()
	s.step(simulate.Opened{})
	s.hears(`{"t":"welcome","token":"tok","resumed":true,"c":3,"grace_ms":30000}`)
	if d := measured(t, s, simulate.Resume); d != s.now-from || d < 3*time.Second {
		t.Errorf("to resume took %s", d)
	}
}

// TestLateSearch: the second search counts from the moment at which the person wanted it.
func TestLateSearch(t *testing.T) {
	s := talks(t, calm())
	s.hears(`{"t":"ended","n":4,"why":"peer_left"}`)
	from := s.now + 5*time.Second
	s.now += 9 * time.Second
	s.step(simulate.Tick{})
	s.want(`"t":"find"`)
	s.now += time.Second
	s.hears(offer, 5)
	if d := measured(t, s, simulate.Match); d != s.now-from {
		t.Errorf("took %s, want %s", d, s.now-from)
	}
}

// TestLateEnvelope: an envelope that a busy sender sends late is as late as it arrives.
func TestLateEnvelope(t *testing.T) {
	d := newDuo(t)
	d.talk(3 * time.Second)
	s, peer := d.sides[0], d.sides[1]
	before := len(peer.took[simulate.Envelope])
	s.now += 20 * time.Second // words have become due, and nobody came to say them
	s.step(simulate.Tick{})
	d.carry(0, s.writes())
	late := peer.took[simulate.Envelope][before:]
	if len(late) < 2 || slices.Max(late) < 5*time.Second {
		t.Errorf("took %v, although nothing was sent for 20 s", late)
	}
}

// TestArrivalsAreOpenAndRandom: as many as the rate says, irregular as chance, half as many while
// the rate grows.
func TestArrivalsAreOpenAndRandom(t *testing.T) {
	const rate, ramp, length = 50.0, 100 * time.Second, 300 * time.Second
	rnd := rand.New(rand.NewPCG(1, 2))
	var growing, steady int
	var gaps, squares float64
	for at := time.Duration(0); at < length; {
		next := simulate.NextArrival(rnd, at, rate, ramp)
		if at < ramp {
			growing++
		} else {
			steady++
			gap := (next - at).Seconds()
			gaps, squares = gaps+gap, squares+gap*gap
		}
		at = next
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > want/20 {
			t.Errorf("%s: %.3f, want about %.3f", what, got, want)
		}
	}
	near("arrivals while the rate grows", float64(growing), rate*ramp.Seconds()/2)
	near("arrivals afterwards", float64(steady), rate*(length-ramp).Seconds())
	mean := gaps / float64(steady)
	near("spread of the gaps", math.Sqrt(squares/float64(steady)-mean*mean), mean) // as in a Poisson process
}
