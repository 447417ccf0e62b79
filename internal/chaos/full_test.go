package chaos_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"parley/internal/simulate"
	"parley/internal/vtest"
)

// TestStoreFull lets Redis run out of memory while people search and talk. New searches are refused
// with a sentence and wait, calls go on, and when there is room again people meet by themselves.
func TestStoreFull(t *testing.T) {
	length(t)
	t.Parallel()
	h := newHouse(t)
	server := vtest.StartServer(t, "--maxmemory-policy", "noeviction")
	h.furnish(t, func(*node) string { return server.URL() })
	rdb := server.Client()
	limit := func(most int) {
		if err := rdb.ConfigSet(t.Context(), "maxmemory", strconv.Itoa(most)).Err(); err != nil {
			t.Error(err)
		}
	}
	like := restless()
	like.Drop, like.Vanish, like.Ignore = 0, 0, 0
	people := &crowd{cfg: simulate.Config{Rate: 8, People: 80, For: 40 * time.Second, Ramp: time.Second, Behaviour: like}}
	h.visit(t, people, func(context.CancelFunc) {
		h.pause(t.Context(), 10*time.Second)
		limit(1) // less than it has
		h.pause(t.Context(), 12*time.Second)
		limit(0)
		h.counts["redis full"]++
	})
	h.judge(t, people)
	// The crowd's clock begins when it has looked at the page: on a busy machine a second or two after ours,
	// so that there is room again, and many meet at once, before 22 s of it have passed.
	during, afterwards := 0, 0
	for _, e := range events(t, people.file) {
		switch at := time.Duration(e.At) * time.Microsecond; {
		case e.Got != "matched":
		case at > 13*time.Second && at < 18*time.Second:
			during++
		case at > 28*time.Second:
			afterwards++
		}
	}
	if during > 0 || afterwards == 0 {
		t.Errorf("%d were matched while there was no room, %d afterwards", during, afterwards)
	}
	if n := people.result.Counts["notice store_away"]; n == 0 {
		t.Error("nobody was told that searches wait")
	}
	for what, n := range people.result.Counts {
		if what == "ended peer_lost" || what == "session forgotten" {
			t.Errorf("%d %s", n, what)
		}
	}
}
