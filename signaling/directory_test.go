package signaling_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"parley/internal/keyring"
	"parley/internal/vtest"
	"parley/retention"
	"parley/signaling"
)

// shelf is what the store keeps of one tag, in Go: the model of the scripts open, carry and end.
type shelf struct {
	there, burnt bool
	home         string
	kept         signaling.Record
	ends         time.Time // of what is kept; the model of the room sets it
}

func (s *shelf) open(node, dead, by string, r signaling.Record) (state, home string) {
	switch {
	case s.burnt:
		return "burnt", ""
	case !s.there && by == "enter":
		return "unknown", ""
	case !s.there:
		r.Used = by == "back"
		s.there, s.home, s.kept = true, node, r
	case s.kept.Life != r.Life && by == "make":
		return "taken", ""
	case s.kept.Life != r.Life && by == "back":
		return "over", ""
	case s.home == "" || s.home == dead:
		s.home = node
	}
	return "open", s.home
}

func (s *shelf) carry(node string, r signaling.Record) (state, home string, kept signaling.Record) {
	switch {
	case s.burnt:
		return "burnt", "", kept
	case !s.there && r.Life == "":
		return "unknown", "", kept
	case s.there && s.home != "" && s.home != node:
		return "elsewhere", s.home, kept
	case s.there && r.Life != "" && s.kept.Life != r.Life:
		return "over", "", kept
	}
	s.there, s.home = true, node
	if r.Life != "" {
		s.kept = r
	}
	return "mine", "", s.kept
}

func (s *shelf) end(node, by string) {
	switch {
	case s.there && s.home != "" && s.home != node:
	case by == "free":
		s.home = ""
	default:
		s.there, s.burnt = false, s.burnt || by == "burn"
	}
}

// TestDirectory: whatever nodes do, the scripts do what the model does, and nothing stays that is
// not declared.
func TestDirectory(t *testing.T) {
	for _, e := range vtest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			rdb, ring := e.Start(t), keyring.New()
			run := 0
			rapid.Check(t, func(rt *rapid.T) {
				run++
				directory(rt, rdb, ring, fmt.Sprint("tag ", run))
			})
			faults, err := retention.Audit(t.Context(), rdb)
			if err != nil || len(faults) > 0 {
				t.Error(faults, err)
			}
		})
	}
}

func directory(rt *rapid.T, rdb redis.UniversalClient, ring *keyring.Ring, tag string) {
	ctx, model, dead := rt.Context(), new(shelf), map[string]bool{}
	nodes := map[string]signaling.Directory{}
	for _, node := range []string{"one", "two", "three"} {
		nodes[node] = signaling.NewDirectory(rdb, ring, node, func(n string) bool { return !dead[n] })
	}
	id := nodes["one"].Name(signaling.LinkRoom, tag)
	some := func(rt *rapid.T) (string, signaling.Record) {
		return rapid.SampledFrom([]string{"one", "two", "three"}).Draw(rt, "node"), signaling.Record{
			Life: rapid.SampledFrom([]string{"a", "b"}).Draw(rt, "life"), Capacity: rapid.IntRange(2, 8).Draw(rt, "capacity"),
			Knock: rapid.Bool().Draw(rt, "knock"), Used: rapid.Bool().Draw(rt, "used"),
		}
	}
	rt.Repeat(map[string]func(*rapid.T){
		"find": func(rt *rapid.T) {
			node, r := some(rt)
			if dead[node] {
				return
			}
			by := rapid.SampledFrom([]string{"make", "enter", "channel", "back"}).Draw(rt, "by")
			state, home, err := nodes[node].Find(ctx, id, by, r)
			wantState, wantHome := model.open(node, "", by, r)
			if wantState == "open" && dead[wantHome] {
				wantState, wantHome = model.open(node, wantHome, by, r)
			}
			if err != nil || state != wantState || home != wantHome {
				rt.Fatalf("%s %ss: %s %q %v, want %s %q", node, by, state, home, err, wantState, wantHome)
			}
		},
		"hold": func(rt *rapid.T) {
			node, r := some(rt)
			if rapid.Bool().Draw(rt, "reads") {
				r = signaling.Record{}
			}
			state, home, kept := nodes[node].Hold(ctx, id, r)
			wantState, wantHome, wantKept := model.carry(node, r)
			kept.Left, wantKept.Left = 0, 0
			if state != wantState || home != wantHome || kept != wantKept {
				rt.Fatalf("%s holds %+v: %s %q %+v, want %s %q %+v", node, r, state, home, kept, wantState, wantHome, wantKept)
			}
		},
		"release": func(rt *rapid.T) {
			node, _ := some(rt)
			by := rapid.SampledFrom([]string{"free", "drop", "burn"}).Draw(rt, "by")
			if by == "burn" && rapid.IntRange(0, 3).Draw(rt, "seldom") > 0 {
				return // it is the last that happens
			}
			if err := nodes[node].Release(ctx, id, by); err != nil {
				rt.Fatal(err)
			}
			model.end(node, by)
		},
		"dies": func(rt *rapid.T) {
			node, _ := some(rt)
			dead[node] = !dead[node]
		},
	})
}

// TestTagsAreNotKept: the name of a room in the store says nothing without the key file, and is
// another for each kind and installation.
func TestTagsAreNotKept(t *testing.T) {
	names := map[string]bool{}
	for range 2 {
		d := signaling.NewDirectory(nil, keyring.New(), "one", nil)
		for _, kind := range []signaling.RoomKind{signaling.LinkRoom, signaling.ChannelRoom} {
			names[d.Name(kind, "tag")] = true
		}
		if again := d.Name(signaling.LinkRoom, "tag"); !names[again] || len(again) != 32 {
			t.Errorf("the name is %q now", again)
		}
	}
	if len(names) != 4 {
		t.Errorf("%d names of 4", len(names))
	}
}
