package signaling_test

import (
	"slices"
	"testing"
	"time"

	"parley/matcher"
	"parley/signaling"
)

// TestLateLetters: what still comes from the last call is nothing to the next.
func TestLateLetters(t *testing.T) {
	now := time.Unix(1e9, 0)
	s := signaling.NewSession(now)
	s.Step(now, signaling.Attached())
	s.Step(now, signaling.Rejoins(&signaling.Pass{Room: "new", Node: "there", Member: "me"}, now))
	if at := s.RoomAt(); at != (signaling.Address{Node: "there", ID: "new"}) {
		t.Errorf("the rejoin goes to %v", at)
	}
	s.Step(now, signaling.OpenedEvent(signaling.Pass{Room: "new", Node: "here"}))
	if at := s.RoomAt(); at.Node != "here" {
		t.Errorf("the room was made anew here, but letters go to %v", at)
	}
	letters := func(room string) []signaling.Event {
		return []signaling.Event{
			signaling.PeerIs{Room: room, State: signaling.PeerAway},
			signaling.Undelivered{Room: room, C: 1, Code: signaling.PeerBusy},
			signaling.Heard{Say: &signaling.Say{Room: room, From: "you"}},
			signaling.Over{Room: room, Why: signaling.EndPeerLeft},
		}
	}
	for _, l := range letters("old") {
		if done := signaling.Tell(s.Step(now, l)); len(done) > 0 {
			t.Errorf("%T of the last call: %v", l, done)
		}
	}
	for _, l := range letters("new") {
		if done := signaling.Tell(s.Step(now, l)); len(done) != 1 {
			t.Errorf("%T of this call: %v", l, done)
		}
	}
}

// TestPassNamesTheNode: a pass names the node that carries the room, also after it was made anew.
func TestPassNamesTheNode(t *testing.T) {
	now := time.Unix(1e9, 0)
	first := signaling.NewRoom(signaling.Address{Node: "one", ID: "room"})
	ana, bo := signaling.Address{Node: "one", ID: "ana"}, signaling.Address{Node: "one", ID: "bo"}
	first.Passes(now, signaling.Enter{From: ana, Member: "a"})
	passes := first.Passes(now, signaling.Enter{From: bo, Member: "b"})
	if len(passes) != 2 || passes[0].Node != "one" || passes[1].Node != "one" {
		t.Fatalf("the passes are %+v", passes)
	}
	second := signaling.NewRoom(signaling.Address{Node: "two", ID: "room"})
	later := now.Add(time.Hour)
	again := second.Passes(later, signaling.Reenters(ana, passes[0]))
	if len(again) != 1 || again[0].Node != "two" || again[0].Until != passes[0].Until {
		t.Errorf("the pass after the rejoin is %+v, was %+v", again, passes[0])
	}
}

// TestKnock: a session asks its room again every 2 s until it answers, and gives up after 8 s.
func TestKnock(t *testing.T) {
	now := time.Unix(1e9, 0)
	s := signaling.NewSession(now)
	s.Step(now, signaling.Attached())
	if !signaling.Met(s.Step(now, signaling.Rejoins(&signaling.Pass{Room: "room", Node: "there", Member: "me"}, now))) {
		t.Error("who comes back with a pass says that nobody was heard, and cannot know")
	}
	var asked []time.Duration
	at := now
	for s.Phase() == signaling.Entering {
		at = s.Deadline()
		for _, d := range signaling.Tell(s.Step(at, signaling.Tick())) {
			if d.What == "reenter" {
				asked = append(asked, at.Sub(now))
			}
		}
	}
	if want := []time.Duration{2 * time.Second, 4 * time.Second, 6 * time.Second}; !slices.Equal(asked, want) || at.Sub(now) != 8*time.Second {
		t.Errorf("asked again after %v, gave up after %v", asked, at.Sub(now))
	}
}

// TestRecheck: a session that is asked whether it is in a room that it has left says so, and one
// that comes in asks again.
func TestRecheck(t *testing.T) {
	now := time.Unix(1e9, 0)
	s := signaling.NewSession(now)
	s.Step(now, signaling.Attached())
	s.Step(now, signaling.Rejoins(&signaling.Pass{Room: "room", Node: "there", Member: "me"}, now))
	ask := func(room string) []signaling.Done {
		return signaling.Tell(s.Step(now, signaling.Recheck{To: signaling.Address{Node: "node", ID: "me"}, Room: signaling.Address{Node: "there", ID: room}, Member: "me"}))
	}
	if done := ask("room"); len(done) != 1 || done[0].What != "reenter" || done[0].About != "room" {
		t.Errorf("before the room: %v", done)
	}
	s.Step(now, signaling.OpenedEvent(signaling.Pass{Room: "room", Node: "there"}))
	if done := ask("room"); len(done) != 0 {
		t.Errorf("in the room: %v", done)
	}
	if done := ask("other"); len(done) != 1 || done[0].What != "went" || done[0].About != "other" {
		t.Errorf("in another room: %v", done)
	}
}

