package score_test

import (
	"fmt"
	"testing"

	"parley/moderation/score"
)

// near tells whether the first digits agree.
func near(got, want float64) bool { return got-want < 5e-6 && want-got < 5e-6 }

func (h *tale) want(t *testing.T, doing string, want, reporters float64) {
	t.Helper()
	if s, n := h.score(); !near(s, want) || !near(n, reporters) {
		t.Errorf("%s: score %.6f with %.6f reporters, want %.6f with %.6f", doing, s, n, want, reporters)
	}
}

func TestFormula(t *testing.T) {
	h := &tale{p: balanced(t), now: start}
	h.want(t, "no record", 0, 0)
	e := report(h.now, 1, 1, score.Sexual)
	e.New = true
	h.r.Add(h.p, e)
	h.want(t, "one report of a new reporter", 0.95/10.75, 0.75)
	h.clean(2)
	h.want(t, "one clean call", 0.95/11.75, 0.75)
	h.now += 14 * day
	h.want(t, "after a half-life", (0.2+0.375)/(10+0.375+0.5), 0.375)
	h.r.Add(h.p, report(h.now, 2, 2, score.Threat))
	h.want(t, "a threat, at most 1.2 of a network", (0.2+0.375+1.2)/(10+0.375+1.2+0.5), 1.375)
	h.now = start + 30*day - 1
	h.want(t, "the first report's last second", (0.2+0.75*0.226430+1.2*0.452860)/(10+0.75*0.226430+1.2*0.452860+0.226430), 0.75*0.226430+0.452860)
	h.now++
	h.want(t, "the first report is gone, its clean call is not", (0.2+1.2*0.452860)/(10+1.2*0.452860+0.226430), 0.452860)
	h.now = start + 44*day - 1
	h.want(t, "the last second", (0.2+1.2*0.226430)/(10+1.2*0.226430+0.113215), 0.226430)
	h.now++
	h.want(t, "all is gone", 0, 0)
}

func TestWeights(t *testing.T) {
	p := balanced(t)
	for _, c := range []struct {
		reason score.Reason
		facts  score.Factors
		want   float64
	}{
		{score.Sexual, score.Factors{Rate: 1}, 1},
		{score.Minor, score.Factors{Rate: 1}, 1},
		{score.Hate, score.Factors{Rate: 1}, 1},
		{score.Threat, score.Factors{Rate: 0.5}, 0.625},
		{score.Spam, score.Factors{Rate: 1}, 0.8},
		{score.Other, score.Factors{Rate: 1}, 0.4},
		{score.Hate, score.Factors{Rate: 1, New: true}, 0.75},
		{score.Hate, score.Factors{Rate: 1, Short: true}, 0.7},
		{score.Hate, score.Factors{Rate: 1, Pool: true}, 0.25},
		{score.Hate, score.Factors{Rate: 1, SameNet: true}, 0.25},
		{score.Other, score.Factors{Rate: 0.5, New: true, Short: true, Pool: true, SameNet: true}, 0.4 * 0.5 * 0.75 * 0.7 / 16},
	} {
		h := &tale{p: p, now: start}
		e := report(h.now, 1, 1, c.reason)
		e.Factors = c.facts
		h.r.Add(p, e)
		h.want(t, fmt.Sprintf("%s %+v", c.reason, c.facts), (0.2+c.want)/(10+c.want), c.want)
	}
}

func TestCaps(t *testing.T) {
	h := &tale{p: balanced(t), now: start}
	for i := range 10 {
		h.r.Add(h.p, report(h.now, i, i, score.Hate))
	}
	h.want(t, "ten at once", 3.2/13, 3)
	h.now += day - 1
	h.r.Add(h.p, report(h.now, 20, 20, score.Hate))
	left := 0.951696 // after a day, less a second
	h.want(t, "one more within 24 hours", (0.2+3*left)/(10+3*left), 3*left)
	h.now++
	h.r.Add(h.p, report(h.now, 21, 21, score.Hate))
	h.want(t, "one more after them", (1.2+3*left)/(11+3*left), 1+3*left)
	if n := len(h.r.Events); n != 12 {
		t.Errorf("%d reports are kept, want all 12", n)
	}

	h = &tale{p: balanced(t), now: start}
	h.r.Add(h.p, report(h.now, 1, 1, score.Hate))
	h.now += 7*day - 1
	e, _ := h.r.Add(h.p, report(h.now, 2, 1, score.Hate))
	h.want(t, "the same network within 7 days", (0.4+0.707107)/(10.2+0.707107), 0.2+0.707107)
	if e.NetUsed != 1 || e.DayUsed != 0 {
		t.Errorf("the report found %v and %v used", e.DayUsed, e.NetUsed)
	}
	h.now++
	h.r.Add(h.p, report(h.now, 3, 1, score.Hate))
	h.want(t, "and after: .2 of the second still counts", (0.4+1+0.707107)/(11.2+0.707107), 1.2+0.707107)
}

