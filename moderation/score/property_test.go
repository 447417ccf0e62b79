package score_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"parley/moderation/score"
)

// tiny is how far sums in another order, and the shorter numbers of a stored report, may lead apart.
const tiny = 1e-6

func TestPropertyTimeAloneNeverRaises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := tales(t)
		prior := h.p.PriorA / (h.p.PriorA + h.p.PriorB)
		s, n := h.score()
		band := peek(h).Band
		for range 8 {
			h.now += rapid.Int64Range(0, 6*day).Draw(t, "wait")
			later, fewer := h.score()
			if later > max(s, prior)+tiny {
				t.Fatalf("the score went from %v to %v", s, later)
			}
			if fewer > n+tiny {
				t.Fatalf("the reporters went from %v to %v", n, fewer)
			}
			if b := peek(h).Band; b > band {
				t.Fatalf("the band went from %s to %s", band, b)
			}
			s, n, band = later, fewer, peek(h).Band
		}
	})
}

// peek judges without touching.
func peek(h *tale) score.Verdict {
	r := h.r
	return score.Judge(h.p, h.now, score.Subject{Token: &r})
}

func TestPropertyOneReporterNeverExceedsWatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &tale{p: policies(t), now: start}
		for range rapid.IntRange(1, 40).Draw(t, "reports") {
			h.r.Add(h.p, reports(t, h.now, 1, 8))
			if v := h.judge(); v.Band > score.Watch {
				t.Fatalf("one reporter brought about %s, score %v", v.Band, v.Score)
			}
			h.now += pauses(t)
		}
	})
}

func TestPropertyOneNetworkNeverRestrictsWithinAWeek(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &tale{p: policies(t), now: start}
		for range rapid.IntRange(1, rapid.SampledFrom([]int{5, 20, 20, 100}).Draw(t, "length")).Draw(t, "reports") {
			h.r.Add(h.p, reports(t, h.now, 1000, 1))
			if v := h.judge(); v.Band > score.Watch {
				t.Fatalf("one network brought about %s, score %v", v.Band, v.Score)
			}
			h.now = min(h.now+rapid.Int64Range(0, day).Draw(t, "pause"), start+7*day-1)
		}
	})
}

func TestTenThousandReportsOfOneNetwork(t *testing.T) {
	h := &tale{p: balanced(t), now: start}
	for i := range 10_000 {
		h.now = start + int64(i)*60 // just under a week
		h.r.Add(h.p, report(h.now, i, 1, score.Threat))
	}
	if v := h.judge(); v.Band != score.Watch || len(h.r.Events) != score.MaxEvents {
		t.Errorf("10,000 reports of one network lead to %s with %d events", v.Band, len(h.r.Events))
	}
}

func TestPropertyCappedReportsAddNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := tales(t)
		for i := range 30 { // fills the day, whatever the tale had left of it
			h.r.Add(h.p, report(h.now, 1000+i, 1000+i, score.Threat))
		}
		h.now++
		s, n := h.score()
		h.now-- // the caps look back from where they were filled
		clean := calls(h.r)
		for range rapid.IntRange(1, 20).Draw(t, "more") {
			e := reports(t, h.now+1, 5000, 2000)
			h.r.Add(h.p, e)
			h.r.Exposed(h.p, score.Exposure{At: h.now + 1, Seconds: 300, Peer: e.Pair, Reported: true})
		}
		h.now++
		if later, more := h.score(); later > s+tiny || more > n+tiny {
			t.Fatalf("capped reports led from %v (%v) to %v (%v)", s, n, later, more)
		}
		if clean != calls(h.r) {
			t.Fatal("a reported call counted as clean")
		}
	})
}

// calls counts the clean calls in a record.
func calls(r score.Record) int {
	n := 0
	for _, d := range r.Clean {
		n += d.Count
	}
	return n
}

func TestPropertyTwinStaysClear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digest := tales(t)
		var own *score.Record
		if v := score.Judge(digest.p, digest.now, score.Subject{Token: own, Digest: &digest.r}); v.Band != score.Clear || v.Score != 0 {
			t.Fatalf("an established twin stands at %s, %v", v.Band, v.Score)
		}
		for i := range digest.p.CrowdMax + 1 {
			digest.r.Saw(digest.p, digest.now, id(5000+i))
		}
		if v := score.Judge(digest.p, digest.now, score.Subject{Digest: &digest.r, Fresh: true}); v.Band != score.Clear {
			t.Fatalf("a fresh twin in a crowd stands at %s", v.Band)
		}
	})
}

func TestPropertyEverybodyIsClearAfter31Days(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := tales(t)
		last := h.r.Newest()
		for h.now < last+31*day { // talking and judging keep nothing alive
			h.now += rapid.Int64Range(hour, 10*day).Draw(t, "wait")
			h.clean(rapid.IntRange(1, 40).Draw(t, "peer"))
			h.judge()
		}
		v := score.Judge(h.p, h.now, score.Subject{Token: &h.r, Digest: &h.r, Fresh: true})
		if v.Band != score.Clear || v.Score != 0 {
			t.Fatalf("%s, %v", v.Band, v.Score)
		}
	})
}

func TestPropertyOrderOfSimultaneousReportsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policies(t)
		var batch, later []score.Event
		for i := range rapid.IntRange(2, 12).Draw(t, "batch") {
			e := reports(t, start+day, 1, 3)
			e.Pair = id(100 + i)
			batch = append(batch, e)
		}
		for i := range rapid.IntRange(0, 6).Draw(t, "later") {
			e := reports(t, start+day+int64(i)*20*hour, 1, 3)
			e.Pair = id(200 + i)
			later = append(later, e)
		}
		before := []score.Event{reports(t, start, 1, 3), reports(t, start+20*hour, 1, 3)}
		before[1].Pair = id(300)
		one, other := &score.Record{}, &score.Record{}
		fill(p, one, before, batch, later)
		fill(p, other, before, rapid.Permutation(batch).Draw(t, "permuted"), later)
		s, n := score.Score(p, start+9*day, one)
		z, m := score.Score(p, start+9*day, other)
		if math.Abs(s-z) > tiny || math.Abs(n-m) > tiny {
			t.Fatalf("%v (%v) in one order, %v (%v) in another", s, n, z, m)
		}
	})
}

func fill(p score.Policy, r *score.Record, parts ...[]score.Event) {
	for _, part := range parts {
		for _, e := range part {
			r.Add(p, e)
		}
	}
}

func TestPropertyReportNeverLowersAndCleanCallNeverRaises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := tales(t)
		for range 6 {
			h.now += pauses(t)
			s, n := h.score()
			h.r.Add(h.p, reports(t, h.now, 300, 8))
			after, more := h.score()
			if after < s-tiny || more < n-tiny {
				t.Fatalf("a report led from %v (%v) to %v (%v)", s, n, after, more)
			}
			h.clean(rapid.IntRange(1, 40).Draw(t, "peer"))
			if cleaner, _ := h.score(); cleaner > after+tiny {
				t.Fatalf("a clean call led from %v to %v", after, cleaner)
			}
		}
	})
}

func TestPropertyReportingEverybodyLosesCredibility(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policies(t)
		var w score.Window
		now, sum, rate := int64(start), 0.0, float32(1)
		for i := range 30 { // a call and a report every few minutes
			f := score.Weigh(p, now, score.Testimony{Window: w, Seconds: 60})
			if i > 1 && f.Rate >= rate {
				t.Fatalf("report %d has rate %v after %v", i, f.Rate, rate)
			}
			rate = f.Rate
			sum += float64(f.Rate)
			w = w.Reported(now).Talked(p, now, 60)
			now += rapid.Int64Range(1, 600).Draw(t, "pause")
		}
		if sum > 7 { // 1 + 1 + 1/1.9 + 1/2.8 + ...: a third reporter is worth half of one
			t.Fatalf("30 reports count like %v", sum)
		}
	})
}

func TestPropertyStoredRecordsMeanTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &tale{p: policies(t), now: start}
		h.r.Add(h.p, reports(t, h.now, 100, 8))
		for range rapid.IntRange(0, rapid.SampledFrom([]int{5, 20, 20, 90}).Draw(t, "length")).Draw(t, "steps") {
			h.now = score.Hour(h.now)
			h.r.Saw(h.p, h.now, id(rapid.IntRange(1, 9).Draw(t, "install")))
			h.step(t)
			if h.now = score.Hour(h.now); h.r.Newest() > h.now {
				h.now += hour // step reported at a time between hours
			}
		}
		coarse(&h.r)
		head := score.AppendRecord(nil, &h.r)
		size := len(head) + len(score.AppendSum(nil, h.r.SumUp(h.p, h.now)))
		taken := map[uint8]bool{}
		back, err := score.ParseRecord(head)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range h.r.Events {
			text := score.AppendEvent(nil, e)
			size += len(text)
			again, err := score.ParseEvent(text)
			if err != nil {
				t.Fatal(err)
			}
			if again.Slot = e.Slot; taken[e.Slot] || e.Slot >= score.MaxEvents {
				t.Fatalf("slot %d is taken", e.Slot)
			}
			taken[e.Slot] = true
			back.Events = append(back.Events, again)
		}
		if size > 4096 {
			t.Fatalf("a record takes %d bytes", size)
		}
		s, n := h.score()
		if z, m := score.Score(h.p, h.now, back); z != s || m != n {
			t.Fatalf("%v (%v) before, %v (%v) after", s, n, z, m)
		}
	})
}

// coarse puts all times of a record on whole hours, as the live service does from the outset.
func coarse(r *score.Record) {
	for i := range r.Events {
		r.Events[i].At = score.Hour(r.Events[i].At)
	}
	for i := range r.Clean {
		d := &r.Clean[i]
		d.Sum, d.Squares = d.Sum/hour*hour, d.Squares/hour/hour*hour*hour
	}
	r.SpellEnd = score.Hour(r.SpellEnd)
}

func TestPropertyMergedRecordsCountTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := tales(t)
		s, n := h.score()
		one, two := copied(h.r), copied(h.r)
		one.Events, two.Events = nil, nil
		for _, e := range h.r.Events { // of two weeks, say
			if rapid.Bool().Draw(t, "first") {
				one.Events = append(one.Events, e)
			} else {
				two.Events = append(two.Events, e)
			}
		}
		two.Clean, two.Peers = nil, nil
		if !one.Alive(h.p, h.now) { // its clean calls would go with it
			return
		}
		all := score.Merge(h.p, h.now, &one, nil, &two)
		z, m := score.Score(h.p, h.now, &all)
		if math.Abs(s-z) > tiny || math.Abs(n-m) > tiny {
			t.Fatalf("%v (%v) in one record, %v (%v) in two", s, n, z, m)
		}
	})
}
