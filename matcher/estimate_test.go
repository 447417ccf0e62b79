package matcher_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/matcher"
	"parley/retention"
)

func TestSummary(t *testing.T) {
	var samples []time.Duration
	for i := range 10 {
		samples = append(samples, time.Duration(10-i)*second)
	}
	if got := matcher.Summary(samples); got != (matcher.Estimate{P50: 5 * second, P90: 9 * second, Samples: 10}) {
		t.Errorf("%+v", got)
	}
	if got := matcher.Summary(samples[:1]); got != (matcher.Estimate{P50: 10 * second, P90: 10 * second, Samples: 1}) {
		t.Errorf("%+v", got)
	}
	if got := matcher.Summary(nil); got != (matcher.Estimate{}) {
		t.Errorf("%+v", got)
	}
}

// TestSummaryOfThoseWhoGaveUp is the example from which the estimator is taught: weeks until a
// relapse of 21 patients, 12 of whom were only known to be well so long (Freireich and others, The
// Effect of 6-Mercaptopurine, Blood 21, 1963).
func TestSummaryOfThoseWhoGaveUp(t *testing.T) {
	var weeks []time.Duration
	var only []bool
	for text := range strings.FieldsSeq("6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+") {
		number, plus := strings.CutSuffix(text, "+")
		n, err := strconv.Atoi(number)
		if err != nil {
			t.Fatal(err)
		}
		weeks, only = append(weeks, time.Duration(n)*second), append(only, plus)
	}
	// Half after 23; after 35 weeks 45 % are well still, so that nobody knows more of the rest.
	if got := matcher.Summary(weeks, only...); got != (matcher.Estimate{P50: 23 * second, P90: 35 * second, Samples: 21}) {
		t.Errorf("%+v", got)
	}
	// Who gave up after one second was waiting when the other was found.
	if got := matcher.Summary([]time.Duration{second, second, 5 * second}, false, true, false); got.P50 != 5*second {
		t.Errorf("%+v", got)
	}
	if got := matcher.Summary(weeks[:6], slices.Repeat([]bool{true}, 6)...); got != (matcher.Estimate{}) {
		t.Errorf("all gave up: %+v", got)
	}
}

// TestGivingUpShortensNoEstimate: were one who was found one who gave up, it takes longer or as long.
func TestGivingUpShortensNoEstimate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 100).Draw(t, "n")
		waits := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 60), func(s int) time.Duration { return time.Duration(s) * second }), n, n).Draw(t, "waits")
		gaveUp := rapid.SliceOfN(rapid.Bool(), n, n).Draw(t, "gave up")
		before := matcher.Summary(waits, gaveUp...)
		gaveUp[rapid.IntRange(0, n-1).Draw(t, "who")] = true
		after := matcher.Summary(waits, gaveUp...)
		if after.Samples > 0 && (before.Samples == 0 || after.P50 < before.P50 || after.P90 < before.P90) {
			t.Fatalf("%+v, before %+v", after, before)
		}
	})
}

func TestEstimate(t *testing.T) { engines(t, estimate) }

func estimate(t *testing.T, e engine) {
	h := newHall(t, e)
	for range 3 {
		h.join(0, want('a', en, music))
		h.wait(second)
		h.is(h.join(0, want('c', en, music)), "a")
		p := h.pairs[len(h.pairs)-1]
		for _, s := range p.sides {
			if err := h.confirm(p, s); err != nil {
				t.Fatal(err)
			}
		}
	}
	h.join(0, want('a', en, music))
	h.join(0, want('a', en, music))
	got, err := h.nodes[0].Estimate(t.Context(), h.last["a"])
	wanted := matcher.Estimate{P50: 0, P90: second, Samples: 6, Waiting: 1}
	if err != nil || got != wanted {
		t.Errorf("%+v %v, want %+v", got, err, wanted)
	}
	// Six more give up: of 12 three were found at once, when two gave up, then three of seven after 1 s,
	// which makes 3/4 * 4/7 who still wait; the last four give up after 3 s.
	giveUp := func(people int, after time.Duration) {
		var ids []string
		for range people {
			h.join(0, want('a', en, music))
			ids = append(ids, h.last["a"].ID)
		}
		h.wait(after)
		for _, id := range slices.Repeat(ids, 2) { // a duplicate counts once
			if err := h.leave(id); err != nil {
				t.Fatal(err)
			}
		}
	}
	giveUp(2, 0)
	giveUp(4, 3*second)
	records := h.engine.rdb.LRange(t.Context(), retention.Waits.Key("en", "music"), 0, 5).Val()
	h.is(strings.Join(records, " "), "3000+ 3000+ 3000+ 3000+ 0+ 0+")
	got, err = h.nodes[0].Estimate(t.Context(), h.last["a"])
	wanted = matcher.Estimate{P50: second, P90: 3 * second, Samples: 12, Waiting: 2}
	if err != nil || got != wanted {
		t.Errorf("%+v %v, want %+v", got, err, wanted)
	}
	other := want('a', en, film)
	other.ID = matcher.NewID()
	if got, err := h.nodes[0].Estimate(t.Context(), other); err != nil || got != (matcher.Estimate{}) {
		t.Errorf("%+v %v, want nothing known", got, err)
	}
}

// TestExpiredHaveWaited: a search that finds nobody in all its time counts as one that was given up
// then, once, whoever notices first: the sweep, or its owner's join.
func TestExpiredHaveWaited(t *testing.T) {
	h := newHall(t, embedded(t))
	q := h.nodes[0]
	for range 2 {
		h.join(0, want('a', en, music))
	}
	if err := h.engine.pass(t.Context(), retention.LongestWait); err != nil {
		t.Fatal(err)
	}
	if err := q.Beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := q.Join(t.Context(), h.last["a"]); err != nil || got != (matcher.Closed{}) {
		t.Fatalf("%v %v", got, err)
	}
	for range 2 {
		if err := q.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got, err := h.engine.rdb.LRange(t.Context(), retention.Waits.Key("en", "music"), 0, -1).Result()
	if err != nil || !slices.Equal(got, []string{"600000+", "600000+"}) {
		t.Errorf("%v %v", got, err)
	}
}

// TestDeadAreNotCounted: an estimate after a join that found nobody counts nobody whose node is dead,
// unless so many are that a join cannot take them all out; then the next ones do.
func TestDeadAreNotCounted(t *testing.T) { engines(t, deadAreNotCounted) }

func deadAreNotCounted(t *testing.T, e engine) {
	h := newHall(t, e)
	for range 100 {
		h.join(1, want('a', en, both))
	}
	h.nodes[1].silent = true
	h.wait(4 * second)
	alive := want('a', en, both) // 100 in each of two pools
	for _, waiting := range []int{72, 0, 0} {
		h.join(0, alive)
		alive = h.last["a"]
		if got, err := h.nodes[0].Estimate(t.Context(), alive); err != nil || got.Waiting != waiting {
			t.Errorf("%d wait, %v, want %d", got.Waiting, err, waiting)
		}
	}
}
