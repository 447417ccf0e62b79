package signaling_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/matcher"
	"parley/signaling"
)

// world is all that a session deals with: a browser that does as it likes, a queue that answers
// late and sometimes not at all, rooms. It keeps the books.
type world struct {
	t       *rapid.T
	now     time.Time
	s       signaling.Session
	online  bool
	tickets map[string]*ticket
	matches map[string]*pairing
	asked   []signaling.Done // for the queue, in order, as the lane of a session is
	rooms   map[string]bool  // entered and not left
	finds   int              // searches begun
	ends    int              // and ended: connected, cancelled, expired, late, or gone with the session
}

type ticket struct{ state, match string } // state: waiting, claimed, closed

type pairing struct {
	ticket string
	state  string // offered, confirmed, live, aborted
	due    time.Time
}

func newWorld(t *rapid.T) *world {
	w := &world{
		t: t, now: time.Unix(1e9, 0), tickets: map[string]*ticket{}, matches: map[string]*pairing{},
		rooms: map[string]bool{},
	}
	w.s = signaling.NewSession(w.now)
	w.step(signaling.Attached())
	w.online = true
	return w
}

// step steps the session and books what it does.
func (w *world) step(e signaling.Event) {
	before := w.s.Phase()
	effects := signaling.Tell(w.s.Step(w.now, e))
	if before == signaling.Idle && w.s.Phase() == signaling.Searching {
		w.finds++
	}
	for _, d := range effects {
		switch d.What {
		case "join", "quit", "confirm", "abort", "ask":
			w.asked = append(w.asked, d)
		case "enter", "reenter":
			w.rooms[d.About] = true
		case "went":
			delete(w.rooms, d.About)
		}
		w.book(before, d)
	}
	if len(w.rooms) > 1 {
		w.t.Fatalf("in %d rooms", len(w.rooms))
	}
	asks := slices.ContainsFunc(w.asked, func(d signaling.Done) bool { return d.What == "join" })
	if w.s.Phase() == signaling.Confirmed && w.s.Deadline().IsZero() && len(w.asked) == 0 {
		w.t.Fatal("a confirmation that nobody looks after")
	}
	if w.s.Phase() == signaling.Searching && w.online && !asks && w.s.Deadline().After(w.now.Add(10*time.Second)) {
		w.t.Fatal("a search that nobody looks after")
	}
}

// book counts the ends of searches.
func (w *world) book(before signaling.Phase, d signaling.Done) {
	searching := before >= signaling.Searching && before <= signaling.Entering && w.ends < w.finds
	switch {
	case before == signaling.InRoom && d.What == "frame:aborted":
		w.ends-- // the peer never came: it goes on
	case !searching:
	case d.What == "frame:connected", d.What == "frame:cancelled", d.What == "frame:expired", d.What == "vanish":
		w.ends++
	case d.What == "frame:aborted" && d.About == "late":
		w.ends++
	}
}

// work lets the queue answer its oldest question, or lose the answer, or the question.
func (w *world) work(t *rapid.T) {
	if len(w.asked) == 0 {
		return
	}
	d := w.asked[0]
	w.asked = w.asked[1:]
	var away error
	lost := rapid.IntRange(0, 9).Draw(t, "away")
	if lost < 2 {
		away = errors.New("away")
	}
	if lost == 0 && d.What != "quit" && d.What != "abort" { // those the session does not repeat
		w.answer(t, d, nil, away)
		return
	}
	w.answer(t, d, w.perform(t, d), away)
}

// perform does to the queue what was asked, and returns the session's news.
func (w *world) perform(t *rapid.T, d signaling.Done) any {
	switch d.What {
	case "join":
		return w.join(t, d.About)
	case "quit":
		if k := w.tickets[d.About]; k != nil && k.state == "claimed" && w.matches[k.match].state != "live" {
			w.matches[k.match].state = "aborted"
		}
		w.tickets[d.About] = &ticket{state: "closed"}
	case "confirm":
		m := w.matches[d.Match]
		switch {
		case m.state == "aborted":
			return matcher.Gone
		case m.state == "live" || rapid.Bool().Draw(t, "both"):
			m.state = "live"
			return matcher.Live
		}
		m.state = "confirmed"
		return matcher.Pending
	case "abort", "ask":
		if m := w.matches[d.Match]; m.state != "live" {
			m.state = "aborted"
			w.tickets[d.About] = &ticket{state: "closed"}
		}
	}
	return nil
}

