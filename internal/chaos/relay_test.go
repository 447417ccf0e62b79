package chaos_test

import (
	"context"
	"testing"
	"time"

	"parley/internal/simulate"
	"parley/internal/vtest"
)

// TestRelayGone kills a node with its relay, for good. Calls that begin 5 s later have the relay of
// another node, and both sides of every one of them hear the other.
func TestRelayGone(t *testing.T) {
	length(t)
	t.Parallel()
	h := newHouse(t)
	server := vtest.StartServer(t)
	h.furnish(t, func(*node) string { return server.URL() })
	talkers := func(name string, long time.Duration) *crowd {
		return &crowd{name: name, cfg: simulate.Config{
			Rate: 20, People: 8, For: long,
			Behaviour: simulate.Behaviour{
				Talk: 4 * time.Second, Patience: time.Hour, Next: 1, Media: 1, Languages: []string{"en"}, Interests: []string{"music"},
			},
		}}
	}
	before, after := talkers("-before", 6*time.Second), talkers("-after", 12*time.Second)
	h.visit(t, before, func(context.CancelFunc) {})
	h.one().Kill()
	h.counts["node killed"]++
	h.pause(t.Context(), 5*time.Second)
	h.visit(t, after, func(context.CancelFunc) {})
	for _, c := range []*crowd{before, after} {
		calls := h.judge(t, c).Calls
		heard := c.result.Times[simulate.Sound.String()]
		if calls == 0 || heard.Count != int64(2*calls) {
			t.Errorf("%d heard the other one in %d calls", heard.Count, calls)
		}
	}
}
