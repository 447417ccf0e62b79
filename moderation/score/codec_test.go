package score_test

import (
	"bytes"
	"math"
	"testing"

	"parley/moderation/score"
)

func TestHour(t *testing.T) {
	for at, want := range map[int64]int64{0: 0, 3599: 0, 3600: 3600, start + 100: start, -1: -3600} {
		if got := score.Hour(at); got != want {
			t.Errorf("%d: %d, want %d", at, got, want)
		}
	}
}

func TestEventIsRefused(t *testing.T) {
	good := score.AppendEvent(nil, report(start, 1, 2, score.Hate))
	if len(good) != score.EventSize {
		t.Fatalf("%d bytes, want %d", len(good), score.EventSize)
	}
	for says, change := range map[string]func([]byte) []byte{
		"short":         func(b []byte) []byte { return b[:len(b)-1] },
		"long":          func(b []byte) []byte { return append(b, 0) },
		"version":       func(b []byte) []byte { b[0]++; return b },
		"reason":        func(b []byte) []byte { b[5] = 6; return b },
		"flags":         func(b []byte) []byte { b[6] = 16; return b },
		"rate above 1":  func(b []byte) []byte { b[7] = 0x40; return b },
		"negative rate": func(b []byte) []byte { b[7] |= 0x80; return b },
		"NaN used":      func(b []byte) []byte { b[11], b[12] = 0x7f, 0xff; return b },
		"infinite used": func(b []byte) []byte { b[15], b[16] = 0x7f, 0x80; return b },
	} {
		if _, err := score.ParseEvent(change(bytes.Clone(good))); err == nil {
			t.Errorf("an event with the wrong %s passes", says)
		}
	}
}

func FuzzEvent(f *testing.F) {
	f.Add(score.AppendEvent(nil, report(start, 1, 2, score.Other)))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := score.ParseEvent(b)
		if err != nil {
			return
		}
		if again := score.AppendEvent(nil, e); !bytes.Equal(again, b) {
			t.Errorf("%x came back as %x", b, again)
		}
		p := balanced(t)
		r := score.Record{Events: []score.Event{e}}
		if s, n := score.Score(p, e.At, &r); math.IsNaN(s) || s < 0 || s > 1 || n < 0 || n > 1 {
			t.Errorf("score %v, %v reporters", s, n)
		}
	})
}

func FuzzSum(f *testing.F) {
	h := &tale{p: balanced(f), now: score.Hour(start)}
	h.heap(1, 5, score.Hate)
	f.Add(score.AppendSum(nil, h.r.SumUp(h.p, h.now)))
	f.Add(score.AppendSum(nil, score.Sum{}))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := score.ParseSum(b)
		if err != nil {
			return
		}
		if again := score.AppendSum(nil, s); !bytes.Equal(again, b) || len(b) > score.MaxSumSize {
			t.Errorf("%x came back as %x", b, again)
		}
		r := score.Record{Sum: s}
		if r.Brief(balanced(t), start) {
			if s, n := score.Score(balanced(t), start, &r); math.IsNaN(s) || s < 0 || s > 1 || math.IsNaN(n) || n < 0 {
				t.Errorf("score %v, %v reporters", s, n)
			}
		}
	})
}

func FuzzRecord(f *testing.F) {
	h := &tale{p: balanced(f), now: score.Hour(start)}
	h.heap(1, 5, score.Hate)
	h.clean(9)
	h.r.Saw(h.p, h.now, id(4))
	h.judge()
	f.Add(score.AppendRecord(nil, &h.r))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := score.ParseRecord(b)
		if err != nil {
			return
		}
		again := score.AppendRecord(nil, r)
		if olderShape := b[0] != 1 || !bytes.Equal(b[7:15], make([]byte, 8)); !olderShape && !bytes.Equal(again, b) {
			t.Errorf("%x came back as %x", b, again)
		}
		b = again
		r.Events = append(r.Events, report(start, 1, 1, score.Hate))
		if len(b) > score.MaxRecordSize {
			t.Errorf("%d bytes", len(b))
		}
		s, n := score.Score(balanced(t), start, r)
		if math.IsNaN(s) || s < 0 || s > 1 || math.IsNaN(n) || n < 0 {
			t.Errorf("score %v, %v reporters", s, n)
		}
		score.Judge(balanced(t), start, score.Subject{Token: r, Digest: r, Fresh: true})
	})
}
