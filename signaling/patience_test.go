package signaling_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"parley/matcher"
	"parley/signaling"
)

// event is a letter to a room at a time.
type event struct {
	at     time.Duration
	letter signaling.ToRoom
}

// TestPatience: how long a room waits for whom, and what it says when nobody comes. Ana is on its
// node, Bo on another.
func TestPatience(t *testing.T) {
	const s = time.Second
	ana, bo, later := signaling.Address{Node: "one", ID: "ana"}, signaling.Address{Node: "two", ID: "bo"}, signaling.Address{Node: "three", ID: "bo"}
	knows := signaling.Present{From: bo, Member: "b"}
	says := func(who signaling.Address, member, to string) signaling.ToRoom {
		return &signaling.Say{Room: "room", Sender: who, From: member, To: to}
	}
	again := signaling.Alone(ana, signaling.Pass{Room: "room", Member: "a", Peer: "b"})
	back := signaling.Reenters(later, signaling.Pass{Room: "room", Member: "b", Peer: "a"})
	fell := signaling.Fell("two")
	for name, c := range map[string]struct {
		events []event
		want   []string // of a member's being told, or of the end; envelopes left out
	}{
		"bo does not know": {
			nil, []string{"5s ana Failed", "5s bo Failed", "35s forgotten"},
		},
		"bo knows": {[]event{{s, knows}}, nil},
		"bo's socket is lost, so he knows": {
			[]event{{s, signaling.Missing{From: bo, Member: "b"}}}, []string{"1s ana PeerIs away"},
		},
		"somebody else says that bo knows": {
			[]event{{s, signaling.Present{From: later, Member: "b"}}}, []string{"5s ana Failed", "5s bo Failed", "35s forgotten"},
		},
		"ana speaks, and bo does not know": {
			[]event{{s, says(ana, "a", "b")}}, []string{"5s ana Failed", "5s bo Failed", "35s forgotten"},
		},
		"bo asks again": {
			[]event{{s, signaling.Enter{From: bo, Member: "b"}}}, []string{"1s bo Opened", "5s ana Failed", "5s bo Failed", "35s forgotten"},
		},
		"bo asks again too late": {
			[]event{{6 * s, signaling.Enter{From: bo, Member: "b"}}}, []string{"5s ana Failed", "5s bo Failed", "6s bo Failed", "35s forgotten"},
		},
		"bo leaves before he knows": {
			[]event{{s, signaling.Went{From: bo, Member: "b", Why: signaling.EndLeft}}}, []string{"1s ana Failed", "1s forgotten"},
		},
		"bo leaves": {
			[]event{{s, knows}, {2 * s, signaling.Went{From: bo, Member: "b", Why: signaling.EndLeft}}}, []string{"2s ana Over peer_left", "2s forgotten"},
		},
		"bo is lost without a word": {
			[]event{{s, knows}, {2 * s, signaling.Went{From: bo, Member: "b", Why: signaling.EndPeerLost}}}, []string{"2s ana Failed", "2s forgotten"},
		},
		"bo is lost after a word": {
			[]event{{s, says(bo, "b", "a")}, {2 * s, signaling.Went{From: bo, Member: "b", Why: signaling.EndPeerLost}}},
			[]string{"2s ana Over peer_lost", "2s forgotten"},
		},
		"bo's node dies without a word": {
			[]event{{s, knows}, {10 * s, fell}}, []string{"10s ana PeerIs away", "15s ana Failed", "45s forgotten"},
		},
		"bo's node dies before he knows": {
			[]event{{3 * s, fell}}, []string{"3s ana PeerIs away", "5s ana Failed", "35s forgotten"},
		},
		"bo's node dies after a word": {
			[]event{{s, says(bo, "b", "a")}, {10 * s, fell}}, []string{"10s ana PeerIs away", "40s ana Over peer_lost", "40s forgotten"},
		},
		"bo's node dies after a wish": {
			[]event{{s, signaling.Want{From: bo, Member: "b"}}, {10 * s, fell}},
			[]string{"1s bo Granted", "10s ana PeerIs away", "40s ana Over peer_lost", "40s forgotten"},
		},
		"ana speaks while bo is missing": {
			[]event{{s, says(bo, "b", "a")}, {10 * s, fell}, {11 * s, says(ana, "a", "b")}},
			[]string{"10s ana PeerIs away", "40s ana Over peer_lost", "40s forgotten"},
		},
		"bo comes back in time": {
			[]event{{s, says(bo, "b", "a")}, {10 * s, fell}, {39 * s, back}},
			[]string{"10s ana PeerIs away", "39s bo Opened", "39s ana PeerIs back"},
		},
		"bo comes back, and his node dies too": {
			[]event{{s, knows}, {10 * s, fell}, {12 * s, back}, {20 * s, signaling.Fell("three")}},
			[]string{"10s ana PeerIs away", "12s bo Opened", "12s ana PeerIs back", "20s ana PeerIs away", "50s ana Over peer_lost", "50s forgotten"},
		},
		"ana comes back while bo does not know": {
			[]event{{s, again}}, []string{"1s ana Opened", "1s bo PeerIs back", "5s ana Failed", "5s bo Failed", "35s forgotten"},
		},
		"bo comes back to a call that never was": {
			[]event{{s, knows}, {10 * s, fell}, {16 * s, back}}, []string{"10s ana PeerIs away", "15s ana Failed", "16s bo Failed", "45s forgotten"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Unix(1e9, 0)
			r := signaling.NewRoom(signaling.Address{Node: "one", ID: "room"})
			r.Letters(began, signaling.Enter{From: ana, Member: "a"})
			r.Letters(began, signaling.Enter{From: bo, Member: "b"})
			if told := tells(r, began, c.events); !slices.Equal(told, c.want) {
				t.Errorf("told\n%q, want\n%q", told, c.want)
			}
		})
	}
}

