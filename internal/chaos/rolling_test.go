package chaos_test

import (
	"context"
	"strconv"
	"syscall"
	"testing"
	"time"

	"parley/internal/simulate"
	"parley/internal/vtest"
)

// rollingPeople use three nodes while these are restarted; PARLEY_ROLLING says otherwise.
const rollingPeople = 60

// TestRollingRestart stops one node after the other with SIGTERM and starts it again, as an upgrade
// does, while people search and talk. Nobody loses a place in the queue, and no call ends or is even
// made anew: each node stays for its own.
func TestRollingRestart(t *testing.T) {
	people := plan(t, "PARLEY_ROLLING", rollingPeople, strconv.Atoi)
	h := newHouse(t)
	server := vtest.StartServer(t)
	h.furnish(t, func(*node) string { return server.URL() })
	cfg := simulate.Config{
		Rate: 15, People: people, For: 5 * time.Minute, Ramp: time.Second,
		Behaviour: simulate.Behaviour{
			Talk: 5 * time.Second, Patience: 5 * time.Minute, Next: 0.9, Languages: []string{"en", "es"},
		},
	}
	summary, file := h.visit(t, cfg, func(end context.CancelFunc) {
		h.roll(t.Context(), t)
		end()
	})
	h.judge(t, file, summary)
	for _, none := range []string{"calls rejoined", "ended peer_lost", "envelopes lost", "envelopes given up"} {
		if n := summary.Counts[none]; n > 0 {
			t.Errorf("%d %s", n, none)
		}
	}
}

// roll restarts every node once.
func (h *house) roll(ctx context.Context, t *testing.T) {
	h.pause(ctx, 5*time.Second)
	for _, n := range h.nodes {
		began := time.Now()
		n.Signal(syscall.SIGTERM)
		select {
		case <-n.Ended():
			t.Logf("%s stopped after %v", n.name, time.Since(began).Round(100*time.Millisecond))
		case <-time.After(3 * time.Minute):
			t.Errorf("%s does not stop:\n%s", n.name, n.Said())
			n.Kill()
		}
		n.Start()
		h.counts["node restarted"]++
		h.pause(ctx, 3*time.Second)
	}
}
