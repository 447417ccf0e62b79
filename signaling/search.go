package signaling

import (
	"errors"
	"reflect"
	"slices"
	"time"

	"parley/matcher"
	"parley/retention"
)

// Times of a search.
const (
	// audit is how often the matcher is asked again how a waiting ticket stands: it pairs two who
	// both ripened while they waited, and repairs lost events.
	audit = 10 * time.Second
	// confirmRepeat is how often an unanswered confirmation is repeated.
	confirmRepeat = time.Second
	// offerSlack is how long after an offer's deadline the matcher's own word is waited for.
	offerSlack = time.Second
	// offerLost is how long after that deadline a session that confirmed goes on searching, though the
	// store does not say what became of the match. If it is live, the room waits for this side in vain.
	offerLost = 5 * time.Second
	// outageLongest bounds the pause between two tries while the store is away.
	outageLongest = 5 * time.Second
	// settled is how long a call keeps the search that led to it, though the peer was heard: longer than
	// a room can take to say that the call never was, because nobody heard this side.
	settled = time.Minute

	fewest = 5 // fewer waiting browsers, or measured searches, than this are not told
)

// search is one find until it is over, through as many tickets as it takes.
type search struct {
	of      uint64         // the number of the find
	want    matcher.Ticket // as asked for, with the ID of the present ticket, empty while withdrawn
	began   time.Time      // since when it has waited, by our clock
	place   time.Time      // the same by the clock of the store, which orders the queue; zero until known
	repeat  time.Time      // when to ask the matcher again; zero while an answer is awaited
	banded  bool
	owes    int    // bits of work that it has not cost, as one of a fresh device
	failed  int    // tries in a row that the store did not answer
	shown   Queued // what the browser was told last
	showing bool
	renew   time.Time // when the browser is told a fresh place at the latest
}

// match is an offer that was made to this session.
type match struct {
	ID    string
	offer matcher.Offer
	next  time.Time // when to ask or give up; zero while an answer is awaited
	away  bool      // the browser was told that the store does not answer
}

// searchedSince returns when the search began that this session has, be it that it has led to a call;
// zero for none.
func (s *session) searchedSince() time.Time {
	if s.search == nil {
		return time.Time{}
	}
	return s.search.began
}

func (q *search) expires() time.Time { return q.began.Add(retention.LongestWait) }

// withdraw takes the present ticket out of the queue and keeps the place.
func (q *search) withdraw(s *session) {
	if q.want.ID != "" {
		s.do(quit{q.want.ID})
	}
	q.want.ID, q.repeat = "", time.Time{}
}

// keepPlace makes sure that the next ticket stands no later than this search began.
func (q *search) keepPlace() {
	if q.place.IsZero() {
		q.place = q.began
	}
}

func (s *session) find(now time.Time, e *find) {
	q := &search{of: e.msg.C, began: now, place: s.placeOf(e.place), want: matcher.Ticket{
		Device: s.tag, Languages: e.msg.Languages, Interests: e.msg.Interests, Strict: !e.msg.Widen, Avoid: e.avoid,
	}}
	q.want.Arrived = q.place
	q.want.ID, q.want.Meets = s.newID(), []int{0} // to be checked; the store fills them in later
	invalid := q.want.Validate()
	q.want.ID, q.want.Meets = "", nil
	switch {
	case s.phase != Idle:
		s.refuse(e.msg.C, BadState, "there is a search or a call already: cancel or leave it first")
	case s.draining:
		s.refuse(e.msg.C, Unavailable, "this node stops: come back and search there")
	case invalid != nil:
		s.refuse(e.msg.C, BadValue, invalid.Error())
	case !s.searches.ready(now):
		s.tooMany(e.msg.C, s.searches.wait(now), "too many searches: wait half a minute")
	case s.pays(e):
		s.searches.try(now)
		if e.zeros == 0 {
			q.owes = e.asNew
		}
		s.search, s.phase = q, Searching
		s.stand()
	}
}

// stand enters the queue with a new ticket. Tickets serve once, so that a late duplicate of a
// script cannot put somebody back who is talking.
func (s *session) stand() {
	s.search.want.ID = s.newID()
	s.search.showing = false
	s.ask()
}

// ask joins, or asks how the ticket stands.
func (s *session) ask() {
	s.search.repeat = time.Time{}
	s.search.want.Arrived = s.search.place
	s.do(join{s.search.want, s.search.banded, s.search.owes > 0, s.known})
}

