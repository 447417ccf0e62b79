package chaos_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"parley/internal/simulate"
	"parley/internal/vtest"
	"parley/retention"
)

// TestSplit keeps the primary and one node away from everything else for longer than all times of a
// search and a match. People are on both sides, and some come back to the other side. The old primary
// may go on pairing those on its own, the new one pairs the others: nobody is in two calls.
func TestSplit(t *testing.T) {
	length(t)
	t.Parallel()
	h := newHouse(t)
	h.set = vtest.StartSplittable(t)
	h.furnish(t, func(*node) string { return h.set.URL() })
	people := &crowd{cfg: simulate.Config{Rate: 8, People: 80, For: 3 * time.Minute, Ramp: time.Second, Behaviour: restless()}}
	h.parts = true
	h.visit(t, people, func(end context.CancelFunc) {
		defer end()
		h.pause(t.Context(), 5*time.Second)
		h.tear(t)
		h.pause(t.Context(), calm)
	})
	h.judge(t, people)
}

// tear is one split.
func (h *house) tear(t *testing.T) {
	old, n := h.set.Primary(), h.one()
	h.set.Split(old.Pid(), n.Pid())
	h.pause(t.Context(), time.Second)
	before := records(t.Context(), old)
	h.eventually(t, "nobody has replaced the primary", func() bool { return h.set.Primary() != old })
	h.pause(t.Context(), 4*time.Second) // for the nodes on that side to find it
	young := h.set.Primary()
	first := records(t.Context(), young)
	h.door.Cut(n.host) // its people come back to any node
	h.pause(t.Context(), 6*time.Second)
	h.eventually(t, "nobody was paired on the new side", func() bool { return records(t.Context(), young) > first })
	h.counts["calls begun on the old side"] += records(t.Context(), old) - before
	h.counts["calls begun on the new side"] += records(t.Context(), young) - first
	h.set.Join()
	h.set.Settled()
}

// eventually waits for something, which must come about: for long, as a busy machine may be slow.
func (h *house) eventually(t *testing.T, fault string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); h.pause(t.Context(), 50*time.Millisecond) {
		if time.Now().After(deadline) {
			t.Errorf("%s: %v", fault, h.counts)
			return
		}
	}
}

// records is how many calls a server knows of. Records outlive the test.
func records(ctx context.Context, s *vtest.Server) int {
	return len(s.Client().Keys(ctx, strings.ReplaceAll(retention.Call.Format(), "%s", "*")).Val())
}