func (w *world) join(t *rapid.T, id string) matcher.Result {
	k := w.tickets[id]
	if k == nil {
		k = &ticket{state: "waiting"}
		w.tickets[id] = k
	}
	if k.state == "waiting" && rapid.Bool().Draw(t, "somebody there") {
		w.claim(id)
	}
	switch k.state {
	case "waiting":
		return matcher.Waiting{Arrived: w.now, Waited: time.Second, Widens: 2 * time.Second}
	case "claimed":
		return matcher.Offered{Offer: w.offer(k.match)}
	}
	return matcher.Closed{}
}

func (w *world) claim(id string) {
	k := w.tickets[id]
	k.state, k.match = "claimed", matcher.NewID()
	w.matches[k.match] = &pairing{ticket: id, state: "offered", due: w.now.Add(4 * time.Second)}
}

func (w *world) offer(match string) matcher.Offer {
	m := w.matches[match]
	return matcher.Offer{Match: match, Ticket: m.ticket, PeerNode: "other", Language: "en", Deadline: m.due}
}

func (w *world) answer(_ *rapid.T, d signaling.Done, result any, err error) {
	switch d.What {
	case "join":
		r, _ := result.(matcher.Result)
		if err != nil {
			r = nil
		}
		w.step(signaling.Joined(d.About, r, err))
	case "confirm":
		r, _ := result.(matcher.Confirmation)
		w.step(signaling.ConfirmedEvent(d.Match, r, err))
	case "ask":
		switch {
		case err != nil:
			w.step(signaling.ConfirmedEvent(d.Match, 0, err))
		case w.matches[d.Match].state == "live":
			w.step(signaling.WentLive(d.Match))
		default:
			w.step(signaling.AbortedEvent(d.Match, matcher.WhyPeer))
		}
	}
}

// pick returns a key of m whose value fits, or nothing.
func pick[V any](m map[string]V, fit func(V) bool) string {
	best := ""
	for k, v := range m {
		if fit(v) && k > best {
			best = k
		}
	}
	return best
}