func TestCapsOfReportsAtOnce(t *testing.T) {
	h := &tale{p: balanced(t), now: start}
	h.heap(1, 3, score.Threat)
	h.want(t, "three threats", 3.2/13, 3)
	h = &tale{p: balanced(t), now: start}
	h.heap(1, 2, score.Threat)
	h.heap(3, 1, score.Spam)
	h.want(t, "two threats and spam: reporters come first", 3.2/13, 2.8)
	h = &tale{p: balanced(t), now: start}
	for i := range 3 {
		h.r.Add(h.p, report(h.now, i, 1, score.Threat))
	}
	h.want(t, "three threats of one network", 1.4/11.2, 1.2)
}

func TestRoomDoesNotGrow(t *testing.T) {
	h := &tale{p: balanced(t), now: start}
	h.r.Add(h.p, report(h.now, 1, 1, score.Hate))
	h.now += 6 * day
	h.r.Add(h.p, report(h.now, 2, 1, score.Hate))
	h.now = start + 30*day
	h.r.Events = h.r.Events[1:] // the store has deleted the first
	h.want(t, "the second counts .2 as before", (0.2+0.2*0.304753)/(10+0.2*0.304753), 0.2*0.304753)

	h = &tale{p: balanced(t), now: start}
	h.heap(1, 3, score.Hate)
	h.now += 23 * hour
	h.heap(10, 1, score.Hate)
	h.now = start + 30*day
	h.r.Events = h.r.Events[3:]
	h.want(t, "the fourth of a day counts nothing as before", 0.02, 0)
}

func TestCapsHoldUnderAnotherPolicy(t *testing.T) {
	h := &tale{p: balanced(t), now: start}
	h.r.Add(h.p, report(h.now, 1, 1, score.Spam))
	h.now++
	h.r.Add(h.p, report(h.now, 2, 1, score.Spam))
	h.p.Reasons.Spam = 1
	h.want(t, "spam weighs more", 1.4/11.2, 1.2)
	h.p.NetCap, h.p.DailyCap = 3, 1.5
	h.want(t, "another daily cap", 1.7/11.5, 1.5)
}

func TestLateReport(t *testing.T) {
	h := &tale{p: balanced(t), now: start + hour}
	h.heap(1, 1, score.Hate)
	if e, added := h.r.Add(h.p, report(start, 2, 2, score.Hate)); !added || e.At != h.now {
		t.Errorf("a late report is taken at %d, want %d", e.At, h.now)
	}
}

func TestNetworksUnderOtherKeys(t *testing.T) {
	h := &tale{p: balanced(t), now: start}
	h.r.Add(h.p, report(h.now, 1, 1, score.Hate))
	h.now += hour // another week, another key
	if _, added := h.r.Add(h.p, report(h.now, 101, 101, score.Hate), score.Alias{Pair: id(1), Net: id(1)}); added {
		t.Error("one pair counted twice, under two keys")
	}
	e, added := h.r.Add(h.p, report(h.now, 102, 101, score.Hate), score.Alias{Pair: id(2), Net: id(1)})
	if !added || e.NetUsed != 1 {
		t.Errorf("a network under another key found %v used, want 1", e.NetUsed)
	}
}

