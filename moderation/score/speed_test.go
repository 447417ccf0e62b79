package score_test

import (
	"testing"

	"parley/moderation/score"
)

// full returns a record with as much in it as fits, over a month.
func full(tb testing.TB) *tale {
	tb.Helper()
	h := &tale{p: balanced(tb), now: start}
	for i := range score.MaxEvents {
		h.r.Add(h.p, report(h.now, i, i%20, score.Hate))
		for peer := range 3 {
			h.clean(peer)
		}
		h.now += 11 * hour
	}
	return h
}

// BenchmarkJudge judges a full record; the baseline one with a single report.
func BenchmarkJudge(b *testing.B) {
	one := &tale{p: balanced(b), now: start}
	one.heap(1, 1, score.Hate)
	for name, h := range map[string]*tale{"full": full(b), "baseline": one} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				h.judge()
			}
		})
	}
}

// BenchmarkMerge joins what six keys hold of one device, and judges it.
func BenchmarkMerge(b *testing.B) {
	h := full(b)
	parts := make([]*score.Record, 6)
	for i := range parts {
		r := copied(h.r)
		r.Events = nil
		if i > 0 {
			r.Clean, r.Peers = nil, nil
		}
		for k, e := range h.r.Events {
			if k%len(parts) == i {
				r.Events = append(r.Events, e)
			}
		}
		parts[i] = &r
	}
	b.ReportAllocs()
	for b.Loop() {
		all := score.Merge(h.p, h.now, parts...)
		score.Judge(h.p, h.now, score.Subject{Token: &all})
	}
}
