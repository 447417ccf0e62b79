package signaling_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/vtest"
	"parley/moderation"
	"parley/signaling"
)

// TestRoomTellsOfACallOnce: whoever carries a room when its call ends says who talked and for how
// long, wherever the room has been meanwhile; nobody else does.
func TestRoomTellsOfACallOnce(t *testing.T) {
	now := time.Unix(1e9, 0)
	at := func(node, id string) signaling.Address { return signaling.Address{Node: node, ID: id} }
	ana := signaling.Enter{From: at("one", "ana"), Member: "a", Device: moderation.Device{Token: "A", Digest: "dA", Net: "nA", Fresh: true}}
	bo := signaling.Enter{From: at("one", "bo"), Member: "b", Device: moderation.Device{Token: "B", Net: "nB"}}
	open := func() (signaling.Room, []signaling.Pass) {
		r := signaling.NewRoom(at("one", "room"))
		r.Step(now, ana)
		return r, r.Passes(now, bo)
	}
	want := func(what string, got []signaling.Talk, calls int, length time.Duration) {
		t.Helper()
		if len(got) != calls {
			t.Fatalf("%s: %d calls are told of, want %d", what, len(got), calls)
		}
		if calls > 0 && (got[0].A != ana.Device || got[0].B != bo.Device || got[0].Length != length) {
			t.Errorf("%s: %+v, want %v", what, got[0], length)
		}
	}
	leaves := signaling.Went{From: bo.From, Member: "b", Why: signaling.EndLeft}

	r, _ := open()
	want("a call of a minute", r.Talks(now.Add(time.Minute), leaves), 1, time.Minute)
	want("what comes later", r.Talks(now.Add(time.Minute), leaves), 0, 0)

	r = signaling.NewRoom(at("one", "room"))
	r.Step(now, ana)
	want("nobody came", r.Talks(now.Add(time.Minute), signaling.RoomTick()), 0, 0)

	// The node seems dead. Both come back to another, and the first one learns of that.
	r, passes := open()
	second := signaling.NewRoom(at("two", "room"))
	second.Step(now.Add(time.Minute), signaling.Reenters(at("two", "ana"), passes[0]))
	second.Step(now.Add(time.Minute), signaling.Reenters(at("two", "bo"), passes[1]))
	want("a room that was left to another node", r.Talks(now.Add(2*time.Minute), signaling.HomeIs("two")), 0, 0)
	leaves.From = at("two", "bo")
	want("the room that was made anew", second.Talks(now.Add(3*time.Minute), leaves), 1, 3*time.Minute)

	// A pass of a call that is over makes no call of it.
	second = signaling.NewRoom(at("two", "room"))
	second.Step(now.Add(time.Hour), signaling.Reenters(at("two", "ana"), passes[0]))
	want("only one came back", second.Talks(now.Add(2*time.Hour), signaling.RoomTick()), 0, 0)
}

// TestCallsAreCounted: a call that ends shows in the counters of both sides.
func TestCallsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.play("testdata/transcripts/parts/pair.txt")
		s.redis.Pass(20 * time.Second)
		if err := s.line(`bo > {"t":"leave","c":3,"a":2}`); err != nil {
			t.Fatal(err)
		}
		s.redis.Pass(time.Second)
		if n := s.count(":window:"); n != 2 {
			t.Errorf("%d windows of two devices", n)
		}
	})
}

// TestSearchesAreCounted: against the device, and against the network that the door names.
func TestSearchesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.vars["$i"] = float64(1)
		for _, line := range []string{"ana arrives", "ana searches"} {
			if err := s.line(line); err != nil {
				t.Fatal(err)
			}
		}
		if n := s.count(":budget:"); n != 2 {
			t.Errorf("%d budgets, want that of the device and that of the network", n)
		}
	})
}

// count returns how many keys have a part in their name.
func (s *stage) count(part string) (n int) {
	s.t.Helper()
	keys, err := vtest.AllKeys(s.t.Context(), s.redis.Client)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, key := range keys {
		if strings.Contains(key, part) {
			n++
		}
	}
	return n
}

// TestLastKnownBand: while the store is away the last band counts, for ten minutes.
func TestLastKnownBand(t *testing.T) {
	now := time.Unix(1e9, 0)
	for _, c := range []struct {
		band  moderation.Band
		after time.Duration
		want  moderation.Band
	}{
		{moderation.Watch, time.Minute, moderation.Watch},
		{moderation.Restricted, 10*time.Minute - 1, moderation.Restricted},
		{moderation.Restricted, 10 * time.Minute, moderation.Clear},
		{moderation.Cooldown, 4 * time.Minute, moderation.Cooldown},
		{moderation.Cooldown, 5 * time.Minute, moderation.Restricted}, // it is over then
	} {
		v := moderation.Verdict{Band: c.band}
		if c.band == moderation.Cooldown {
			v.Until = now.Add(5 * time.Minute)
		}
		if got := signaling.NewKnown(v, now).Counts(now.Add(c.after)); got.Band != c.want {
			t.Errorf("%v after %v counts as %v, want %v", c.band, c.after, got.Band, c.want)
		}
	}
	if got := signaling.NobodyKnown(now); got.Band != moderation.Clear {
		t.Errorf("nothing known counts as %v", got.Band)
	}
}
