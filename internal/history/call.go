package history

// room is a call.
type room struct {
	match string
	sides map[string]*side // by person
	first int64
	reset int64 // when a side was told last that something may have been lost
	told  bool  // of a side that is alone
}

// side is one person's part in a call.
type side struct {
	line   int
	at     int64 // when connected was told last
	left   int64 // when it left, or was told of the end; 0 while it is there
	lost   bool  // it was away so long that the server may have given it up
	alone  bool  // it was told that the other is away
	stream stream
}

// leave notes that a person is out.
func (r *room) leave(name string, at int64) {
	if s := r.sides[name]; s != nil && s.left == 0 {
		s.left = at
	}
}

// other returns the other side of a call, if it was told.
func (r *room) other(name string) (string, *side) {
	for n, s := range r.sides {
		if n != name {
			return n, s
		}
	}
	return "", nil
}

// connected begins a call, or goes on with it after the session was lost.
func (c *checker) connected(p *person, e Event) {
	p.tokens[e.Token] = token{e.Room, e.At + metFor}
	if p.room == e.Room {
		if r := c.rooms[e.Room]; r != nil && r.sides[p.name] != nil {
			r.sides[p.name].at = e.At
		}
		p.rejoins = false
		return
	}
	if p.last == e.Room && p.room == "" {
		return // the answer to rejoin crossed a leave
	}
	if p.room != "" {
		c.violate(TwoCalls, p.name, "is told of call "+e.Room+" while in call "+p.room, p.roomLine, c.line)
	}
	if p.search.line == 0 {
		c.violate(NoSearch, p.name, "is told of call "+e.Room+", and does not search", c.line)
	}
	c.release(p)
	p.search.line, p.search.told, p.match = 0, 0, ""
	p.room, p.last, p.roomLine = e.Room, e.Room, c.line
	c.enter(p, e)
}

// enter puts a person into a call.
func (c *checker) enter(p *person, e Event) {
	r := c.rooms[e.Room]
	if r == nil {
		r = &room{match: e.Match, sides: map[string]*side{}, first: e.At}
		c.rooms[e.Room] = r
		c.Calls++
	}
	if len(r.sides) == 2 && r.sides[p.name] == nil {
		c.violate(TwoCalls, p.name, "is the third in call "+e.Room, c.line)
		return
	}
	r.sides[p.name] = &side{line: c.line, at: e.At, stream: newStream()}
	if name, s := r.other(p.name); s != nil {
		q := c.people[name]
		p.met[e.Room], q.met[e.Room] = q.device, p.device
		if p.device == q.device {
			c.violate(Itself, p.name, "talks with "+name+" of the same device", s.line, c.line)
		}
	}
}

// peer takes away and back. Back without away before it says that letters were lost: who hears it says
// again what the other may have missed.
func (c *checker) peer(p *person, e Event) {
	r := c.rooms[e.Room]
	if r == nil || r.sides[p.name] == nil {
		return
	}
	s := r.sides[p.name]
	if e.Why == "back" && !s.alone {
		r.reset = e.At
	}
	s.alone = e.Why == "away"
}

// leave takes the wish to leave.
func (c *checker) leave(p *person, e Event) {
	id := p.room
	if id == "" {
		id = e.Room
	}
	if r := c.rooms[id]; r != nil {
		r.leave(p.name, e.At)
		p.leaving = c.line
	}
	if p.rejoins {
		p.rejoins, p.leaving = false, 0
		p.cancels = append(p.cancels, c.line) // on the way back into the call, a leave is answered so
	}
	p.room = ""
}

// ended looks who has ended a call: never the server by itself.
func (c *checker) ended(p *person, e Event) {
	r := c.rooms[e.Room]
	if r == nil || r.sides[p.name] == nil {
		return // the answer to a leave that crossed connected
	}
	mine := r.sides[p.name]
	name, theirs := r.other(p.name)
	p.leaving = 0
	switch {
	case mine.left > 0: // it wanted to leave, whatever the answer
	case e.Why == "left":
		c.violate(EndedByUs, p.name, "is told that it left call "+e.Room+", and did not", mine.line, c.line)
	case e.Why == "peer_left":
		if theirs != nil && theirs.left == 0 && len(c.people[name].cancels) == 0 {
			c.violate(EndedByUs, p.name, "is told that "+name+" left call "+e.Room+", who did not", mine.line, theirs.line, c.line)
		}
	case e.Why == "peer_lost":
		if theirs != nil && !p.rejoins && !c.mayBeLost(name, theirs) {
			c.violate(EndedByUs, p.name, "is told that "+name+" is lost to call "+e.Room+", who was there", mine.line, theirs.line, c.line)
		}
	default:
		c.violate(EndedByUs, p.name, "is told that call "+e.Room+" ended for "+e.Why, mine.line, c.line)
	}
	r.leave(p.name, e.At)
	if p.room == e.Room {
		p.room, p.rejoins = "", false
	}
}

// mayBeLost tells whether a side of a call was away so long, or so thoroughly, that the server may
// have given it up.
func (c *checker) mayBeLost(name string, s *side) bool {
	q := c.people[name]
	return s.left > 0 || s.lost || q.gone || q.forgotten > s.at || q.longAway(c.now)
}

// lookAtRoom finds who was told of a call alone, and forgets calls that are long over.
func (c *checker) lookAtRoom(id string, r *room) {
	over := len(r.sides) > 0
	for name, s := range r.sides {
		s.lost = s.lost || s.left == 0 && c.people[name].longAway(c.now)
		over = over && s.left > 0 && c.now-s.left >= minute
	}
	c.suspect(r)
	if over {
		c.tail(id, r)
		delete(c.rooms, id)
		return
	}
	if len(r.sides) != 1 || r.told || c.now-r.first <= toldWithin+slack+c.held-heldWithin {
		return
	}
	for name, s := range r.sides {
		if s.left > 0 || c.people[name].away(s.at, c.now) || c.peerAway(r, name) {
			continue
		}
		r.told = true
		c.violate(Alone, name, "is told of call "+id+", and nobody else is", s.line)
	}
}

// peerAway tells whether somebody else confirmed the match of a call and was away around its
// beginning, so that the word may still be on its way; not longer than a minute.
func (c *checker) peerAway(r *room, name string) bool {
	m := c.matches[r.match]
	if m == nil || c.now-r.first > minute {
		return false
	}
	for other := range m.confirmed {
		if other != name && c.people[other].away(r.first-slack, c.now) {
			return true
		}
	}
	return false
}
