package simulate

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"parley/internal/history"
)

// soundWithin is how long the first packet may take in a call in which nobody's socket is away.
const soundWithin = 10 * time.Second

// Counts that are errors.
const (
	soundless  = "calls without sound"
	soundFault = "sound failed"
)

// Way names one connection between the two people of a room. As in the page a higher generation
// replaces a lower one, and the offering side begins it.
type Way struct {
	Room string
	Gen  int
}

// sound is the sound of a call as one side sees it.
type sound struct {
	on        bool // both sides really connect
	gen       int  // of the present connection, 0 in a call without
	ice       ice
	heard     bool          // on the present connection
	disturbed bool          // a socket was away meanwhile: a late first packet says nothing
	dueAt     time.Duration // when the first packet should have come; 0 when it came or was missed
}

func (c *talk) way() Way { return Way{c.room, c.sound.gen} }

// sounds tells whether the people of a room really connect. Both find the same without a word.
func (p *Person) sounds(room string) bool {
	h := sha256.Sum256([]byte(p.run + " sound " + room))
	return float64(binary.BigEndian.Uint64(h[:])>>11)/(1<<53) < p.like.Media
}

// beginSound decides about the sound of a call that begins.
func (p *Person) beginSound(now time.Duration, relays ice) {
	if !p.sounds(p.call.room) {
		return
	}
	p.count("calls with sound")
	p.call.sound = sound{on: true, ice: relays, dueAt: now + soundWithin}
	p.connectSound(1)
	p.call.later(now+around(p.rnd, wordEvery), "word", wordSize)
}

func (p *Person) connectSound(gen int) {
	c := p.call
	c.sound.gen, c.sound.heard = gen, false
	p.do(SoundOn{Way: c.way(), Offers: c.role == "offer", ice: c.sound.ice})
}

// moveSound takes new credentials. When they are of another relay, the old connection is of no use.
func (p *Person) moveSound(relays ice) {
	if p.call == nil || !p.call.sound.on {
		return
	}
	s := &p.call.sound
	moved := !slices.Equal(relays.addresses(), s.ice.addresses())
	s.ice = relays
	if !moved {
		return
	}
	s.disturbed = true
	p.count("calls with another relay")
	if p.call.role == "offer" {
		p.connectSound(s.gen + 1)
	}
}

// repeatSound offers again to a peer who was away, unless the offer is known to have come.
func (p *Person) repeatSound() {
	if s := p.call.sound; s.on && !s.heard && p.call.role == "offer" {
		p.connectSound(s.gen + 1)
	}
}

// saySound plans what the connection wants said, in front of what is due later.
func (p *Person) saySound(now time.Duration, e SoundSays) {
	c := p.call
	if c == nil || c.way() != e.Way {
		return // of a connection that is no more
	}
	at := slices.IndexFunc(c.lines, func(l line) bool { return l.at > now })
	if at < 0 {
		at = len(c.lines)
	}
	c.lines = slices.Insert(c.lines, at, line{at: now, what: e.What, body: e.Body, g: e.Gen})
	p.say(now)
}

// hearSound takes what the peer says about a connection. Its offer may begin one.
func (p *Person) hearSound(t text) {
	c := p.call
	if !c.sound.on || t.G < c.sound.gen {
		return
	}
	if t.G > c.sound.gen {
		if c.role == "offer" {
			p.count(soundFault) // nobody else begins one
			return
		}
		p.connectSound(t.G)
	}
	p.do(SoundHear{Way: c.way(), What: t.What, Body: t.Body})
}

func (p *Person) soundCame(e SoundCame) {
	c := p.call
	if c == nil || c.way() != e.Way {
		return
	}
	c.sound.heard, c.sound.dueAt = true, 0
	p.note(history.Event{Did: history.Heard, Room: c.room})
	if e.Gen > 1 || c.sound.disturbed || p.link.absent(c.began) {
		p.count("sound after an absence")
		return
	}
	p.took(Sound, e.At-c.began)
}

// missSound complains once about sound that did not come.
func (p *Person) missSound(now time.Duration) {
	s := &p.call.sound
	if !due(s.dueAt, now) {
		return
	}
	s.dueAt = 0
	if s.disturbed || p.link.absent(p.call.began) {
		p.count("sound late after an absence")
		return
	}
	p.count(soundless)
}

// soundRefused lets the call go on without sound. The other side was told the same.
func (p *Person) soundRefused(e SoundRefused) {
	if c := p.call; c != nil && c.way() == e.Way {
		p.count("calls that found no place for sound")
		c.sound.on, c.sound.dueAt = false, 0 // the place is kept until the call ends, so that both hear the same
	}
}

// addresses are those of the relays.
func (i ice) addresses() []string {
	var all []string
	for _, s := range i.Servers {
		all = append(all, s.URLs...)
	}
	return all
}
