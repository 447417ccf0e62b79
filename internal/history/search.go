package history

// match is an offer, as far as it was told.
type match struct {
	told      map[string]mark // by person
	confirmed map[string]int  // line by person
	first     int64
	judged    bool // who was told alone was complained of
	third     mark // the newest that was told as a third
}

// mark is where something was told or done.
type mark struct {
	line int
	at   int64
	free bool // a match that is over for this person
}

func (c *checker) matchOf(id string) *match {
	m := c.matches[id]
	if m == nil {
		m = &match{told: map[string]mark{}, confirmed: map[string]int{}, first: c.now}
		c.matches[id] = m
	}
	return m
}

// find begins a search.
func (c *checker) find(p *person, e Event) {
	was := p.search
	p.search = search{line: c.line, at: e.At, avoid: e.Avoid, heard: e.At}
	if e.Place && was.told > 0 && e.At-was.told < placeFor {
		p.search.began, p.search.toldIn = was.began, was.toldIn
	}
}

// queued tells how the search stands. Nobody may stand later than before.
func (c *checker) queued(p *person, e Event) {
	s := &p.search
	if s.line == 0 {
		c.violate(NoSearch, p.name, "is told that it stands in the queue, and does not search", c.line)
		return
	}
	c.release(p)
	p.match = ""
	if len(p.cancels) > 0 && p.cancels[0] < s.line { // of the search before, whose cancel is on its way
		s.heard = e.At
		return
	}
	began := e.At - e.SinceMS*1000
	if c.later(s, e) {
		c.violate(LaterPlace, p.name, "stands later in the queue than it was told before", s.toldIn, c.line)
	}
	if s.began == 0 || began < s.began {
		s.began = began
	}
	s.heard, s.told, s.toldIn, s.paused = e.At, e.At, c.line, false
}

// later tells whether a search stands later than it was told before. Where nodes cannot always reach
// one another, what was true when it was said may arrive late: but it was said after the find, and who
// has lost a place is told so again.
func (c *checker) later(s *search, e Event) bool {
	since := e.SinceMS * 1000
	late := func(said int64) bool { return s.began > 0 && said-since > s.began+placeSlack }
	switch {
	case !late(e.At):
		s.doubted = 0
		return false
	case c.held <= heldWithin, late(max(s.at, e.At-c.held)), s.doubted > 0 && e.At-s.doubted > second:
		return true
	}
	s.doubted = e.At
	return false
}

// matched looks at who is to meet whom.
func (c *checker) matched(p *person, e Event) {
	if p.room != "" {
		c.violate(TwoCalls, p.name, "is matched while in call "+p.room, p.roomLine, c.line)
	}
	if p.search.line == 0 {
		c.violate(NoSearch, p.name, "is matched, and does not search", c.line)
	}
	p.search.heard, p.search.paused = e.At, false
	c.release(p)
	p.match = e.Match
	m := c.matchOf(e.Match)
	m.forgetFreed()
	if len(m.told) == 0 {
		m.first = e.At
	}
	if _, again := m.told[p.name]; !again && len(m.told) >= 2 {
		c.thirdIn(m, p, e)
	}
	for name, other := range m.told {
		if name != p.name {
			c.meets(p, c.people[name], other.line)
		}
	}
	m.told[p.name] = mark{line: c.line, at: e.At}
}

// thirdIn takes a third who is told of a match. A store that has lost its last writes may make the
// match of a ticket once more, before those of the first one hear that theirs came to nothing.
// They must then, at once: see [checker.lookAtMatch]; and no third comes into the call, see
// [checker.enter].
func (c *checker) thirdIn(m *match, p *person, e Event) {
	if c.held <= heldWithin {
		c.violate(TwoCalls, p.name, "is the third in match "+e.Match, c.line)
		return
	}
	m.third = mark{line: c.line, at: e.At}
}

// forgetFreed drops those who were told that the match came to nothing: a store that has forgotten it
// may make another one under the same name, which is that of a search.
func (m *match) forgetFreed() {
	for name, told := range m.told {
		if told.free {
			delete(m.told, name)
			delete(m.confirmed, name)
		}
	}
}

