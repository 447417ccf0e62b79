package chaos_test

import (
	"context"
	"math"
	"testing"
	"time"

	"parley/internal/history"
	"parley/internal/simulate"
	"parley/internal/vtest"
)

// longCall is how long two are in a call together when both must have heard the other, also on a busy
// machine.
const longCall = 5 * time.Second

// TestRelayGone kills a node with its relay, for good. Calls that begin 5 s later have the relay of
// another node, and both sides of every one of them hear the other, unless it is over too soon.
func TestRelayGone(t *testing.T) {
	length(t)
	t.Parallel()
	h := newHouse(t)
	server := vtest.StartServer(t)
	h.furnish(t, func(*node) string { return server.URL() })
	talkers := func(name string, long time.Duration) *crowd {
		return &crowd{name: name, cfg: simulate.Config{
			Rate: 20, People: 16, For: long,
			Behaviour: simulate.Behaviour{
				Talk: 12 * time.Second, Patience: time.Hour, Next: 1, Media: 1, Languages: []string{"en"}, Interests: []string{"music"},
			},
		}}
	}
	before, after := talkers("-before", 16*time.Second), talkers("-after", 20*time.Second)
	h.visit(t, before, func(context.CancelFunc) {})
	h.one().Kill()
	h.counts["node killed"]++
	h.pause(t.Context(), 5*time.Second)
	h.visit(t, after, func(context.CancelFunc) {})
	for _, c := range []*crowd{before, after} {
		h.judge(t, c)
		h.listen(t, c)
		for _, none := range []string{"calls without sound", "sound failed", "calls with another relay", "sound after an absence"} {
			if n := c.result.Counts[none]; n > 0 {
				t.Errorf("%d %s", n, none)
			}
		}
	}
}

// listen fails when two were in a call for long and did not hear one another.
func (h *house) listen(t *testing.T, c *crowd) {
	t.Helper()
	long, sides := 0, 0
	for room, stays := range rooms(t, c.file) {
		if len(stays) != 2 || shared(stays) < longCall {
			continue
		}
		long++
		for who, s := range stays {
			if s.heard {
				sides++
			} else {
				t.Errorf("%s hears nobody in call %s", who, room)
			}
		}
	}
	t.Logf("%d calls were long enough, and %d of their sides heard the other one", long, sides)
	if long == 0 {
		t.Error("no call was long enough")
	}
}

// stay is one person's part in a call.
type stay struct {
	from, until int64 // until is 0 when it did not end
	heard       bool  // the other one
}

// rooms reads from a history who was in which call, and for how long.
func rooms(t *testing.T, file string) map[string]map[string]*stay {
	t.Helper()
	all, now := map[string]map[string]*stay{}, map[string]*stay{} // by room and person; the present ones by person
	for _, e := range events(t, file) {
		if e.Got == "connected" && all[e.Room][e.Who] == nil {
			if all[e.Room] == nil {
				all[e.Room] = map[string]*stay{}
			}
			now[e.Who] = &stay{from: e.At}
			all[e.Room][e.Who] = now[e.Who]
		}
		s := now[e.Who]
		switch {
		case s == nil:
		case e.Did == history.Heard:
			s.heard = true
		case e.Did == "leave", e.Did == "cancel", e.Did == history.Went, e.Got == "ended", e.Got == "aborted":
			s.until = e.At
			delete(now, e.Who)
		}
	}
	return all // a run ends with everybody gone
}

// shared is how long all were in a call together.
func shared(stays map[string]*stay) time.Duration {
	from, until := int64(0), int64(math.MaxInt64)
	for _, s := range stays {
		from, until = max(from, s.from), min(until, s.until)
	}
	return time.Duration(until-from) * time.Microsecond
}
