package signaling_test

import (
	"fmt"
	"testing"
	"time"

	"parley/moderation"
	"parley/signaling"
)

// crowd is a room that the store has told this node to carry.
type crowd struct {
	t    *testing.T
	now  time.Time
	room signaling.Room
}

func newCrowd(t *testing.T, kind signaling.RoomKind, r signaling.Record) *crowd {
	c := &crowd{t: t, now: time.Unix(1e9, 0), room: signaling.NewPrivateRoom(signaling.Address{Node: "one", ID: "room"}, kind)}
	first := signaling.Come{From: at("first"), Member: "first", Device: moderation.Device{Token: "first", Net: "net 0"}, Kind: kind}
	if w := c.room.Do(c.now, first); len(w.Holds) != 1 || len(w.Told) != 0 {
		t.Fatalf("who comes first is told %v before the store is asked", w.Told)
	}
	c.room.Do(c.now, signaling.HeldIs("mine", "", r, nil))
	return c
}

func at(id string) signaling.Address { return signaling.Address{Node: "one", ID: id} }

// comes returns what somebody is told who comes to the door: "in", "waits" or why not.
func (c *crowd) comes(id, device, network string, kind signaling.RoomKind) string {
	c.t.Helper()
	answer := ""
	w := c.room.Do(c.now, signaling.Come{From: at(id), Member: id, Device: moderation.Device{Token: device, Net: network}, Kind: kind})
	for _, told := range w.Told {
		if told.To != at(id) {
			continue
		}
		switch l := told.Letter.(type) {
		case signaling.Welcomed:
			answer += "in"
		case signaling.Waits:
			answer += "waits"
		case signaling.Turned:
			answer += string(l.Why)
		default:
			c.t.Fatalf("%s is told %T", id, l)
		}
	}
	return answer
}

// TestCrowd: nobody can fill a channel from one network, 64 are the most, and it is the others' as
// before when some leave.
func TestCrowd(t *testing.T) {
	const kind = signaling.ChannelRoom
	c := newCrowd(t, kind, signaling.Record{Life: "life", Capacity: signaling.Visitors})
	for i := 1; i <= 80; i++ {
		want := "in"
		if i%20 > 15 || i >= 76 { // 16 of each network, the first one among them
			want = "crowded"
		}
		net := fmt.Sprint("net ", i/20)
		if got := c.comes(fmt.Sprint(i), fmt.Sprint(i), net, kind); got != want {
			t.Fatalf("visitor %d, of %s, is told %q, want %q", i, net, got, want)
		}
	}
	if n := len(c.room.Inside()); n != signaling.Visitors {
		t.Fatalf("%d visitors", n)
	}
	if got := c.comes("late", "late", "", kind); got != "crowded" {
		t.Errorf("one more is told %q", got)
	}
	c.room.Do(c.now, signaling.Went{From: at("7"), Member: "7", Why: signaling.EndLeft})
	if got := c.comes("later", "later", "net 9", kind); got != "in" {
		t.Errorf("when one has left, the next is told %q", got)
	}
}

// TestDoor: so many may stand at a door, one of each device, and turning it off lets in as many as
// there is room for.
func TestDoor(t *testing.T) {
	const kind = signaling.LinkRoom
	c := newCrowd(t, kind, signaling.Record{Life: "life", Capacity: 4, Knock: true, Left: time.Hour})
	for i := 1; i <= signaling.AtDoorMost+1; i++ {
		want := "waits"
		if i > signaling.AtDoorMost {
			want = "full"
		}
		if got := c.comes(fmt.Sprint(i), fmt.Sprint(i), "", kind); got != want {
			t.Fatalf("caller %d is told %q, want %q", i, got, want)
		}
	}
	w := c.room.Do(c.now, signaling.Went{From: at("1"), Member: "1", Why: signaling.EndLeft})
	if len(w.Told) != 1 || w.Told[0].Letter != (signaling.Knocked{Room: "room", Who: "1", State: signaling.KnockGone}) {
		t.Errorf("when one goes away: %+v", w.Told)
	}
	if got := c.comes("2 again", "2", "", kind); got != "waits" {
		t.Errorf("a second tab at the door is told %q", got)
	}
	in, full := 0, 0
	for _, told := range c.room.Do(c.now, signaling.Turns{From: at("first"), Member: "first", Knock: false}).Told {
		switch told.Letter.(type) {
		case signaling.Welcomed:
			in++
		case signaling.Turned:
			full++
		default:
		}
	}
	if in != 3 || full != 4 {
		t.Errorf("%d come in and %d are turned away, want 3 and 4", in, full)
	}
}

// TestProbes: a stranger can say eight small things to somebody who does not answer, and as much
// as the rates allow once that one has answered twice.
func TestProbes(t *testing.T) {
	const kind = signaling.ChannelRoom
	c := newCrowd(t, kind, signaling.Record{Life: "life", Capacity: signaling.Visitors})
	if got := c.comes("eve", "eve", "", kind); got != "in" {
		t.Fatal(got)
	}
	say := func(from, to string, size int) string {
		w := c.room.Do(c.now, &signaling.Say{Room: "room", Sender: at(from), From: from, To: to, Tail: make([]byte, size)})
		if len(w.Told) != 1 {
			t.Fatalf("%+v", w.Told)
		}
		if no, is := w.Told[0].Letter.(signaling.Undelivered); is {
			return string(no.Code)
		}
		return ""
	}
	want := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	want("large", say("eve", "first", 5000), "too_many")
	for range signaling.Probes {
		want("small", say("eve", "first", 100), "")
	}
	want("one more", say("eve", "first", 100), "too_many")
	want("an answer, small", say("first", "eve", 100), "")
	want("after one answer", say("eve", "first", 100), "too_many")
	want("who was answered says anything", say("first", "eve", 30_000), "")
	want("after two answers", say("eve", "first", 30_000), "")
	want("in somebody else's name", func() string {
		w := c.room.Do(c.now, &signaling.Say{Room: "room", Sender: at("eve"), From: "first", To: "eve", Tail: []byte("x")})
		return string(w.Told[0].Letter.(signaling.Undelivered).Code)
	}(), "peer_busy")

	// Who goes and comes back is a stranger again.
	c.room.Do(c.now, signaling.Went{From: at("eve"), Member: "eve", Why: signaling.EndLeft})
	c.comes("eve", "eve", "", kind)
	want("after she was away", say("eve", "first", 5000), "too_many")
}