// TestPatienceAnew: how long a room that was made anew waits for the other. Bo makes it.
func TestPatienceAnew(t *testing.T) {
	const s = time.Second
	ana, bo := signaling.Address{Node: "three", ID: "ana"}, signaling.Address{Node: "two", ID: "bo"}
	alone := signaling.Alone(bo, signaling.Pass{Room: "room", Member: "b", Peer: "a"})
	met := signaling.Reenters(bo, signaling.Pass{Room: "room", Member: "b", Peer: "a"})
	too := signaling.Reenters(ana, signaling.Pass{Room: "room", Member: "a", Peer: "b"})
	began := []string{"0s bo Opened", "0s bo PeerIs away"}
	for name, c := range map[string]struct {
		events []event
		want   []string
	}{
		"bo has heard ana":     {[]event{{0, met}}, []string{"30s bo Over peer_lost", "30s forgotten"}},
		"bo has heard nothing": {[]event{{0, alone}}, []string{"10s bo Failed", "40s forgotten"}},
		"bo has heard nothing, and asks again": {
			[]event{{0, alone}, {5 * s, alone}}, []string{"5s bo Opened", "5s bo PeerIs away", "10s bo Failed", "40s forgotten"},
		},
		"ana comes in time": {[]event{{0, alone}, {9 * s, too}}, []string{"9s ana Opened", "9s bo PeerIs back"}},
		"ana comes too late": {
			[]event{{0, alone}, {11 * s, too}}, []string{"10s bo Failed", "11s ana Failed", "40s forgotten"},
		},
		"ana comes after half a minute": {[]event{{0, met}, {29 * s, too}}, []string{"29s ana Opened", "29s bo PeerIs back"}},
		"ana comes, and her node dies too": {
			[]event{{0, alone}, {9 * s, too}, {20 * s, signaling.Fell("three")}},
			[]string{"9s ana Opened", "9s bo PeerIs back", "20s bo PeerIs away", "50s bo Over peer_lost", "50s forgotten"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := signaling.NewRoom(signaling.Address{Node: "two", ID: "room"})
			if told, want := tells(r, time.Unix(1e9, 0), c.events), slices.Concat(began, c.want); !slices.Equal(told, want) {
				t.Errorf("told\n%q, want\n%q", told, want)
			}
		})
	}
}

// tells plays the events of two minutes, and returns what the room told.
func tells(r signaling.Room, began time.Time, events []event) (told []string) {
	step := func(at time.Duration, l signaling.ToRoom) {
		for _, said := range r.Letters(began.Add(at), l) {
			if !slices.Contains([]string{"ana Heard", "bo Heard", "ana Undelivered"}, said) {
				told = append(told, fmt.Sprint(at, " ", said))
			}
		}
	}
	for at := time.Duration(0); at <= 2*time.Minute; at += time.Second {
		for _, e := range events {
			if e.at == at {
				step(at, e.letter)
			}
		}
		if d := r.Deadline(); !d.IsZero() && !d.After(began.Add(at)) {
			step(at, signaling.RoomTick())
		}
	}
	return told
}

// TestMatchWithoutAnAnswer: the store does not say what became of a match that was confirmed. The
// session asks again and again, and 5 s after the time of the match it searches on with a new ticket,
// also when it waits for an answer yet. A word that the match is live comes too late then.
func TestMatchWithoutAnAnswer(t *testing.T) {
	now := time.Unix(1e9, 0)
	deadline, away := now.Add(4*time.Second), errors.New("away")
	s := signaling.NewSession(now)
	step := func(e signaling.Event) []signaling.Done { return signaling.Tell(s.Step(now, e)) }
	step(signaling.Attached())
	ticket := step(signaling.Finds(signaling.Find{Languages: []string{"en"}, Widen: true}))[0].About
	step(signaling.Offers(matcher.Offer{Match: "room", Ticket: ticket, PeerNode: "there", Language: "en", Deadline: deadline}))
	step(signaling.Said(signaling.Confirm{Match: "room"}))
	for asked := 0; ; asked++ {
		step(signaling.ConfirmedEvent("room", matcher.Gone, away))
		if now = s.Deadline(); now.Sub(deadline) >= 5*time.Second || asked == 20 {
			break
		}
		if done := step(signaling.Tick()); len(done) != 1 || (done[0].What != "confirm" && done[0].What != "ask") {
			t.Fatalf("%v after the match it does %v", now.Sub(deadline), done)
		}
		if now.Sub(deadline) > 3*time.Second {
			now = s.Deadline() // the last question has no answer at all
			break
		}
	}
	if late := now.Sub(deadline); late != 5*time.Second {
		t.Errorf("it gives the match up after %v", late)
	}
	done := step(signaling.Tick())
	if len(done) != 3 || done[0].What != "abort" || done[1].What != "frame:aborted" || done[2].What != "join" || done[2].About == ticket {
		t.Errorf("it gives the match up by %v", done)
	}
	if done := step(signaling.WentLive("room")); len(done) > 0 {
		t.Errorf("it comes into the call all the same: %v", done)
	}
}