// TestSessionNeverLosesNorDoubles: whatever happens in whatever order, a session is in at most one
// room, every search ends exactly once, and nothing of it is left in the queue.
func TestSessionNeverLosesNorDoubles(t *testing.T) {
	connected := 0
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		say := func(m signaling.FromBrowser) {
			if w.online {
				w.step(signaling.Said(m))
			}
		}
		onward := func(t *rapid.T) { w.onward(t, say, &connected) }
		t.Repeat(map[string]func(*rapid.T){
			"onward": onward, "go on": onward, "proceed": onward, // or few runs would ever come to a call
			"further": onward, "next": onward, "then": onward,
			"find": func(*rapid.T) {
				if w.online {
					w.step(signaling.Finds(signaling.Find{Languages: []string{"en"}, Widen: true}))
				}
			},
			"cancel": func(*rapid.T) { say(signaling.Cancel{}) },
			"leave":  func(*rapid.T) { say(signaling.Leave{}) },
			"confirm": func(*rapid.T) {
				say(signaling.Confirm{Match: pick(w.matches, func(m *pairing) bool { return m.state == "offered" })})
			},
			"decline": func(*rapid.T) {
				say(signaling.Decline{Match: pick(w.matches, func(m *pairing) bool { return m.state == "offered" })})
			},
			"rejoin": func(*rapid.T) {
				if w.online {
					w.step(signaling.Rejoins(&signaling.Pass{Room: "old room", Member: "me", Peer: "you"}, w.now))
				}
			},
			"work":      w.work,
			"work more": w.work,
			"offer": func(t *rapid.T) { // somebody else's join found us
				if id := pick(w.tickets, func(k *ticket) bool { return k.state == "waiting" }); id != "" {
					w.claim(id)
					if rapid.Bool().Draw(t, "told") {
						w.step(signaling.Offers(w.offer(w.tickets[id].match)))
					}
				}
			},
			"live": func(t *rapid.T) {
				if id := pick(w.matches, func(m *pairing) bool { return m.state == "confirmed" }); id != "" {
					w.matches[id].state = "live"
					if rapid.Bool().Draw(t, "told") {
						w.step(signaling.WentLive(id))
					}
				}
			},
			"abort": func(t *rapid.T) {
				open := func(m *pairing) bool { return m.state == "offered" || m.state == "confirmed" }
				if id := pick(w.matches, open); id != "" {
					w.matches[id].state = "aborted"
					w.tickets[w.matches[id].ticket].state = "closed"
					if rapid.Bool().Draw(t, "told") {
						w.step(signaling.AbortedEvent(id, matcher.WhyPeer))
					}
				}
			},
			"room opens": func(*rapid.T) {
				if id := pick(w.rooms, func(bool) bool { return true }); id != "" {
					w.step(signaling.OpenedEvent(signaling.Pass{Room: id}))
				}
			},
			"room fails": func(*rapid.T) {
				id := pick(w.rooms, func(bool) bool { return true })
				if id != "" && (w.s.Phase() == signaling.Entering || w.s.Phase() == signaling.InRoom) {
					delete(w.rooms, id)
					w.step(signaling.Failed{Room: id})
				}
			},
			"peer speaks": func(*rapid.T) {
				if id := pick(w.rooms, func(bool) bool { return true }); id != "" {
					w.step(signaling.Heard{Say: &signaling.Say{Room: id, From: "you"}})
				}
			},
			"call ends": func(*rapid.T) {
				id := pick(w.rooms, func(bool) bool { return true })
				if id != "" && w.s.Phase() == signaling.InRoom {
					delete(w.rooms, id)
					w.step(signaling.Over{Room: id, Why: signaling.EndPeerLeft})
				}
			},
			"drop": func(*rapid.T) {
				if w.online {
					w.online = false
					w.step(signaling.Detached())
				}
			},
			"resume": func(*rapid.T) {
				if !w.online && w.s.Phase() != signaling.Gone {
					w.online = true
					w.step(signaling.Attached())
				}
			},
			"time": func(t *rapid.T) {
				ms := rapid.OneOf(rapid.IntRange(1, 12_000), rapid.IntRange(1, 700_000)).Draw(t, "ms")
				w.now = w.now.Add(time.Duration(ms) * time.Millisecond)
				for at := w.s.Deadline(); !at.IsZero() && !at.After(w.now); at = w.s.Deadline() {
					w.step(signaling.Tick())
					if again := w.s.Deadline(); again.Equal(at) {
						t.Fatalf("a tick in phase %v changed nothing: it would be repeated for ever", w.s.Phase())
					}
				}
			},
			"": func(*rapid.T) { w.check() },
		})
	})
	if connected == 0 {
		t.Error("no run came to a call: the test shows nothing")
	}
}

// onward does what brings the session nearer to a call.
func (w *world) onward(t *rapid.T, say func(signaling.FromBrowser), connected *int) {
	switch w.s.Phase() {
	case signaling.Idle:
		if w.online {
			w.step(signaling.Finds(signaling.Find{Languages: []string{"en"}, Widen: true}))
		}
	case signaling.Searching, signaling.Confirmed:
		w.work(t)
	case signaling.Offered:
		say(signaling.Confirm{Match: pick(w.matches, func(m *pairing) bool { return m.state == "offered" })})
	case signaling.Entering:
		w.step(signaling.OpenedEvent(signaling.Pass{Room: pick(w.rooms, func(bool) bool { return true })}))
		if w.s.Phase() == signaling.InRoom {
			*connected++
		}
	case signaling.Knocking, signaling.InRoom, signaling.Gone:
	}
}

// check compares the books.
func (w *world) check() {
	phase := w.s.Phase()
	active := phase >= signaling.Searching && phase <= signaling.Entering
	open := w.finds - w.ends
	if open < 0 || open > 1 {
		w.t.Fatalf("%d searches, %d ends", w.finds, w.ends)
	}
	if open == 1 && !active {
		w.t.Fatalf("a search was lost: phase %v", phase)
	}
	if phase != signaling.Entering && phase != signaling.InRoom && len(w.rooms) > 0 {
		w.t.Fatalf("phase %v, but still in a room", phase)
	}
	there := active && w.online
	if there || len(w.asked) > 0 {
		return
	}
	for id, k := range w.tickets {
		if k.state == "waiting" {
			w.t.Fatalf("phase %v, online %v, but ticket %s waits in the queue", phase, w.online, id)
		}
	}
	if active {
		return // a match may wait for who is away for a moment
	}
	for id, m := range w.matches {
		if m.state == "offered" || m.state == "confirmed" {
			w.t.Fatalf("phase %v, but match %s waits for this side", phase, id)
		}
	}
}