// TestOlderSession: once a browser has come back with another session, nothing that an older one says
// counts: not that it went, nor that it is away, nor that it comes back.
func TestOlderSession(t *testing.T) {
	now := time.Unix(1e9, 0)
	at := func(id string) signaling.Address { return signaling.Address{Node: "one", ID: id} }
	r := signaling.NewRoom(at("room"))
	r.Passes(now, signaling.Enter{From: at("ana"), Member: "a"})
	passes := r.Passes(now, signaling.Enter{From: at("bo"), Member: "b"})
	later := passes[1]
	later.Turn++
	if again := r.Passes(now, signaling.Reenters(at("bo-2"), later)); len(again) != 1 {
		t.Fatalf("the later session is told %+v", again)
	}
	for _, l := range []signaling.ToRoom{
		signaling.Went{From: at("bo"), Member: "b", Why: signaling.EndPeerLost},
		signaling.Missing{From: at("bo"), Member: "b"},
	} {
		if told := r.Tells(now, l); len(told) != 0 {
			t.Errorf("%T of the older session: %v", l, told)
		}
	}
	for from, to := range map[string]string{"bo": "bo", "bo-2": "ana"} { // what the older one said is given back
		say := &signaling.Say{Room: "room", Sender: at(from), From: "b", To: "a"}
		if told := r.Tells(now, say); len(told) != 1 || told[0] != at(to) {
			t.Errorf("%s says something: %v are told", from, told)
		}
	}
	told := r.Tells(now, signaling.Reenters(at("bo"), passes[1]))
	if len(told) != 1 || told[0] != at("bo") {
		t.Errorf("the older session comes back: %v are told", told)
	}
	if told := r.Tells(now, signaling.Went{From: at("bo-2"), Member: "b", Why: signaling.EndLeft}); len(told) != 1 || told[0] != at("ana") {
		t.Errorf("the later session leaves: %v are told", told)
	}
}

// TestSamePass: two sessions of a browser come back with the same pass, because the first never heard
// its answer. The word of the first arrives last, and changes nothing.
func TestSamePass(t *testing.T) {
	now := time.Unix(1e9, 0)
	at := func(id string) signaling.Address { return signaling.Address{Node: "one", ID: id} }
	r := signaling.NewRoom(at("room"))
	r.Passes(now, signaling.Enter{From: at("ana"), Member: "a"})
	pass := r.Passes(now, signaling.Enter{From: at("bo"), Member: "b"})[1]
	back := func(id string, when time.Time) signaling.ToRoom {
		s := signaling.NewSessionAt(when, at(id))
		s.Step(when, signaling.Attached())
		s.Step(when, signaling.Rejoins(&pass, when))
		return s.Entry()
	}
	first, second := back("bo-2", now.Add(time.Millisecond)), back("bo-3", now.Add(2*time.Millisecond))
	r.Tells(now, second)
	if told := r.Tells(now, first); len(told) != 1 || told[0] != at("bo-2") {
		t.Errorf("the earlier session comes late: %v are told", told)
	}
}

// TestUnsure: a session without a socket does not ask its room how it stands until it has one.
func TestUnsure(t *testing.T) {
	now := time.Unix(1e9, 0)
	s := signaling.NewSession(now)
	s.Step(now, signaling.Attached())
	s.Step(now, signaling.Rejoins(&signaling.Pass{Room: "room", Node: "there", Member: "me"}, now))
	s.Step(now, signaling.OpenedEvent(signaling.Pass{Room: "room", Node: "there"}))
	s.Step(now, signaling.Detached())
	if done := signaling.Tell(s.Step(now, signaling.Torn("there"))); len(done) != 0 {
		t.Errorf("without a socket: %v", done)
	}
	if done := signaling.Tell(s.Step(now, signaling.Attached())); len(done) != 1 || done[0].What != "reenter" {
		t.Errorf("with a socket again: %v", done)
	}
}

