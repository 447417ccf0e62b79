package score_test

import (
	"testing"

	"parley/moderation/score"
)

// heap adds reports of so many people with networks of their own.
func (h *tale) heap(from, n int, reason score.Reason) {
	for i := range n {
		h.r.Add(h.p, report(h.now, from+i, from+i, reason))
	}
}

func (h *tale) band(t *testing.T, doing string, want score.Band) score.Verdict {
	t.Helper()
	v := h.judge()
	if v.Band != want {
		t.Errorf("%s: %s (%.4f, %.2f reporters), want %s", doing, v.Band, v.Score, v.Reporters, want)
	}
	return v
}

func TestBands(t *testing.T) {
	h := &tale{p: balanced(t), now: start}
	h.band(t, "no record", score.Clear)
	h.heap(1, 1, score.Other)
	h.band(t, "one mild report", score.Clear)
	h.heap(2, 1, score.Hate)
	h.band(t, "two", score.Watch)
	h.heap(3, 1, score.Hate)
	h.band(t, "three", score.Restricted)
	h.now += day
	h.band(t, "three, a day later", score.Restricted)
	h.heap(4, 1, score.Hate)
	h.band(t, "four", score.Cooldown)
}

func TestHysteresis(t *testing.T) {
	h := &tale{p: balanced(t), now: start}
	h.heap(1, 1, score.Hate)
	h.heap(2, 1, score.Spam)
	h.band(t, "1.8 of weight make .1695", score.Restricted)
	h.p.Floors = score.Triple{}
	h.now += 9 * day // 1.8 -> 1.153: .1213
	h.band(t, "above the threshold", score.Restricted)
	h.now += 2 * day // 1.044: .1127
	fresh := copied(h.r)
	h.band(t, "below the threshold by less than .02", score.Restricted)
	fresh.Band = score.Watch
	if v := score.Judge(h.p, h.now, score.Subject{Token: &fresh}); v.Band != score.Watch || !near(v.Score, h.judge().Score) {
		t.Errorf("from below: %s", v.Band)
	}
	h.now += 3 * day // .9: .1009
	h.band(t, "still", score.Restricted)
	h.now += day // .8565: .0973
	v := h.band(t, "below it by more", score.Watch)
	if !v.TokenChanged {
		t.Error("nobody is told to store the new band")
	}
	if v := h.judge(); v.TokenChanged {
		t.Error("the record changes though its band does not")
	}
}

func TestSpells(t *testing.T) {
	h := &tale{p: balanced(t), now: start}
	h.p.DailyCap = 100
	reporter := 0
	anew := func() { h.heap(reporter, 8, score.Hate); reporter += 8 }
	anew()
	for i, hours := range []int64{24, 48, 96, 168, 168} {
		v := h.band(t, "reported", score.Cooldown)
		if v.Until != h.now+hours*hour || !v.TokenChanged {
			t.Errorf("spell %d lasts %d s, want %d hours", i, v.Until-h.now, hours)
		}
		h.now += hour
		if again := h.band(t, "asked again", score.Cooldown); again.Until != v.Until || again.TokenChanged {
			t.Errorf("asking again moved the end by %d s", again.Until-v.Until)
		}
		anew() // from calls that ended just before
		h.now = v.Until - 1
		h.band(t, "the last second", score.Cooldown)
		h.now++
		if v := h.band(t, "served", score.Restricted); v.Until != 0 {
			t.Errorf("served until %d", v.Until)
		}
		h.now += hour
		h.band(t, "an hour later", score.Restricted)
		anew()
	}
}

