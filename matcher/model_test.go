package matcher_test

import (
	"cmp"
	"slices"
	"time"

	"parley/matcher"
	"parley/retention"
)

// The reference model: the rule of doc.go in memory, one search at a time, by looking at everybody.
// It knows no index and forgets nothing, which is right for the first minute ([retention.Tombstone]).

const (
	lease  = retention.LeaseTime
	second = time.Second
)

type state int

const (
	waits   state = iota // in the queue
	offered              // claimed by a match; it stays so when the match is live
	closed               // left, aborted, or too old
)

// search is what the model knows of a ticket.
type search struct {
	matcher.Ticket
	node    string
	arrived time.Time
	widens  time.Duration
	wide    bool // it stands in its other languages too
	state   state
	match   *pairing
}

// pairing is what the model knows of a match. Side 0 arrived first.
type pairing struct {
	id        string
	sides     [2]*search
	confirmed [2]bool
	live, off bool
	inTime    bool // it was aborted before its deadline
	language  string
	shared    []string
	deadline  time.Time
}

// place is a pool and when a search comes to stand in it.
type place struct {
	language, interest string
	since              time.Time
	other              bool // another language than the first
}

type model struct {
	now     time.Time
	offer   time.Duration
	leases  map[string]time.Time
	tickets map[string]*search
}

func (m *model) alive(node string) bool { return m.leases[node].After(m.now) }

// over says that a search may not be met any more.
func (m *model) over(s *search) bool {
	return !m.alive(s.node) || m.now.Sub(s.arrived) >= retention.LongestWait
}

func (s *search) places() []place {
	var all []place
	for i, language := range s.Languages {
		near, anything := s.arrived, s.arrived.Add(s.widens)
		if i > 0 {
			if s.Strict {
				break
			}
			near = s.arrived.Add(2 * s.widens)
			anything = near
		} else if len(s.Interests) == 0 {
			anything = near
		}
		for _, interest := range s.Interests {
			all = append(all, place{language, interest, near, i > 0})
		}
		if !s.Strict || len(s.Interests) == 0 {
			all = append(all, place{language, "any", anything, i > 0})
		}
	}
	return all
}

// meeting is somebody who stands where a searcher may look.
type meeting struct {
	other    *search
	since    time.Time
	index    int // of the searcher's places
	language string
}

// meetings returns everybody of a band whom me may look at, who stands longest first.
func (m *model) meetings(me *search, band int) []meeting {
	var all []meeting
	for _, other := range m.tickets {
		if other == me || other.state != waits || other.Band != band || m.over(other) {
			continue
		}
		var found []meeting
		for i, mine := range me.places() {
			for _, theirs := range other.places() {
				same := mine.language == theirs.language && mine.interest == theirs.interest
				stands := other.wide || !theirs.other
				if same && stands && (!mine.since.After(m.now) || !theirs.since.After(m.now)) {
					found = append(found, meeting{other, theirs.since, i, mine.language})
				}
			}
		}
		if len(found) > 0 {
			all = append(all, slices.MinFunc(found, sooner))
		}
	}
	slices.SortFunc(all, sooner)
	return all
}

func sooner(a, b meeting) int {
	return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.index, b.index), cmp.Compare(a.other.ID, b.other.ID))
}

func fits(a, b *search) bool {
	return a.Device != b.Device &&
		!slices.Contains(a.Avoid, b.Device) && !slices.Contains(b.Avoid, a.Device) &&
		slices.Contains(a.Meets, b.Band) && slices.Contains(b.Meets, a.Band)
}

func common(a, b *search) []string {
	var shared []string
	for _, interest := range a.Interests {
		if slices.Contains(b.Interests, interest) {
			shared = append(shared, interest)
		}
	}
	return shared
}

// choose returns whom me gets, or nil: the first that fits, or one of the next four that stands
// at most 2 s less and shares more.
func (m *model) choose(me *search) *meeting {
	for _, band := range me.Meets {
		var best *meeting
		var until time.Time
		more := 0
		for _, next := range m.meetings(me, band) {
			if best != nil && (next.since.After(until) || more == 4) {
				break
			}
			if best != nil {
				more++
			}
			if !fits(me, next.other) {
				continue
			}
			if best == nil {
				until = next.since.Add(2 * second)
			}
			if best == nil || len(common(me, next.other)) > len(common(me, best.other)) {
				best = &next
			}
		}
		if best != nil {
			return best
		}
	}
	return nil
}

// join returns the search, after it was paired, queued or refused.
func (m *model) join(t matcher.Ticket, node string, widens time.Duration) *search {
	s, again := m.tickets[t.ID]
	if again && s.state != waits {
		return s
	}
	if !again {
		s = &search{Ticket: t, node: node, arrived: t.Arrived, widens: widens}
		if t.Arrived.IsZero() || t.Arrived.After(m.now) {
			s.arrived = m.now
		}
		m.tickets[t.ID] = s
	}
	if m.now.Sub(s.arrived) >= retention.LongestWait {
		s.state = closed
		return s
	}
	best := m.choose(s)
	if best == nil {
		s.wide = !m.now.Before(s.arrived.Add(2 * s.widens))
		return s
	}
	pair := &pairing{
		sides: [2]*search{best.other, s}, language: best.language,
		shared: common(s, best.other), deadline: m.now.Add(m.offer),
	}
	slices.SortFunc(pair.sides[:], func(a, b *search) int {
		return cmp.Or(a.arrived.Compare(b.arrived), cmp.Compare(a.ID, b.ID))
	})
	for _, side := range pair.sides {
		side.state, side.match = offered, pair
	}
	return s
}

// leave returns the state that the ticket was in; false if it is unknown.
func (m *model) leave(id string) (state, bool) {
	s, known := m.tickets[id]
	if !known {
		m.tickets[id] = &search{Ticket: matcher.Ticket{ID: id}, state: closed}
		return closed, false
	}
	was := s.state
	if was == waits {
		s.state = closed
	}
	return was, true
}

// confirm returns the answer; orphaned says that the other side's node was dead.
func (m *model) confirm(p *pairing, s *search) (answer matcher.Confirmation, orphaned bool) {
	mine := slices.Index(p.sides[:], s)
	switch {
	case mine < 0 || p.off:
		return matcher.Gone, false
	case p.live:
		return matcher.Live, false
	}
	p.confirmed[mine] = true
	switch {
	case !p.confirmed[1-mine]:
		return matcher.Pending, false
	case !m.alive(p.sides[1-mine].node):
		p.close(true)
		return matcher.Gone, true
	}
	p.live = true
	return matcher.Live, false
}

// abort returns the answer and what the other side is told.
func (m *model) abort(p *pairing, s *search) (matcher.Abortion, matcher.Why) {
	mine := slices.Index(p.sides[:], s)
	switch {
	case mine < 0:
		return matcher.NoMatch, ""
	case p.live:
		return matcher.AlreadyLive, ""
	case !p.off:
		p.close(m.now.Before(p.deadline.Add(-second / 4)))
	}
	if p.inTime || p.confirmed[1-mine] {
		return matcher.Aborted, matcher.WhyPeer
	}
	return matcher.Aborted, matcher.WhyLate
}

func (p *pairing) close(inTime bool) {
	p.off, p.inTime = true, inTime
	p.sides[0].state, p.sides[1].state = closed, closed
}