// TestMoved: who comes back to a room that has moved in this very moment is sent after it.
func TestMoved(t *testing.T) {
	now := time.Unix(1e9, 0)
	at := func(id string) signaling.Address { return signaling.Address{Node: "one", ID: id} }
	r := signaling.NewRoom(at("room"))
	r.Passes(now, signaling.Enter{From: at("ana"), Member: "a"})
	passes := r.Passes(now, signaling.Enter{From: at("bo"), Member: "b"})
	if told := r.Tells(now, signaling.HomeIs("two")); len(told) != 2 {
		t.Errorf("%v are told that the room moves", told)
	}
	told := r.Step(now, signaling.Reenters(at("bo"), passes[1]))
	if len(told) != 1 {
		t.Errorf("who comes late is told %v", told)
	}
	if late := r.Passes(now, signaling.Reenters(at("bo"), passes[1])); len(late) != 0 {
		t.Errorf("who comes late comes in: %v", late)
	}
}

// TestNobodyCame: a search goes on after a call to which nobody came, also for one who has heard the
// peer a moment ago: the peer may have heard nothing. Later it does not.
func TestNobodyCame(t *testing.T) {
	goesOn := []signaling.Done{{What: "frame:aborted", About: "peer"}, {What: "join"}}
	for name, c := range map[string]struct {
		heard bool
		after time.Duration
		want  []signaling.Done
	}{
		"nothing heard":           {false, 0, goesOn},
		"nothing for two minutes": {false, 2 * time.Minute, goesOn},
		"heard":                   {true, 59 * time.Second, goesOn},
		"heard long ago":          {true, time.Minute, []signaling.Done{{What: "frame:ended"}}},
	} {
		now := time.Unix(1e9, 0)
		s := signaling.NewSession(now)
		step := func(e signaling.Event) []signaling.Done { return signaling.Tell(s.Step(now, e)) }
		step(signaling.Attached())
		ticket := step(signaling.Finds(signaling.Find{Languages: []string{"en"}, Widen: true}))[0].About
		step(signaling.Offers(matcher.Offer{Match: "room", Ticket: ticket, PeerNode: "there", Language: "en", Deadline: now.Add(time.Second)}))
		step(signaling.Said(signaling.Confirm{Match: "room"}))
		step(signaling.WentLive("room"))
		if done := step(signaling.OpenedEvent(signaling.Pass{Room: "room", Node: "there"})); len(done) != 2 || done[1].What != "other" {
			t.Errorf("the room is not told that the session knows of it: %v", done)
		}
		if c.heard {
			step(signaling.Heard{Say: &signaling.Say{Room: "room", From: "you"}})
		}
		if said := signaling.Met(s.Step(now, signaling.Torn("there"))); said != c.heard {
			t.Errorf("%s: it says %v", name, said)
		}
		now = now.Add(c.after)
		if at := s.Deadline(); !at.IsZero() && !at.After(now) {
			step(signaling.Tick())
		}
		if at := s.Deadline(); at.IsZero() == (c.heard && c.after < time.Minute) {
			t.Errorf("%s: looks again at %v", name, at)
		}
		done := step(signaling.Failed{Room: "room"})
		for i := range done {
			if done[i].What == "join" {
				done[i].About = ""
			}
		}
		if !slices.Equal(done, c.want) {
			t.Errorf("%s: %v", name, done)
		}
	}
}

// TestLeftSession: what a session said that the browser has left arrives after a later one came
// back. It would be out of order.
func TestLeftSession(t *testing.T) {
	now := time.Unix(1e9, 0)
	at := func(id string) signaling.Address { return signaling.Address{Node: "one", ID: id} }
	r := signaling.NewRoom(at("room"))
	r.Passes(now, signaling.Enter{From: at("ana"), Member: "a"})
	pass := r.Passes(now, signaling.Enter{From: at("bo"), Member: "b"})[1]
	says := func(from string) signaling.ToRoom { return &signaling.Say{Sender: at(from), From: "b", To: "a"} }
	if told := r.Tells(now, says("bo")); len(told) != 1 || told[0] != at("ana") {
		t.Errorf("before: %v are told", told)
	}
	pass.Turn = now.UnixMilli()
	r.Tells(now, signaling.Reenters(at("bo-2"), pass))
	if told := r.Tells(now, says("bo")); len(told) != 1 || told[0] != at("bo") {
		t.Errorf("from the session that was left: %v are told", told)
	}
	if told := r.Tells(now, says("bo-2")); len(told) != 1 || told[0] != at("ana") {
		t.Errorf("from the present session: %v are told", told)
	}
}
