package history

import (
	"fmt"
	"maps"
	"slices"
)

// stream is what one side of a call said.
type stream struct {
	sent     map[uint64]mark // not yet received
	returned map[uint64]bool // refused once, so it may come late or not at all
	got      map[uint64]bool
	last     uint64 // the newest that was received
	suspects map[uint64]suspect
}

// suspect is an envelope that a newer one overtook: lost, unless its sender is yet told that it was
// refused.
type suspect struct {
	mark
	overtaken int
	since     int64
}

func newStream() stream {
	return stream{
		sent: map[uint64]mark{}, returned: map[uint64]bool{}, got: map[uint64]bool{}, suspects: map[uint64]suspect{},
	}
}

// sent takes an envelope that a person sends.
func (c *checker) sent(p *person, e Event) {
	c.Envelopes++
	if r := c.rooms[e.Room]; r != nil && r.sides[p.name] != nil {
		r.sides[p.name].stream.sent[e.Seq] = mark{line: c.line, at: e.At}
	}
}

// returned takes an envelope that was refused.
func (c *checker) returned(p *person, e Event) {
	r := c.rooms[e.Room]
	if r == nil || r.sides[p.name] == nil {
		return
	}
	s := &r.sides[p.name].stream
	s.returned[e.Seq] = true
	if was, ok := s.suspects[e.Seq]; ok { // it is sent again
		s.sent[e.Seq] = was.mark
		delete(s.suspects, e.Seq)
	}
}

// received takes an envelope that arrived.
func (c *checker) received(p *person, e Event) {
	r := c.rooms[e.Room]
	if r == nil || r.sides[p.name] == nil {
		return
	}
	name, theirs := r.other(p.name)
	if theirs == nil {
		return // told first, which lookAtRoom waits for
	}
	s := &theirs.stream
	m, known := s.sent[e.Seq]
	if late, overtaken := s.suspects[e.Seq]; overtaken {
		m, known = late.mark, true
	}
	lines := []int{m.line, c.line}
	switch {
	case e.Why == "bad":
		c.violate(Envelopes, p.name, fmt.Sprintf("cannot open envelope %d of %s", e.Seq, name), lines...)
	case s.got[e.Seq]:
		c.violate(Envelopes, p.name, fmt.Sprintf("receives envelope %d of %s twice", e.Seq, name), lines...)
	case !known:
		c.violate(Envelopes, p.name, fmt.Sprintf("receives envelope %d, which %s did not send", e.Seq, name), c.line)
	case e.Seq < s.last && !s.returned[e.Seq]:
		c.violate(Envelopes, p.name, fmt.Sprintf("receives envelope %d of %s after %d", e.Seq, name, s.last), lines...)
	}
	s.got[e.Seq] = true
	delete(s.sent, e.Seq)
	delete(s.suspects, e.Seq)
	for seq, m := range s.sent {
		if seq < e.Seq && !s.returned[seq] {
			s.suspects[seq] = suspect{m, c.line, c.now}
			delete(s.sent, seq)
		}
	}
	s.last = max(s.last, e.Seq)
}

// excused is until when loss is excused: what was sent before a side's session was given up, or
// before a reset, may be lost, and both were told so.
func (c *checker) excused(r *room) int64 {
	until := r.reset
	for name, s := range r.sides {
		if q := c.people[name]; q.forgotten > r.first {
			until = max(until, q.forgotten, s.at)
		}
	}
	return until
}

// suspect complains of envelopes that were overtaken, once no excuse can come any more.
func (c *checker) suspect(r *room) {
	excused := c.excused(r)
	for name, side := range r.sides {
		other, theirs := r.other(name)
		for _, seq := range slices.Sorted(maps.Keys(side.stream.suspects)) {
			s := side.stream.suspects[seq]
			if c.now-s.since <= 2*c.held {
				continue
			}
			delete(side.stream.suspects, seq)
			if theirs != nil && s.at > excused {
				c.violate(Envelopes, other, fmt.Sprintf("does not receive envelope %d of %s, but later ones", seq, name), s.line, s.overtaken)
			}
		}
	}
}

// tail complains of the last envelopes of a call that never arrived, although both sides were there
// long enough.
func (c *checker) tail(id string, r *room) {
	c.suspect(r)
	excused := c.excused(r)
	for name, side := range r.sides {
		other, theirs := r.other(name)
		if theirs == nil {
			continue
		}
		end := c.now
		for _, left := range []int64{side.left, theirs.left} {
			if left > 0 {
				end = min(end, left)
			}
		}
		for _, seq := range slices.Sorted(maps.Keys(side.stream.sent)) {
			m := side.stream.sent[seq]
			there := !c.people[name].away(m.at, end) && !c.people[other].away(m.at, end)
			if m.at+c.held < end && m.at > excused && !side.stream.returned[seq] && there {
				c.violate(Envelopes, other, fmt.Sprintf("never receives envelope %d of %s in call %s", seq, name, id), m.line, theirs.line)
			}
		}
	}
}
