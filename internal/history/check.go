package history

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// Times of the rules, in microseconds.
const (
	second = int64(1_000_000)
	minute = 60 * second

	toldWithin    = 5 * second  // both sides of a call
	freedWithin   = 15 * second // or who was told of a match alone
	welcomeWithin = 15 * second
	heardWithin   = 75 * second // queued is repeated every 30 to 40 s
	heldWithin    = 5 * second  // an envelope between two who are there, see [CheckHeld]
	metFor        = 30 * minute // a token of connected
	placeFor      = 85 * second // less than the 90 s of the protocol
	lostAfter     = 25 * second // less than the 30 s of grace
	slack         = 2 * second  // networks, and the order of lines of different people
	placeSlack    = 5 * second  // how late queued may arrive
)

// A Rule is one promise.
type Rule string

// The promises.
const (
	TwoCalls   Rule = "in two calls"
	Itself     Rule = "matched with itself"
	Avoided    Rule = "matched with somebody avoided"
	Alone      Rule = "told alone"
	LaterPlace Rule = "place not kept"
	LostSearch Rule = "search lost"
	NoSearch   Rule = "told of a search that is over"
	Envelopes  Rule = "envelopes not complete and in order"
	EndedByUs  Rule = "call ended by the server"
	Unresumed  Rule = "neither resumed nor told so"
)

// Violation is a promise that was not kept.
type Violation struct {
	Rule  Rule
	Who   string
	Lines []int // of the file, from 1
	Says  string
}

// String is one sentence that names the person and the lines.
func (v Violation) String() string {
	var lines []string
	for _, l := range v.Lines {
		if l > 0 {
			lines = append(lines, strconv.Itoa(l))
		}
	}
	return fmt.Sprintf("%s: %s %s (lines %s)", v.Rule, v.Who, v.Says, strings.Join(lines, ", "))
}

// Result is what a history shows.
type Result struct {
	Events, People, Calls, Envelopes int
	Violations                       []Violation
}

// Check reads a history and returns every promise that was not kept. It supposes that everybody who
// was there is in it. An error says that it is no history, or not a complete one.
func Check(r io.Reader) (*Result, error) {
	return CheckHeld(r, time.Duration(heldWithin)*time.Microsecond)
}

// CheckHeld is Check for a parley whose nodes cannot always reach one another, so that an envelope may
// be held for some time before it arrives, or both sides hear of a loss.
func CheckHeld(r io.Reader, held time.Duration) (*Result, error) {
	c := &checker{
		Result: &Result{}, held: held.Microseconds(), people: map[string]*person{}, matches: map[string]*match{}, rooms: map[string]*room{},
	}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	ended := false
	for lines.Scan() {
		c.line++
		if ended {
			return nil, fmt.Errorf("line %d: comes after the end", c.line)
		}
		var e Event
		if err := json.Unmarshal(lines.Bytes(), &e, json.RejectUnknownMembers(true)); err != nil {
			return nil, fmt.Errorf("line %d: %w", c.line, err)
		}
		if err := c.take(e); err != nil {
			return nil, fmt.Errorf("line %d: %w", c.line, err)
		}
		ended = e.Did == End
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", c.line+1, err)
	}
	if !ended {
		return nil, errors.New("the last line is missing: the run did not end")
	}
	return c.Result, nil
}

// checker is what must be known of the lines so far. It forgets what can no longer matter.
type checker struct {
	*Result
	line    int
	held    int64 // how long an envelope may be under way
	now     int64 // the latest time seen
	looked  int64 // when the rules of time were looked at last
	people  map[string]*person
	matches map[string]*match
	rooms   map[string]*room
}

func (c *checker) violate(rule Rule, who, says string, lines ...int) {
	slices.Sort(lines)
	c.Violations = append(c.Violations, Violation{rule, who, slices.Compact(lines), says})
}

// take takes one line.
func (c *checker) take(e Event) error {
	c.Events++
	c.now = max(c.now, e.At)
	if c.now-c.looked >= second {
		c.looked = c.now
		c.look()
	}
	if e.Did == End {
		c.finish()
		return nil
	}
	p := c.people[e.Who]
	switch {
	case e.Did == Came && p == nil:
		c.People++
		c.people[e.Who] = newPerson(e)
		return nil
	case p == nil:
		return fmt.Errorf("%q did not come", e.Who)
	case p.gone:
		return fmt.Errorf("%s is gone", e.Who)
	case e.Did != "":
		return c.did(p, e)
	}
	return c.got(p, e)
}