func TestDigestSpeaksForFreshInstallsInSmallCrowds(t *testing.T) {
	h := &tale{p: balanced(t), now: start}
	h.p.DailyCap = 100
	h.heap(1, 8, score.Hate)
	judge := func(mode score.IDMode, token, digest *score.Record, fresh bool) score.Band {
		p := h.p
		p.IDMode = mode
		var s score.Subject
		if token != nil {
			r := copied(*token)
			s.Token = &r
		}
		if digest != nil {
			r := copied(*digest)
			s.Digest = &r
		}
		s.Fresh = fresh
		return score.Judge(p, h.now, s).Band
	}
	bad := &h.r
	check := func(doing string, got, want score.Band) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, want %s", doing, got, want)
		}
	}
	check("both, fresh", judge(score.Both, nil, bad, true), score.Cooldown)
	check("both, established", judge(score.Both, nil, bad, false), score.Clear)
	check("token only, fresh", judge(score.TokenOnly, nil, bad, true), score.Clear)
	check("token only, by its token", judge(score.TokenOnly, bad, nil, false), score.Cooldown)
	check("digest only, established", judge(score.DigestOnly, nil, bad, false), score.Cooldown)
	check("digest only, by its token", judge(score.DigestOnly, bad, nil, true), score.Clear)
	h.r.Saw(h.p, h.now, id(1))
	h.r.Saw(h.p, h.now, id(2))
	h.r.Saw(h.p, h.now, id(2))
	h.r.Saw(h.p, h.now, id(102), id(2)) // under another key
	check("in a crowd of two", judge(score.Both, nil, bad, true), score.Cooldown)
	h.r.Saw(h.p, h.now, id(3))
	check("in a crowd of three", judge(score.Both, nil, bad, true), score.Clear)
	check("digest only, in a crowd", judge(score.DigestOnly, nil, bad, true), score.Clear)
	h.now += 6 * day
	h.r.Saw(h.p, h.now, id(4))
	h.now += day
	check("three were seen, two of them a week ago", judge(score.Both, nil, bad, true), score.Cooldown)
}

func TestVoid(t *testing.T) {
	h := &tale{p: balanced(t), now: start}
	h.heap(1, 3, score.Hate)
	h.band(t, "a brigade", score.Cooldown)
	h.now += hour
	h.heap(10, 2, score.Hate) // finds the day full
	h.band(t, "two others", score.Cooldown)
	n := h.r.Void(h.p, h.now, func(e score.Event) bool { return e.At == start })
	if n != 3 || len(h.r.Events) != 2 {
		t.Fatalf("%d reports are void, %d are left", n, len(h.r.Events))
	}
	h.want(t, "the others get the room", 2.2/12, 2)
	h.band(t, "and the spell ends", score.Restricted)
	if h.r.SpellEnd != 0 || h.r.Spells != 0 {
		t.Errorf("a spell until %d is left", h.r.SpellEnd)
	}
	if n := h.r.Void(h.p, h.now, func(score.Event) bool { return true }); n != 2 || h.judge().Band != score.Clear {
		t.Errorf("%d reports are void", n)
	}
}

func TestGrounds(t *testing.T) {
	h := &tale{p: balanced(t), now: start}
	if h.r.Grounds(h.p, h.now) != nil {
		t.Error("there are grounds without a record")
	}
	h.heap(1, 1, score.Spam)
	h.heap(2, 2, score.Minor)
	h.now += hour
	h.heap(10, 5, score.Threat) // of which one finds a little room
	got := h.r.Grounds(h.p, h.now)
	want := []score.Count{{score.Threat, 5}, {score.Minor, 2}, {score.Spam, 1}}
	if len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("%v, want %v", got, want)
	}
	h.now += hour
	h.heap(20, 5, score.Hate)
	if len(h.r.Grounds(h.p, h.now)) != 3 {
		t.Error("reports that count for nothing are given as grounds")
	}
}

func TestProbation(t *testing.T) {
	p := balanced(t)
	for draw, want := range map[uint64]bool{0: true, 1<<62 - 1<<12: true, 1 << 62: false, 1<<64 - 1: false} {
		if p.OnProbation(draw) != want {
			t.Errorf("draw %d: %t", draw, !want)
		}
	}
	p.Probation = 1
	if !p.OnProbation(1<<64 - 1) {
		t.Error("not always")
	}
	p.Probation = 0
	if p.OnProbation(0) {
		t.Error("not never")
	}
}
