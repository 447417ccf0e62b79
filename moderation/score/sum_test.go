package score_test

import (
	"bytes"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"parley/moderation/score"
)

// brief is h's record as it lies in the store, without its reports.
func brief(t interface{ Fatal(...any) }, h *tale) *score.Record {
	r, err := score.ParseRecord(score.AppendRecord(nil, &h.r))
	if err != nil {
		t.Fatal(err)
	}
	if r.Sum, err = score.ParseSum(score.AppendSum(nil, h.r.SumUp(h.p, h.now))); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestPropertySumMeansTheSame: until a report is gone, a record judged by the sum of its reports is
// judged as by the reports.
func TestPropertySumMeansTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &tale{p: policies(t), now: start}
		h.r.Add(h.p, reports(t, h.now, 100, 8))
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			h.step(t)
			if h.now = score.Hour(h.now); h.r.Newest() > h.now {
				h.now += hour
			}
		}
		coarse(&h.r)
		short := brief(t, h)
		if draw := rapid.IntRange(0, 3).Draw(t, "policy"); draw == 0 {
			h.p.Thresholds = score.Triple{0.03, 0.05, 0.07} // what the sum does not depend on
		}
		h.now += pauses(t)
		gone := slices.ContainsFunc(h.r.Events, func(e score.Event) bool { return float64(h.now-e.At) >= h.p.Expire*day })
		if !short.Brief(h.p, h.now) {
			if !gone && h.r.Alive(h.p, h.now) {
				t.Fatal("the sum is not taken, and no report has gone")
			}
			return
		}
		s, n := h.score()
		if z, m := score.Score(h.p, h.now, short); z-s > tiny || s-z > tiny || m-n > tiny || n-m > tiny {
			t.Fatalf("%v (%v) by the reports, %v (%v) by the sum", s, n, z, m)
		}
		if a, b := h.r.Grounds(h.p, h.now), short.Grounds(h.p, h.now); !slices.Equal(a, b) {
			t.Fatalf("grounds are %v, by the sum %v", a, b)
		}
		for i := range h.p.Thresholds {
			if d := h.p.Thresholds[i] - s; d < tiny && d > -tiny || n-h.p.Floors[i] < tiny && h.p.Floors[i]-n < tiny {
				return // on the edge
			}
		}
		whole := copied(h.r)
		v, w := score.Judge(h.p, h.now, score.Subject{Token: &whole}), score.Judge(h.p, h.now, score.Subject{Token: short})
		if v.Band != w.Band || v.Until != w.Until || v.TokenChanged != w.TokenChanged {
			t.Fatalf("%+v by the reports, %+v by the sum", v, w)
		}
	})
}

// TestSumHoldsOnlyForItsRule: other weights, another time of life, a clock that is behind, or a
// report that has gone, and the reports must be read.
func TestSumHoldsOnlyForItsRule(t *testing.T) {
	h := &tale{p: balanced(t), now: score.Hour(start)}
	h.heap(1, 2, score.Hate)
	h.now += 10 * day
	h.heap(2, 3, score.Spam)
	if !brief(t, h).Brief(h.p, h.now+day) {
		t.Fatal("a good sum is not taken")
	}
	if brief(t, h).Brief(h.p, h.now+20*day) {
		t.Error("the sum holds although a report has gone")
	}
	if brief(t, h).Brief(h.p, h.now-hour) {
		t.Error("the sum holds before its newest report")
	}
	for says, change := range map[string]func(*score.Policy){
		"half-life": func(p *score.Policy) { p.HalfLife++ },
		"life":      func(p *score.Policy) { p.Expire-- },
		"reasons":   func(p *score.Policy) { p.Reasons.Hate += 0.1 },
		"day":       func(p *score.Policy) { p.DailyCap-- },
		"network":   func(p *score.Policy) { p.NetCap-- },
		"new":       func(p *score.Policy) { p.NewTimes /= 2 },
		"short":     func(p *score.Policy) { p.ShortTimes /= 2 },
		"pool":      func(p *score.Policy) { p.PoolTimes /= 2 },
		"near":      func(p *score.Policy) { p.NetTimes /= 2 },
	} {
		p := h.p
		change(&p)
		if brief(t, h).Brief(p, h.now) {
			t.Errorf("the sum holds under another policy: %s", says)
		}
	}
}

// TestFirstShape reads a record as it was written while its sum and the slots of its reports stood in
// it, and neither comes back.
func TestFirstShape(t *testing.T) {
	h := &tale{p: balanced(t), now: score.Hour(start)}
	h.heap(1, 5, score.Hate)
	h.clean(9)
	h.r.Saw(h.p, h.now, id(4))
	h.judge()
	now := score.AppendRecord(nil, &h.r)
	first := slices.Concat([]byte{2}, now[1:7], []byte{0, 0, 0, 0, 0, 0, 0, 31}, now[15:18], score.AppendSum(nil, h.r.SumUp(h.p, h.now)), now[18:])
	r, err := score.ParseRecord(first)
	if err != nil {
		t.Fatal(err)
	}
	if r.Band != h.r.Band || r.SpellEnd != h.r.SpellEnd || !slices.Equal(r.Peers, h.r.Peers) || !slices.Equal(r.Crowd, h.r.Crowd) {
		t.Fatalf("%+v, was %+v", r, h.r)
	}
	if r.Brief(h.p, h.now) {
		t.Error("a record without a sum is judged by it")
	}
	if again := score.AppendRecord(nil, r); !bytes.Equal(again, now) {
		t.Errorf("%x became %x", now, again)
	}
}
