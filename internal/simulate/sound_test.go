package simulate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/internal/history"
	"parley/internal/simulate"
)

const relayAt = `"servers":[{"urls":["turn:%s?transport=udp"],"username":"u","credential":"c"}],"ttl_ms":1`

// connects brings somebody into a call with sound.
func connects(t *testing.T, role string) *stage {
	like := calm()
	like.Media = 1
	s := searches(t, like)
	s.hears(offer, 2)
	s.hears(strings.NewReplacer(`"role":"offer"`, `"role":"`+role+`"`, `"servers":[],"ttl_ms":1`, fmt.Sprintf(relayAt, "one")).Replace(begins), 3)
	return s
}

// way returns the connection that was begun in the last step.
func (s *stage) way() simulate.SoundOn {
	s.t.Helper()
	for _, e := range s.did {
		if on, ok := e.(simulate.SoundOn); ok {
			return on
		}
	}
	s.t.Fatal("no connection was begun")
	return simulate.SoundOn{}
}

// passes lets time pass with nothing but ticks.
func (s *stage) passes(d time.Duration) {
	until := s.now + d
	for at := s.p.Deadline(); at > 0 && at <= until; at = s.p.Deadline() {
		s.waits()
	}
	s.now = until
}

func TestSoundComes(t *testing.T) {
	for _, role := range []string{"offer", "answer"} {
		s := connects(t, role)
		on := s.way()
		if on.Room != "r1" || on.Gen != 1 || on.Offers != (role == "offer") {
			t.Errorf("%s: begins %+v", role, on)
		}
		s.step(simulate.SoundSays{Way: on.Way, What: "candidate"})
		s.wantSilence()
		if s.p.Deadline() <= s.now {
			t.Fatal("wants to say at once what it has no key for")
		}
		s.step(simulate.SoundCame{Way: simulate.Way{Room: "r0", Gen: 1}, At: s.now})
		if len(s.took[simulate.Sound]) > 0 {
			t.Error("sound of another call counts")
		}
		s.step(simulate.SoundCame{Way: on.Way, At: s.now + 3*time.Second})
		if d := measured(t, s, simulate.Sound); d != 3*time.Second {
			t.Errorf("took %s", d)
		}
		if e := s.noted[len(s.noted)-1]; e.Did != history.Heard || e.Room != "r1" {
			t.Errorf("the history says %+v", e)
		}
		s.passes(20 * time.Second)
		if s.sees["calls without sound"] > 0 {
			t.Error("a complaint, although it came")
		}
		s.hears(`{"t":"ended","n":4,"why":"peer_left"}`)
		if !has[simulate.SoundOff](s) {
			t.Error("the connection outlives the call")
		}
	}
}

func TestSoundMissing(t *testing.T) {
	s := connects(t, "answer")
	s.passes(9 * time.Second)
	if s.sees["calls without sound"] != 0 {
		t.Error("complains early")
	}
	s.passes(20 * time.Second)
	if s.sees["calls without sound"] != 1 {
		t.Errorf("complained %d times", s.sees["calls without sound"])
	}

	s = connects(t, "answer")
	s.hears(`{"t":"peer","n":4,"state":"away"}`)
	s.passes(20 * time.Second)
	if s.sees["calls without sound"] != 0 {
		t.Error("complains although the other one was away")
	}

	s = connects(t, "offer")
	s.step(simulate.SoundRefused{Way: s.way().Way})
	s.passes(20 * time.Second)
	if s.sees["calls without sound"] != 0 || s.sees["calls that found no place for sound"] != 1 {
		t.Errorf("%v", s.sees)
	}
}

// TestSoundMoves: another relay means another connection, which the offering side begins.
func TestSoundMoves(t *testing.T) {
	const moved = `{"t":"relays","n":%d,"ice":{` + relayAt + `}}`
	s := connects(t, "offer")
	s.hears(moved, 4, "one")
	if has[simulate.SoundOn](s) {
		t.Error("begins again for the same relay")
	}
	s.hears(moved, 5, "two")
	if on := s.way(); on.Gen != 2 || !on.Offers {
		t.Errorf("begins %+v", on)
	}
	s.step(simulate.SoundSays{Way: simulate.Way{Room: "r1", Gen: 1}, What: "candidate"})
	s.step(simulate.SoundCame{Way: simulate.Way{Room: "r1", Gen: 1}, At: s.now})
	if s.sees["sound after an absence"] > 0 {
		t.Error("the old connection counts")
	}
	s.hears(`{"t":"peer","n":6,"state":"back"}`)
	if on := s.way(); on.Gen != 3 {
		t.Errorf("a peer who is back is offered %+v", on)
	}
	s.step(simulate.SoundCame{Way: simulate.Way{Room: "r1", Gen: 3}, At: s.now})
	s.hears(`{"t":"peer","n":7,"state":"back"}`)
	if has[simulate.SoundOn](s) || s.sees["sound after an absence"] != 1 {
		t.Error("begins again although there is sound")
	}

	s = connects(t, "answer")
	s.hears(moved, 4, "two")
	if has[simulate.SoundOn](s) {
		t.Error("the answering side begins a connection")
	}
}

// TestSoundIsSaid carries what a connection says to the other side, in front of the words that are
// planned.
func TestSoundIsSaid(t *testing.T) {
	d := newDuoOf(t, func(b *simulate.Behaviour) { b.Media = 1 })
	way := simulate.Way{Room: "r1", Gen: 1}
	d.sides[0].step(simulate.SoundSays{Way: way, What: "offer", Body: "v=0"})
	d.carry(0, d.sides[0].writes())
	heard := func(side int, want simulate.SoundHear) {
		t.Helper()
		for _, e := range d.sides[side].did {
			if h, ok := e.(simulate.SoundHear); ok && h == want {
				return
			}
		}
		t.Errorf("%+v did not arrive: %+v", want, d.sides[side].did)
	}
	heard(1, simulate.SoundHear{Way: way, What: "offer", Body: "v=0"})
	way.Gen = 2
	d.sides[1].step(simulate.SoundSays{Way: way, What: "answer", Body: "v=0"})
	if d.sides[1].writes() != "" {
		t.Error("a connection that is no more is heard")
	}
	d.talk(60 * time.Second)
	if n := d.sum("envelopes received"); n < 10 || n > 40 {
		t.Errorf("%d envelopes in a minute, of which none but words are made up", n)
	}
}

func TestStudio(t *testing.T) {
	s, err := simulate.NewStudio(4)
	if err != nil {
		t.Fatal(err)
	}
	for _, room := range []string{"a", "b", "b", "a"} {
		if !s.Enter(room) {
			t.Errorf("no place in %s", room)
		}
	}
	s.Leave("b")
	if s.Enter("c") {
		t.Error("a third call")
	}
	s.Leave("b")
	if s.Enter("c") {
		t.Error("one side is in and the other one not")
	}
	s.Leave("c")
	s.Leave("c")
	if !s.Enter("c") || !s.Enter("a") || s.Enter("d") {
		t.Error("places are not given back as they were taken")
	}
}

// TestQuiet reads the packet as RFC 6716, 3.2.5, does: one frame of Opus, the rest is padding.
func TestQuiet(t *testing.T) {
	b := simulate.Quiet()
	if len(b) != 60 || b[0]&3 != 3 || b[1] != 1<<6|1 {
		t.Fatalf("%d bytes, % x", len(b), b)
	}
	padding := int(b[2])
	if frame := b[3 : len(b)-padding]; len(frame) != 2 || padding >= 255 {
		t.Errorf("a frame of %d bytes", len(frame))
	}
}
