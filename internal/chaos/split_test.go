package chaos_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"parley/internal/vtest"
	"parley/retention"
)

// TestSplit keeps the primary and one node away from everything else for longer than all times of a
// search and a match, twice. People are on both sides, and some come back to the other side. The old
// primary goes on pairing those on its own, the new one the others: nobody is in two calls.
func TestSplit(t *testing.T) {
	length(t)
	t.Parallel()
	h := newHouse(t)
	h.set = vtest.StartSplittable(t)
	h.furnish(t, func(*node) string { return h.set.URL() })
	h.faults = []fault{{"network split", func(h *house, ctx context.Context) { h.tear(ctx, t) }}}
	h.play(t, 50*time.Second)
	if h.counts["calls begun on the old side"] == 0 || h.counts["calls begun on the new side"] == 0 {
		t.Errorf("nobody was paired on one side: %v", h.counts)
	}
}

// tear is one split, whose end does not depend on how long the test lasts yet.
func (h *house) tear(ctx context.Context, t *testing.T) {
	primary, n := h.set.Primary(), h.one() //nolint:contextcheck // bounded by itself
	h.set.Split(primary.Pid(), n.Pid())
	h.pause(ctx, 6*time.Second)
	next := h.set.Primary() //nolint:contextcheck // bounded by itself
	if next == primary && ctx.Err() == nil {
		t.Error("nobody has replaced the primary")
	}
	old, young := records(ctx, primary), records(ctx, next)
	h.door.Cut(n.host) // its people come back to any node
	h.pause(ctx, 6*time.Second)
	h.counts["calls begun on the old side"] += records(ctx, primary) - old
	h.counts["calls begun on the new side"] += records(ctx, next) - young
	h.set.Join()
	h.pause(ctx, 3*time.Second)
}

// records is how many calls a server knows of. Records outlive the test.
func records(ctx context.Context, s *vtest.Server) int {
	return len(s.Client().Keys(ctx, strings.ReplaceAll(retention.Call.Format(), "%s", "*")).Val())
}
