package signaling_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"parley/signaling"
)

// TestLooksElsewhere: a node that was frozen does not know that it was taken for dead. Somebody who
// is away from a room of its may be in the same call on another node, so the room asks, until they
// are back.
func TestLooksElsewhere(t *testing.T) {
	const s = time.Second
	ana, bo := signaling.Address{Node: "one", ID: "ana"}, signaling.Address{Node: "one", ID: "bo"}
	began := time.Unix(1e9, 0)
	open := func() signaling.Room {
		r := signaling.NewRoom(signaling.Address{Node: "one", ID: "room"})
		r.Letters(began, signaling.Enter{From: ana, Member: "a"})
		r.Letters(began, signaling.Enter{From: bo, Member: "b"})
		r.Letters(began, &signaling.Say{Room: "room", Sender: ana, From: "a", To: "b"})
		r.Letters(began, &signaling.Say{Room: "room", Sender: bo, From: "b", To: "a"})
		return r
	}
	away := signaling.Missing{From: bo, Member: "b"}
	for name, c := range map[string]struct {
		events []event
		want   []string
	}{
		"nobody is away":        {nil, nil},
		"bo is away":            {[]event{{s, away}}, []string{"3s looks", "5s looks", "7s looks", "9s looks"}},
		"bo is away for a time": {[]event{{s, away}, {4 * s, signaling.Present{From: bo, Member: "b"}}}, []string{"3s looks"}},
		"both are away, and ana comes back": {
			[]event{{s, away}, {s, signaling.Missing{From: ana, Member: "a"}}, {4 * s, signaling.Present{From: ana, Member: "a"}}},
			[]string{"3s looks", "5s looks", "7s looks", "9s looks"},
		},
		"his node is dead": {[]event{{s, signaling.Fell("one")}}, []string{"3s claims", "5s claims", "7s claims", "9s claims"}},
		"it is elsewhere":  {[]event{{s, away}, {4 * s, signaling.HomeIs("two")}}, []string{"3s looks"}},
		"it is here":       {[]event{{s, away}, {8 * s, signaling.HomeIs("one")}}, []string{"3s looks", "5s looks", "7s looks", "9s looks"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, got := open(), []string(nil)
			note := func(at time.Duration, l signaling.ToRoom) {
				for _, word := range r.Seeks(began.Add(at), l) {
					got = append(got, fmt.Sprint(at, " ", word))
				}
			}
			rest := c.events
			for at := time.Duration(0); at < 10*s; at += s {
				for len(rest) > 0 && rest[0].at == at {
					note(at, rest[0].letter)
					rest = rest[1:]
				}
				if end := r.Deadline(); !end.IsZero() && !began.Add(at).Before(end) {
					note(at, signaling.RoomTick())
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("it %q, want %q", got, c.want)
			}
		})
	}
	r := open()
	r.Letters(began.Add(s), away)
	if told := r.Letters(began.Add(4*s), signaling.HomeIs("two")); !slices.Contains(told, "ana Moved") {
		t.Errorf("the room is elsewhere: %q", told)
	}
}
