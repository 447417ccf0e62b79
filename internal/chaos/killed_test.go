package chaos_test

import (
	"bufio"
	"context"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"parley/internal/history"
	"parley/internal/simulate"
	"parley/internal/vtest"
)

const (
	backWithin = 5 * time.Second  // to a session, on another node
	callWithin = 10 * time.Second // to the call
)

// TestKilled kills one node after the other with kill -9 while people search, confirm and talk on
// them, and nothing else goes wrong. Whoever was on it is back within 5 s, in the queue at the old
// place, and within 10 s in the call.
func TestKilled(t *testing.T) {
	length(t)
	t.Parallel()
	h := newHouse(t)
	server := vtest.StartServer(t)
	h.furnish(t, func(*node) string { return server.URL() })
	found := map[string][]time.Duration{}
	for round := 0; round < 3 && len(found) < len(returns()); round++ { // a busy machine leaves few at a moment
		people := &crowd{name: strconv.Itoa(round), cfg: simulate.Config{
			Rate: 20, People: 60, For: time.Minute, Ramp: time.Second,
			Behaviour: simulate.Behaviour{
				Talk: 10 * time.Second, Patience: 5 * time.Minute, Next: 1, Hesitate: 1500 * time.Millisecond,
				Languages: []string{"en", "es", "de"},
			},
		}}
		h.visit(t, people, h.kills(t))
		h.judge(t, people)
		for doing, backs := range struck(t, people.file) {
			found[doing] = append(found[doing], backs...)
		}
	}
	for doing, bound := range returns() {
		backs := found[doing]
		if slices.Sort(backs); len(backs) == 0 {
			t.Errorf("nobody was %s when a node was killed", doing)
			continue
		}
		last, most := backs[len(backs)-1], backs[len(backs)*9/10]
		t.Logf("%d were %s when their node was killed; back after %v in the middle, %v nine of ten, %v at the latest",
			len(backs), doing, backs[len(backs)/2], most, last)
		if most > bound || last > 2*bound { // a busy machine holds some of them up
			t.Errorf("nine of ten who were %s are back after %v, the last after %v", doing, most, last)
		}
	}
}

// returns is within what time people are back who did what when their node was killed.
func returns() map[string]time.Duration {
	return map[string]time.Duration{
		"searching": backWithin, "offered a match": backWithin, "confirmed": backWithin, "talking": callWithin,
	}
}

// kills kills six nodes, one after the other.
func (h *house) kills(t *testing.T) func(end context.CancelFunc) {
	t.Helper()
	return func(end context.CancelFunc) {
		defer end()
		for range 6 {
			h.pause(t.Context(), 5*time.Second)
			n := h.one()
			n.Kill()
			h.counts["node killed"]++
			h.pause(t.Context(), time.Second)
			n.Start()
		}
		h.pause(t.Context(), callWithin)
	}
}

// struck reads from a history who lost a socket while doing what, and how long it took until that
// person was welcomed again; in a call until it was in it again, or did not want to be.
func struck(t *testing.T, file string) map[string][]time.Duration {
	t.Helper()
	backs := map[string][]time.Duration{}
	people := map[string]*victim{}
	for _, e := range events(t, file) {
		v := people[e.Who]
		if v == nil {
			v = &victim{}
			people[e.Who] = v
		}
		if v.take(e) {
			backs[v.was] = append(backs[v.was], time.Duration(e.At-v.since)*time.Microsecond)
			v.since = 0
		}
	}
	return backs
}

// events reads a history.
func events(t *testing.T, file string) (all []history.Event) {
	t.Helper()
	in, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var e history.Event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// victim is what is known of one person in a history.
type victim struct {
	doing string // what it does now
	was   string // what it did when its socket was lost
	since int64  // when that was; 0: it is back
}

// take takes the next line, and tells whether the person is back with it.
func (v *victim) take(e history.Event) bool {
	switch {
	case e.Got == history.Closed && v.since == 0 && v.doing != "":
		v.was, v.since = v.doing, e.At
		return false
	case e.Did == history.Went:
		v.since = 0
	}
	v.does(e)
	switch {
	case v.since == 0:
		return false
	case v.was != "talking":
		return e.Got == "welcome"
	}
	return e.Got == "welcome" && e.Resumed || e.Got == "connected" || v.doing != "talking"
}

// does notes what the person does from now on.
func (v *victim) does(e history.Event) {
	switch {
	case e.Did == "find", e.Got == "queued":
		v.doing = "searching"
	case e.Got == "matched":
		v.doing = "offered a match"
	case e.Did == "confirm":
		v.doing = "confirmed"
	case e.Got == "connected":
		v.doing = "talking"
	case e.Did == "leave", e.Got == "ended", e.Did == "cancel":
		v.doing = ""
	}
}