// did takes what a person did.
func (c *checker) did(p *person, e Event) error {
	switch e.Did {
	case "hello":
		p.hello, p.helloAt, p.shown = c.line, e.At, e.Resumed
	case Cut:
		p.lose(e.At)
	case "find":
		c.find(p, e)
	case "cancel":
		p.cancels = append(p.cancels, c.line)
		c.leave(p, e) // it ends a call that began meanwhile
	case "decline":
		p.cancels = append(p.cancels, c.line)
	case "confirm":
		c.matchOf(e.Match).confirmed[p.name] = c.line
	case "leave":
		c.leave(p, e)
	case "rejoin":
		p.rejoins = true
	case "relay":
		c.sent(p, e)
	case "report":
		p.reports = append(p.reports, e.Room)
	case "block":
		p.blocks = append(p.blocks, e.Room)
	case "relays", Heard:
	case Went:
		c.went(p, e)
	default:
		return fmt.Errorf("nobody can do %q", e.Did)
	}
	return nil
}

// got takes what a person was told.
func (c *checker) got(p *person, e Event) error {
	socket := e.Got == Closed || e.Got == Refused
	if !socket && e.Got != "welcome" && !p.online() {
		c.violate(Unresumed, p.name, "is told "+e.Got+" on a socket before welcome", p.hello, c.line)
	}
	switch e.Got {
	case Closed, Refused:
		p.lose(e.At)
	case "welcome":
		c.welcome(p, e)
	case "queued":
		c.queued(p, e)
	case "matched":
		c.matched(p, e)
	case "aborted":
		c.aborted(p, e)
	case "expired", "cancelled":
		c.over(p, e)
	case "connected":
		c.connected(p, e)
	case "relay":
		c.received(p, e)
	case "ended":
		c.ended(p, e)
	case "reported":
		p.reports = p.token(e, p.reports)
	case "blocked":
		p.blocks = p.token(e, p.blocks)
	case "error":
		c.refused(p, e)
	case "notice":
		p.search.paused = p.search.paused || e.Code == "store_away" || e.Code == "paused"
	case "peer":
		c.peer(p, e)
	case "puzzle", "held": // the search that was asked for did not begin
		p.search.line = 0
	case "relays", "drain":
	default:
		return fmt.Errorf("nobody is told %q", e.Got)
	}
	return nil
}

func (c *checker) welcome(p *person, e Event) {
	if e.Resumed && !p.shown {
		c.violate(Unresumed, p.name, "is told that a session was resumed, and showed none", p.hello, c.line)
	}
	if p.hello == 0 {
		c.violate(Unresumed, p.name, "is welcomed twice on one socket", c.line)
	}
	p.find(e.At)
	p.hello, p.search.heard = 0, e.At
	if e.Resumed {
		return
	}
	p.forgotten = e.At
	c.release(p) // from the match that was offered
	p.search.line, p.cancels, p.match, p.leaving = 0, nil, "", 0
	p.reports, p.blocks = nil, nil
}

// went ends a person.
func (c *checker) went(p *person, e Event) {
	p.gone = true
	p.lose(e.At)
	c.release(p)
	if r := c.rooms[p.room]; r != nil {
		r.leave(p.name, e.At)
	}
	p.search.line = 0
}

// look applies the rules of time, and forgets what is over.
func (c *checker) look() {
	for _, p := range c.people {
		c.lookAt(p)
	}
	for id, m := range c.matches {
		c.lookAtMatch(id, m)
	}
	for id, r := range c.rooms {
		c.lookAtRoom(id, r)
	}
}

func (c *checker) lookAt(p *person) {
	if p.hello > 0 && c.now-p.helloAt > welcomeWithin {
		c.violate(Unresumed, p.name, "waits for welcome", p.hello)
		p.hello = 0
	}
	s := &p.search
	if s.line > 0 && p.online() && !s.paused && c.now-max(s.heard, s.at) > heardWithin {
		c.violate(LostSearch, p.name, "searches, is there, and hears nothing any more", s.line, s.toldIn)
		s.line = 0
	}
}

// finish looks at everything that the end of the file leaves open.
func (c *checker) finish() {
	c.look()
	for _, id := range slices.Sorted(maps.Keys(c.rooms)) {
		c.tail(id, c.rooms[id])
	}
	slices.SortStableFunc(c.Violations, func(a, b Violation) int { return slices.Compare(a.Lines, b.Lines) })
}
