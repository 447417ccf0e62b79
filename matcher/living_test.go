package matcher_test

import (
	"slices"
	"testing"
	"time"

	"parley/matcher"
	"parley/retention"
)

func TestAlive(t *testing.T) { engines(t, alive) }

func alive(t *testing.T, e engine) {
	h := newHall(t, e)
	q := h.nodes[0].Queue
	alive := func(when, node string, want bool) {
		t.Helper()
		if q.Alive(named(node)) != want {
			t.Errorf("%s: %s alive: %v", when, node, !want)
		}
	}
	living := func(want ...string) {
		t.Helper()
		for i := range want {
			want[i] = named(want[i])
		}
		if got := q.Living(); !slices.Equal(got, want) {
			t.Errorf("living: %v, want %v", got, want)
		}
	}
	beat := func(after time.Duration) {
		t.Helper()
		if err := e.pass(t.Context(), after); err != nil {
			t.Fatal(err)
		}
		if err := q.Beat(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	living("node-0")
	alive("at its first beat, before the other began", "node-1", false)
	h.wait(second)
	living("node-0", "node-1", "node-2")

	q.Later(4 * second)
	h.nodes[1].silent = true
	h.wait(2 * second)
	alive("in its lease", "node-1", true)
	h.wait(second)
	living("node-0", "node-2")
	alive("after its lease", "node-1", false)
	alive("after a lease", "node-2", true)
	alive("after a lease", "stranger", false)
	alive("after a lease", "node-0", true)

	late := matcher.Edited(e.rdb, matcher.Config{Node: named("late")}, e.edit, widens)
	h.join(0, want('a', en, music))
	c := want('c', en, music)
	c.ID = matcher.NewID()
	if _, err := late.Join(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	alive("before it was met", "late", false)
	if err := q.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	alive("once it was met", "late", true)
	alive("once another was met", "stranger", false)

	q.Later(4 * second)
	alive("while the store is away", "stranger", true)
	beat(4 * second)
	living("node-0")
	alive("when the store is back", "node-2", true)
	q.Later(4 * second)
	beat(second)
	alive("a lease later", "node-2", false)

	if err := e.rdb.Del(t.Context(), retention.Lease.Key()).Err(); err != nil {
		t.Fatal(err)
	}
	beat(second)
	alive("when the store lost its data", "node-2", true)
}