func TestCredibility(t *testing.T) {
	p := balanced(t)
	for _, c := range []struct {
		window score.Window
		at     int64
		want   score.Factors
	}{
		{score.Window{}, 0, score.Factors{Rate: 1, New: true}},
		{score.Window{Start: start, Reports: 1, Calls: 2, Finished: 2}, 0, score.Factors{Rate: 1}},
		{score.Window{Start: start, Reports: 2, Calls: 2, Finished: 1}, 0, score.Factors{Rate: float32(1 / 1.8), New: true}},
		{score.Window{Start: start, Reports: 9, Calls: 10, Finished: 8}, 0, score.Factors{Rate: float32(1 / 8.)}},
		{score.Window{Start: start, Reports: 9, Calls: 80, Finished: 80}, day - 1, score.Factors{Rate: 1}},
		{score.Window{Start: start, Reports: 9, Calls: 10, Finished: 8}, day, score.Factors{Rate: 1, New: true}},
	} {
		got := score.Weigh(p, start+c.at, score.Testimony{Window: c.window, Seconds: 10})
		if got != c.want {
			t.Errorf("%+v after %d s: %+v, want %+v", c.window, c.at, got, c.want)
		}
	}
	w := score.Window{}.Reported(start).Talked(p, start+1, 9).Talked(p, start+2, 10)
	if want := (score.Window{Start: start, Reports: 1, Calls: 2, Finished: 1}); w != want {
		t.Errorf("%+v, want %+v", w, want)
	}
	if w = w.Reported(start + day); w != (score.Window{Start: start + day, Reports: 1}) {
		t.Errorf("the next day began with %+v", w)
	}
	got := score.Weigh(p, start, score.Testimony{Seconds: 9.9, Reporter: score.Restricted, SameNet: true})
	if want := (score.Factors{Rate: 1, New: true, Short: true, Pool: true, SameNet: true}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestExposure(t *testing.T) {
	h := &tale{p: balanced(t), now: start}
	if h.clean(1) {
		t.Error("a call counts before there is a record")
	}
	h.r.Add(h.p, report(h.now, 1, 1, score.Hate))
	x := score.Exposure{At: h.now, Seconds: 45, Peer: id(1)}
	for says, change := range map[string]func(*score.Exposure){
		"reported": func(x *score.Exposure) { x.Reported = true },
		"fresh":    func(x *score.Exposure) { x.Fresh = true },
		"same net": func(x *score.Exposure) { x.SameNet = true },
		"short":    func(x *score.Exposure) { x.Seconds = 44.9 },
	} {
		y := x
		change(&y)
		if h.r.Exposed(h.p, y) {
			t.Errorf("a call counts although %s", says)
		}
	}
	if !h.r.Exposed(h.p, x) || h.r.Exposed(h.p, x) {
		t.Error("a peer does not count once a day")
	}
	x.At, x.Peer, x.Older = x.At+day-1, id(2), []score.ID{id(1)}
	if h.r.Exposed(h.p, x) {
		t.Error("a peer counts again under another key")
	}
	if x.At++; !h.r.Exposed(h.p, x) {
		t.Error("a peer does not count on the next day")
	}
	h.now = x.At
	for i := range 2 * score.MaxPeers {
		h.clean(10 + i)
	}
	if n := calls(h.r); n != 1+score.MaxPeers {
		t.Errorf("%d calls count, want %d", n, 1+score.MaxPeers)
	}
}

func TestManyDaysOfCleanCalls(t *testing.T) {
	h := &tale{p: balanced(t), now: start}
	var want float64 // the plain sum
	for i := range 100 {
		h.now += day
		h.r.Add(h.p, report(h.now, i, i, score.Other))
		want *= 0.951695
		for peer := range 20 {
			if h.clean(peer) {
				want++
			}
		}
	}
	s, n := h.score()
	if plain := (0.2 + n) / (10 + n + want); s > plain*1.001 || s < plain*0.98 || len(h.r.Clean) > score.MaxDays {
		t.Errorf("score %v in %d days, want about %v", s, len(h.r.Clean), plain)
	}
}

func TestFullRecordKeepsWhatCounts(t *testing.T) {
	h := &tale{p: balanced(t), now: start}
	for i := range 3 {
		h.r.Add(h.p, report(h.now, i, i, score.Hate))
	}
	slots := map[uint8]bool{}
	for i := range 500 { // nothing is left of the day for any of them
		h.r.Add(h.p, report(h.now+1, 100+i, 100+i, score.Hate))
	}
	for _, e := range h.r.Events {
		slots[e.Slot] = true
	}
	if len(h.r.Events) != score.MaxEvents || len(slots) != score.MaxEvents {
		t.Errorf("%d reports in %d slots", len(h.r.Events), len(slots))
	}
	h.want(t, "three that count", 3.2/13, 3)
}
