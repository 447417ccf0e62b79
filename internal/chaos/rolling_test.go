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

const (
	rollingPeople = 1000 // use three nodes while these are restarted; PARLEY_ROLLING says otherwise
	rollingTalk   = 60   // of them search and talk, the others wait all the time
)

// TestRollingRestart stops one node after the other with SIGTERM and starts it again, as an
// upgrade does, while some people search and talk and many wait. Nobody loses a place in the
// queue, and no call ends or is even made anew: each node stays for its own.
func TestRollingRestart(t *testing.T) {
	people := plan(t, "PARLEY_ROLLING", rollingPeople, strconv.Atoi)
	t.Parallel()
	h := newHouse(t)
	server := vtest.StartServer(t)
	h.furnish(t, func(*node) string { return server.URL() })
	// With one device for all nobody of them meets anybody.
	waiting := &crowd{name: "-waiting", cfg: simulate.Config{
		Rate: 150, People: people - rollingTalk, For: 5 * time.Minute, Twins: 1,
		Behaviour: simulate.Behaviour{Talk: time.Second, Patience: 1000 * time.Hour, Languages: []string{"de"}},
	}}
	talking := &crowd{name: "-talking", cfg: simulate.Config{
		Rate: 15, People: rollingTalk, For: 5 * time.Minute, Ramp: time.Second,
		Behaviour: simulate.Behaviour{
			Talk: 3 * time.Second, Patience: 5 * time.Minute, Next: 0.9, Languages: []string{"en", "es"},
		},
	}}
	h.visit(t, waiting, func(over context.CancelFunc) {
		h.visit(t, talking, func(end context.CancelFunc) {
			h.pause(t.Context(), time.Duration(people/100)*time.Second) // for all to come
			h.roll(t.Context(), t)
			end()
		})
		over()
	})
	for _, c := range []*crowd{waiting, talking} {
		h.judge(t, c)
		for _, none := range []string{"calls rejoined", "ended peer_lost", "envelopes lost", "envelopes given up"} {
			if n := c.result.Counts[none]; n > 0 {
				t.Errorf("%d %s", n, none)
			}
		}
	}
	if talking.result.Calls == 0 || waiting.result.Calls > 0 || waiting.result.Arrived != int64(people-rollingTalk) {
		t.Errorf("%d calls of those who talk, %d of %d who wait", talking.result.Calls, waiting.result.Calls, waiting.result.Arrived)
	}
}

// roll restarts every node once.
func (h *house) roll(ctx context.Context, t *testing.T) {
	for i, n := range h.nodes {
		began := time.Now()
		n.Signal(syscall.SIGTERM)
		select {
		case <-n.Ended():
			t.Logf("node %d stopped after %v", i+1, time.Since(began).Round(100*time.Millisecond))
		case <-time.After(3 * time.Minute):
			t.Errorf("node %d does not stop:\n%s", i+1, n.Said())
			n.Kill()
		}
		n.Start()
		h.counts["node restarted"]++
		h.pause(ctx, 2*time.Second)
	}
}
