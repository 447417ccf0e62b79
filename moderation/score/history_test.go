package score_test

import (
	"encoding/binary"
	"testing"

	"pgregory.net/rapid"

	"parley/moderation/score"
)

const (
	second = 1
	hour   = 3600
	day    = 24 * hour
	start  = 1_800_000_000
)

// id names somebody or something by a number.
func id(n int) (i score.ID) {
	binary.BigEndian.PutUint64(i[:], uint64(n))
	return i
}

func preset(tb testing.TB, name string) score.Policy {
	tb.Helper()
	p, err := score.Preset(name)
	if err != nil {
		tb.Fatal(err)
	}
	if err := p.Check(); err != nil {
		tb.Fatal(err)
	}
	return p
}

func balanced(tb testing.TB) score.Policy { return preset(tb, score.Default) }

func policies(t *rapid.T) score.Policy {
	p, err := score.Preset(rapid.SampledFrom(score.Presets()).Draw(t, "preset"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// report returns a report that weighs as much as any of its reason.
func report(at int64, reporter, net int, reason score.Reason) score.Event {
	return score.Event{At: at, Reason: reason, Pair: id(reporter), Net: id(net), Factors: score.Factors{Rate: 1}}
}

// reports draws any report.
func reports(t *rapid.T, at int64, reporters, nets int) score.Event {
	e := report(at, rapid.IntRange(1, reporters).Draw(t, "reporter"), rapid.IntRange(1, nets).Draw(t, "net"),
		rapid.SampledFrom(score.Reasons()).Draw(t, "reason"))
	e.Factors = score.Factors{
		Rate: float32(1 / (1 + max(0, rapid.Float64Range(-3, 3).Draw(t, "excess")))),
		New:  rapid.Bool().Draw(t, "new"), Short: rapid.Bool().Draw(t, "short"),
		Pool: rapid.IntRange(0, 9).Draw(t, "pool") == 0, SameNet: rapid.IntRange(0, 9).Draw(t, "same") == 0,
	}
	return e
}

// pauses draws how long nothing happens: often nothing, seldom weeks.
func pauses(t *rapid.T) int64 {
	most := rapid.SampledFrom([]int64{0, 0, second * 90, hour, day, 8 * day, 20 * day}).Draw(t, "most")
	return rapid.Int64Range(0, most).Draw(t, "pause")
}

// tale is a record in the making.
type tale struct {
	p   score.Policy
	now int64
	r   score.Record
}

// step does one thing that may happen to a record.
func (h *tale) step(t *rapid.T) {
	h.now += pauses(t)
	switch rapid.IntRange(0, 3).Draw(t, "what") {
	case 0, 1:
		h.r.Add(h.p, reports(t, h.now, 100, 8))
	case 2:
		h.clean(rapid.IntRange(1, 40).Draw(t, "peer"))
	case 3:
		h.judge()
	}
}

func (h *tale) clean(peer int) bool {
	return h.r.Exposed(h.p, score.Exposure{At: h.now, Seconds: 300, Peer: id(peer)})
}

func (h *tale) judge() score.Verdict {
	return score.Judge(h.p, h.now, score.Subject{Token: &h.r})
}

func (h *tale) score() (value, reporters float64) { return score.Score(h.p, h.now, &h.r) }

// copied returns a record that shares nothing with r.
func copied(r score.Record) score.Record {
	r.Events = append([]score.Event(nil), r.Events...)
	r.Clean = append([]score.Day(nil), r.Clean...)
	r.Peers = append([]score.Seen(nil), r.Peers...)
	r.Crowd = append([]score.Seen(nil), r.Crowd...)
	return r
}

func tales(t *rapid.T) *tale {
	h := &tale{p: policies(t), now: start}
	h.r.Add(h.p, reports(t, h.now, 100, 8))
	for range rapid.IntRange(0, rapid.SampledFrom([]int{5, 20, 20, 90}).Draw(t, "length")).Draw(t, "steps") {
		h.step(t)
	}
	return h
}