// meets looks whether two may meet. Both searches are still those that led to the match.
func (c *checker) meets(p, q *person, line int) {
	if p.device == q.device {
		c.violate(Itself, p.name, "is matched with "+q.name+" of the same device", line, c.line)
	}
	for _, side := range [][2]*person{{p, q}, {q, p}} {
		who, whom := side[0], side[1]
		for _, n := range who.search.avoid {
			t := who.tokens[n]
			if t.until-slack > who.search.at && whom.device != "" && who.met[t.room] == whom.device {
				c.violate(Avoided, who.name, "is matched with "+whom.name+", whom it avoids since call "+t.room, who.search.line, line, c.line)
				break
			}
		}
	}
}

// release notes that the match which was offered is over for a person.
func (c *checker) release(p *person) {
	if m := c.matches[p.match]; m != nil {
		if told, ok := m.told[p.name]; ok {
			told.free = true
			m.told[p.name] = told
		}
	}
}

// aborted ends a match, or a call to which nobody came.
func (c *checker) aborted(p *person, e Event) {
	if r := c.rooms[p.room]; r != nil && e.Room == p.room && e.Why == "peer" {
		if name, theirs := r.other(p.name); theirs != nil && c.wasCall(r.sides[p.name], theirs) {
			c.violate(EndedByUs, p.name, "is told that nobody came to call "+e.Room+", and has heard "+name, theirs.line, c.line)
		}
		r.leave(p.name, e.At)
		p.room, p.rejoins, p.search.line = "", false, c.line
	}
	crossed := p.leaving > 0 && e.Why == "peer" // the leave crossed it, and takes the search back
	if crossed {
		p.cancels, p.leaving = append(p.cancels, p.leaving), 0
	}
	if p.search.line == 0 && !crossed {
		c.violate(NoSearch, p.name, "is told that a match came to nothing, and does not search", c.line)
	}
	c.release(p)
	p.match = ""
	p.search.heard = e.At
	if e.Why == "late" {
		p.search.line = 0
	}
}

// wasCall tells whether who has heard the other side can no longer be told that there was no call:
// the other has heard this one too, or it was long ago. Where one side alone was heard, the other
// may have gone on searching before the first word reached it.
func (c *checker) wasCall(mine, theirs *side) bool {
	heard, wasHeard := len(theirs.stream.got) > 0, mine != nil && len(mine.stream.got) > 0
	return heard && (wasHeard || mine == nil || c.now-mine.at > minute+slack)
}

// over takes expired and cancelled.
func (c *checker) over(p *person, e Event) {
	switch {
	case e.Got == "cancelled" && len(p.cancels) == 0:
		c.violate(NoSearch, p.name, "is told that its search was cancelled, and did not ask", c.line)
	case e.Got == "cancelled":
		asked := p.cancels[0]
		p.cancels = p.cancels[1:]
		if asked < p.search.line {
			return // it answers for the search before
		}
	case p.search.line == 0:
		c.violate(NoSearch, p.name, "is told that its search expired, and does not search", c.line)
	}
	c.release(p)
	p.search.line, p.match = 0, ""
}

// refused takes an error.
func (c *checker) refused(p *person, e Event) {
	switch e.About {
	case "find":
		p.search.line = 0
	case "confirm":
		c.release(p)
	case "rejoin":
		p.rejoins = false
		if r := c.rooms[p.room]; r != nil {
			r.leave(p.name, e.At)
		}
		p.room = ""
	case "decline":
		p.cancels = p.cancels[min(1, len(p.cancels)):]
	case "report":
		p.reports = p.reports[min(1, len(p.reports)):]
	case "block":
		p.blocks = p.blocks[min(1, len(p.blocks)):]
	case "relay":
		c.returned(p, e)
	}
}

// lookAtMatch finds who was told of a match alone, and is held by it.
func (c *checker) lookAtMatch(id string, m *match) {
	age := c.now - m.first
	if age > 2*minute {
		delete(c.matches, id)
		return
	}
	if m.third.at > 0 && c.now-m.third.at > toldWithin+slack {
		for name, told := range m.told {
			if p := c.people[name]; !told.free && !p.away(told.at, c.now) {
				c.violate(TwoCalls, name, "is one of three in match "+id+", and held by it", told.line, m.third.line)
			}
		}
		m.third = mark{}
	}
	if len(m.told) != 1 || m.judged || age <= freedWithin+slack {
		return
	}
	m.judged = true
	for name, told := range m.told {
		if p := c.people[name]; !told.free && !p.away(told.at, c.now) {
			c.violate(Alone, name, "is matched in "+id+", nobody else is, and it is held", told.line)
		}
	}
}