// askBy asks until then how a ticket stands, unless an answer is awaited already.
func (s *session) askBy(at time.Time) {
	if s.phase == Searching && !s.search.repeat.IsZero() && at.Before(s.search.repeat) {
		s.search.repeat = at
	}
}

func (s *session) joined(now time.Time, e joined) {
	if s.phase != Searching || s.search.want.ID != e.ticket {
		return // the ticket was withdrawn meanwhile, and a match that claimed it with it
	}
	q := s.search
	if !q.banded && !s.judged(now, e) {
		return
	}
	if e.err != nil {
		s.outage(now, e.err)
		return
	}
	q.failed = 0
	switch r := e.result.(type) {
	case matcher.Waiting:
		q.place, q.began = r.Arrived, now.Add(-r.Waited)
		q.repeat = nextAsk(now, r)
		s.show(now, r, e.estimate)
	case matcher.Offered:
		s.offered(now, r.Offer)
	case matcher.Closed:
		// The ticket came to an end that we did not hear of.
		q.keepPlace()
		q.want.ID = s.newID()
		q.repeat = now.Add(time.Second)
	}
}

// nextAsk is the next widening step, or the next audit if that comes first.
func nextAsk(now time.Time, w matcher.Waiting) time.Time {
	at := now.Add(audit)
	for _, step := range w.Steps {
		if left := step.After - w.Waited; left > 0 && now.Add(left).Before(at) {
			at = now.Add(left)
		}
	}
	return at
}

// placeOf returns since when a place counts; zero when this session has been in a call since it was
// told.
func (s *session) placeOf(p place) time.Time {
	if p.session == s.self.ID && p.calls != s.calls {
		return time.Time{}
	}
	return p.arrived
}

// show tells how the search stands, if that changed or the place that was told will end.
func (s *session) show(now time.Time, w matcher.Waiting, e *matcher.Estimate) {
	m := Queued{WidensMS: w.Widens.Milliseconds(), Steps: []QueuedStep{}}
	for _, step := range w.Steps {
		m.Steps = append(m.Steps, QueuedStep{step.After.Milliseconds(), string(step.Look)})
	}
	if e != nil && e.Samples >= fewest {
		m.Wait = &QueuedWait{e.P50.Milliseconds(), e.P90.Milliseconds()}
	}
	if e != nil && e.Waiting >= fewest {
		m.Waiting = &e.Waiting
	}
	q := s.search
	if q.showing && now.Before(q.renew) && reflect.DeepEqual(m, q.shown) {
		return
	}
	q.showing, q.shown, q.renew = true, m, now.Add(placeRenew)
	m.SinceMS = w.Waited.Milliseconds()
	s.do(sendQueued{m, place{w.Arrived, s.self.ID, s.calls}})
}

const (
	searchKept = "the store is away: the search is kept and goes on by itself"
	matchKept  = "the store is away: the match waits for it, or the search goes on from its old place"
)

// outage keeps the search while the store is away or matching is paused, and says so once.
func (s *session) outage(now time.Time, err error) {
	q := s.search
	notice := Notice{StoreAway, searchKept}
	if errors.Is(err, errPaused) {
		notice = Notice{Paused, "the operators have paused matching: the search is kept and goes on by itself"}
	}
	if q.failed == 0 {
		s.do(hint{notice})
	}
	q.keepPlace()
	q.repeat = now.Add(min(outageLongest, time.Second<<min(q.failed, 8)))
	q.failed++
	q.showing = false // queued is told again once the store is back
}

func (s *session) tickSearch(now time.Time) {
	q := s.search
	switch {
	case !now.Before(q.expires()):
		s.cancel()
		s.send(Expired{})
	case q.want.ID != "" && !q.repeat.IsZero() && !now.Before(q.repeat):
		s.ask()
	}
}

// cancel takes the browser out of the queue, out of a match and out of a room that is not open.
func (s *session) cancel() {
	switch s.phase {
	case Searching:
		s.search.withdraw(s)
	case Offered, Confirmed:
		s.do(abort{match: s.match.ID, ticket: s.match.offer.Ticket})
	case Entering, Knocking:
		s.goAway()
	case Idle, Gone:
		return
	case InRoom:
		s.do(post{s.call.room, Went{s.self, s.call.member, EndLeft}})
	}
	s.idle()
}

