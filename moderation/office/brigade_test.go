package office_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"parley/moderation"
	"parley/moderation/office"
)

// TestVoid: the reports of one network within the time go, and no others; the preview says so before,
// and what was judged by them is judged anew.
func TestVoid(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		target := device(1)
		for i := range 5 { // five installs on one network, and one elsewhere
			reporter := device(100 + i)
			reporter.Net = "brigade000000000"
			w.reported(t, fmt.Sprint("call", i), reporter, target, moderation.Sexual)
			w.reported(t, fmt.Sprint("other", i), reporter, device(2+i), moderation.Hate)
		}
		w.reported(t, "honest", device(200), target, moderation.Spam)
		was := w.standing(t, target)
		now := time.Now()
		networks, err := w.Networks(t.Context(), now.Add(-2*time.Hour), now.Add(time.Hour), now)
		if err != nil || len(networks) != 2 || networks[0].Reports != 10 || networks[0].Targets != 6 {
			t.Fatalf("%+v, %v", networks, err)
		}
		span := office.Span{Network: networks[0].Name, From: now.Add(-2 * time.Hour), To: now.Add(time.Hour)}
		before := span
		before.From, before.To = now.Add(-4*time.Hour), now.Add(-2*time.Hour)
		if p, err := w.PreviewVoid(t.Context(), before, now); err != nil || p.Reports != 0 {
			t.Errorf("of the hours before: %+v, %v", p, err)
		}
		within := span
		within.From = networks[0].First.Add(time.Millisecond) // an hour counts whole
		if p, err := w.PreviewVoid(t.Context(), within, now); err != nil || p.Reports != 10 {
			t.Errorf("from within the hour: %+v, %v", p, err)
		}
		p, err := w.PreviewVoid(t.Context(), span, now)
		if err != nil || p.Reports != 10 || p.Targets != 6 {
			t.Fatalf("%+v, %v", p, err)
		}
		if again := w.standing(t, target); len(again.Reasons) != len(was.Reasons) {
			t.Error("the preview changed something")
		}
		n, err := w.Void(t.Context(), span, by("mira", "a brigade"))
		if err != nil || n != 10 {
			t.Fatalf("%d voided, %v", n, err)
		}
		if s := w.standing(t, target); len(s.Reasons) != 1 || s.Reasons[0].Reason != moderation.Spam {
			t.Errorf("%+v", s)
		}
		if s := w.standing(t, device(3)); s.Records {
			t.Errorf("a record without reports is left: %+v", s)
		}
		if p, err := w.PreviewVoid(t.Context(), span, now); err != nil || p.Reports != 0 {
			t.Errorf("afterwards: %+v, %v", p, err)
		}
	})
}

func (w world) standing(t *testing.T, dev moderation.Device) moderation.Standing {
	t.Helper()
	s, err := w.desk.Standing(t.Context(), dev, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestVoidRefuses(t *testing.T) {
	w := newWorld(t, embedded(t))
	now := time.Now()
	for _, c := range []struct {
		span office.Span
		want error
	}{
		{office.Span{Network: "x", From: now.Add(-time.Hour), To: now}, office.ErrNetwork},
		{office.Span{Network: "AAAAAAAAAAA", From: now, To: now.Add(-time.Hour)}, office.ErrWindow},
		{office.Span{Network: "AAAAAAAAAAA", From: now.Add(-40 * 24 * time.Hour), To: now}, office.ErrWindow},
		{office.Span{Network: "AAAAAAAAAAA"}, office.ErrWindow},
	} {
		if _, err := w.Void(t.Context(), c.span, by("mira", "a brigade")); !errors.Is(err, c.want) {
			t.Errorf("%+v: %v, want %v", c.span, err, c.want)
		}
	}
	if lines, _ := w.History(t.Context(), 9); len(lines) != 0 {
		t.Errorf("%d lines of what was refused", len(lines))
	}
}
