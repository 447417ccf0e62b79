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
	people := &crowd{cfg: simulate.Config{Rate: 8, People: 80, For: time.Minute, Ramp: time.Second, Behaviour: restless()}}
	h.parts = true
	h.visit(t, people, func(end context.CancelFunc) {
		defer end()
		h.pause(t.Context(), 5*time.Second)
		h.tear(t)
		h.pause(t.Context(), calm)
	})
	h.judge(t, people)
	if h.counts["calls begun on the new side"] == 0 {
		t.Errorf("nobody was paired while the network was split: %v", h.counts)
	}
}

// tear is one split.
func (h *house) tear(t *testing.T) {
	old, n := h.set.Primary(), h.one()
	h.set.Split(old.Pid(), n.Pid())
	h.pause(t.Context(), time.Second)
	before := records(t.Context(), old)
	h.pause(t.Context(), 5*time.Second)
	young := h.set.Primary()
	if young == old {
		t.Error("nobody has replaced the primary")
	}
	first := records(t.Context(), young)
	h.door.Cut(n.host) // its people come back to any node
	h.pause(t.Context(), 6*time.Second)
	h.counts["calls begun on the old side"] += records(t.Context(), old) - before
	h.counts["calls begun on the new side"] += records(t.Context(), young) - first
	h.set.Join()
	h.set.Settled()
}

// records is how many calls a server knows of. Records outlive the test.
func records(ctx context.Context, s *vtest.Server) int {
	return len(s.Client().Keys(ctx, strings.ReplaceAll(retention.Call.Format(), "%s", "*")).Val())
}