// offered takes an offer for the present ticket. The session is the last authority: it never
// takes a second offer while one is open, whatever the store has forgotten.
func (s *session) offered(now time.Time, o matcher.Offer) {
	switch {
	case s.match.ID == o.Match:
		return // heard of twice: by the answer and by the event
	case s.phase != Searching || s.search.want.ID != o.Ticket:
		s.do(abort{match: o.Match, ticket: o.Ticket})
		return
	}
	s.phase = Offered
	s.search.keepPlace()
	s.match = match{ID: o.Match, offer: o, next: o.Deadline.Add(offerSlack)}
	s.send(Matched{
		Match: o.Match, Role: roleOf(o), Shared: list(o.Shared), Language: o.Language,
		WithinMS: max(0, o.Deadline.Sub(now).Milliseconds()),
	})
}

func roleOf(o matcher.Offer) Role {
	if o.First {
		return Answer
	}
	return Offer
}

// list is l, but never null on the wire.
func list(l []string) []string {
	if l == nil {
		return []string{}
	}
	return slices.Clone(l)
}

func (s *session) confirm(m Confirm) {
	if s.match.ID == "" || s.match.ID != m.Match {
		s.refuse(m.C, BadMatch, "no such match: it is over, or was never yours; wait for matched")
		return
	}
	if s.phase == Offered {
		s.phase = Confirmed
		s.askConfirm()
	}
}

func (s *session) askConfirm() {
	s.match.next = time.Time{}
	s.do(confirm{s.match.ID, s.match.offer.Ticket})
}

func (s *session) confirmed(now time.Time, e confirmed) {
	switch {
	case s.phase != Confirmed || s.match.ID != e.match:
	case e.err != nil || e.result == matcher.Pending:
		if e.err != nil && !s.match.away {
			s.match.away = true
			s.do(hint{Notice{StoreAway, matchKept}})
		}
		s.match.next = now.Add(confirmRepeat) // ask again: the event may be lost
	case e.result == matcher.Live:
		s.wentLive(now, e.match)
	default:
		s.again()
	}
}

func (s *session) wentLive(now time.Time, id string) {
	if s.phase != Confirmed || s.match.ID != id {
		return
	}
	o := s.match.offer
	room := Address{o.PeerNode, o.Match}
	if o.First {
		room.Node = s.self.Node
	}
	member := s.newID()
	s.enter(now, membership{room: room, member: member, enter: Enter{s.self, member, s.device, roleOf(o), list(o.Shared), o.Language}})
}

// aborted ends an offer that the matcher has aborted.
func (s *session) aborted(e aborted) {
	switch {
	case s.match.ID != e.match || (s.phase != Offered && s.phase != Confirmed):
	case e.why == matcher.WhyLate:
		s.late()
	default:
		s.again()
	}
}

// late ends a search whose browser did not confirm in time.
func (s *session) late() {
	s.idle()
	s.send(Aborted{AbortLate})
}

// again goes back to the queue at the old place, because the peer did not come. A rejoin that came
// to nothing has no search to go back to.
func (s *session) again() {
	if s.search == nil {
		why := EndPeerLost
		if s.call.kind != "" {
			why = EndOver
		}
		s.idle()
		s.send(Ended{why})
		return
	}
	s.phase, s.match, s.call = Searching, match{}, membership{}
	s.send(Aborted{AbortPeer})
	s.search.want.ID, s.search.repeat = "", time.Time{}
	if s.online() {
		s.stand()
	}
}

// settles is when the search of a call is over for good; zero while that is not known, or past.
func (s *session) settles() time.Time {
	if s.search == nil || !s.call.met {
		return time.Time{}
	}
	return s.entered.Add(settled)
}

// settle ends the search of a call: it has found somebody.
func (s *session) settle(now time.Time) {
	if at := s.settles(); !at.IsZero() && !now.Before(at) {
		s.search = nil
	}
}

// lostAt is when a match is given up of which the store has not said what became of it once it was
// confirmed; zero for any other.
func (s *session) lostAt() time.Time {
	if s.phase != Confirmed {
		return time.Time{}
	}
	return s.match.offer.Deadline.Add(offerLost)
}

func (s *session) tickMatch(now time.Time) {
	switch over := !now.Before(s.match.offer.Deadline.Add(offerSlack)); {
	case s.phase == Confirmed && !now.Before(s.lostAt()):
		s.do(abort{match: s.match.ID, ticket: s.match.offer.Ticket})
		s.again()
	case now.Before(s.match.next):
	case s.phase == Offered:
		s.do(abort{match: s.match.ID, ticket: s.match.offer.Ticket})
		s.late()
	case over:
		// We confirmed, and nobody tells what became of it. The abort finds out.
		s.match.next = time.Time{}
		s.do(abort{match: s.match.ID, ticket: s.match.offer.Ticket, ask: true})
	default:
		s.askConfirm()
	}
}
