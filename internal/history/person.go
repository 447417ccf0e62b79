package history

import "slices"

// person is somebody as of the present line.
type person struct {
	name, device string
	gone         bool

	hello     int // line of the hello that waits for welcome; 0 for none
	helloAt   int64
	shown     bool   // hello had a token
	gaps      []span // times without a welcomed socket; the last one may be open
	forgotten int64  // when the server last said that the session is gone; 0 for never

	search  search
	cancels []int // lines of unanswered cancels, declines, and leaves on the way back into a call
	match   string

	room, last      string // the present call; the newest one
	roomLine        int
	rejoins         bool
	leaving         int // line of a leave of the present call that is not answered
	tokens          map[int]token
	met             map[string]string // devices by room
	reports, blocks []string          // rooms of those that are not answered
}

// span is a time; until is 0 while it lasts.
type span struct{ from, until int64 }

// search is the find that is not over.
type search struct {
	line    int // 0: there is none
	at      int64
	avoid   []int
	heard   int64
	paused  bool  // the store is away
	began   int64 // as the server sees it; 0 until it says so
	told    int64 // when it said so last
	toldIn  int
	doubted int64 // when it was told of a later place that may only have arrived late; 0 for never
}

// token is one of avoid.
type token struct {
	room  string
	until int64
}

func newPerson(e Event) *person {
	return &person{
		name: e.Who, device: e.Device, gaps: []span{{from: e.At}}, tokens: map[int]token{}, met: map[string]string{},
	}
}

// lose notes that the socket is gone.
func (p *person) lose(at int64) {
	p.hello = 0
	if p.online() {
		p.gaps = append(p.gaps, span{from: at})
	}
}

// find notes that there is a welcomed socket.
func (p *person) find(at int64) {
	if !p.online() {
		p.gaps[len(p.gaps)-1].until = at
	}
}

// online tells whether there is a welcomed socket now.
func (p *person) online() bool { return p.gaps[len(p.gaps)-1].until > 0 }

// offline is since when there is none, or 0.
func (p *person) offline() int64 {
	if p.online() {
		return 0
	}
	return p.gaps[len(p.gaps)-1].from
}

// away tells whether there was none at some time between from and to.
func (p *person) away(from, to int64) bool {
	return slices.ContainsFunc(p.gaps, func(g span) bool { return g.from <= to && (g.until == 0 || g.until >= from) })
}

// longAway tells whether somebody is away so long that the server may give up the session.
func (p *person) longAway(now int64) bool { return p.offline() > 0 && now-p.offline() >= lostAfter }

// token notes the token of avoid that answers a report or a block, and returns the rooms of those
// that are still unanswered.
func (p *person) token(e Event, rooms []string) []string {
	if len(rooms) == 0 {
		return nil // repeated in another session, and answered twice
	}
	p.tokens[e.Token] = token{rooms[0], e.At + 30*24*60*minute}
	return rooms[1:]
}
