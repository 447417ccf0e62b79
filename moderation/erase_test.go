package moderation_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/moderation"
	"parley/retention"
)

func TestGivenUp(t *testing.T) { both(t, gaveUpItsToken) }

// gaveUpItsToken: who erases and goes on with its token keeps nothing of its age; the record of its
// kind of browser stays, and counts for nobody else than before.
func gaveUpItsToken(t *testing.T, w world) {
	ctx := t.Context()
	abuser, twin, clean := digestOf("x", bo), digestOf("x", cy), digestOf("z", ana)
	w.accuse(t, abuser, 3, moderation.Threat)
	if v := w.admit(t, abuser); v.GaveUp || v.Band != moderation.Restricted {
		t.Fatalf("before: %+v", v)
	}
	for range 2 {
		if err := w.Erase(ctx, abuser); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // at first, and when this node remembers it
		if v := w.admit(t, abuser); !v.GaveUp || v.Band != moderation.Restricted {
			t.Errorf("with its old token: %+v, want what a newcomer of its kind is", v)
		}
	}
	if v := w.admit(t, twin); v.GaveUp || v.Band != moderation.Clear {
		t.Errorf("a twin: %+v", v)
	}
	at, err := w.Standing(ctx, abuser, time.Now())
	if err != nil || !at.GaveUp || !at.Alike || !at.Records || at.Own || at.Band != moderation.Restricted || at.Expires.IsZero() {
		t.Errorf("standing: %+v %v", at, err)
	}
	if at, err = w.Standing(ctx, twin, time.Now()); err != nil || at.GaveUp || !at.Alike || at.Band != moderation.Clear {
		t.Errorf("standing of a twin: %+v %v", at, err)
	}
	if all, err := w.Records(ctx); err != nil || len(all) != 1 || !all[0].Digest {
		t.Errorf("%+v %v, want the record of the kind alone", all, err)
	}
	// Of whom nothing is stored, nothing is stored by erasing.
	before := w.keys(t)
	if err := w.Erase(ctx, clean); err != nil {
		t.Fatal(err)
	}
	if now := w.keys(t); !slices.Equal(before, now) {
		t.Errorf("%q became %q", before, now)
	}
	w.audit(t)
}

// TestMarkEnds: the mark is gone 30 days after the token was given up, whatever came meanwhile, and
// counts until then.
func TestMarkEnds(t *testing.T) {
	for name, report := range map[string]time.Duration{
		"alone": 0, "reported in the same hour": time.Minute, "in another week": 8 * 24 * time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T, w world) {
				w.accuse(t, bo, 1, moderation.Hate)
				if err := w.Erase(t.Context(), bo); err != nil {
					t.Fatal(err)
				}
				end := time.Now().Add(retention.MarkTime)
				if all := w.keys(t); len(all) == 0 || !about(w.rdb.PTTL(t.Context(), marked(w, t)).Val(), retention.MarkTime) {
					t.Errorf("%q", all)
				}
				reports := 0
				for ; report > 0 && time.Now().Add(report).Before(end); reports++ {
					w.pass(report)
					w.accuse(t, bo, 1, moderation.Threat)
					if v := w.admit(t, bo); !v.GaveUp || v.Band == moderation.Clear {
						t.Fatalf("after %d more reports: %+v", reports+1, v)
					}
					w.audit(t)
					if reports == 2 {
						break
					}
				}
				w.pass(time.Until(end) - time.Minute)
				if v := w.admit(t, bo); !v.GaveUp {
					t.Errorf("a minute before its end the mark is gone: %+v", v)
				}
				w.pass(2 * time.Minute)
				if v := w.admit(t, bo); v.GaveUp {
					t.Error("the mark outlives its 30 days")
				}
				if key := marked(w, t); key != "" {
					t.Errorf("it is still stored at %s", key)
				}
			})
		})
	}
}

// marked returns the key of a mark; "" when there is none.
func marked(w world, t *testing.T) string {
	t.Helper()
	for _, key := range w.keys(t) {
		if text := w.rdb.Get(t.Context(), key).Val(); strings.Contains(key, "{d}:re") && len(text) == 33 && text[8] == 'g' {
			return key
		}
	}
	return ""
}

// TestMarkAmongReports: a full record and an operator who deletes it leave the mark where it is.
func TestMarkAmongReports(t *testing.T) { both(t, markAmongReports) }

func markAmongReports(t *testing.T, w world) {
	ctx := t.Context()
	w.accuse(t, bo, 1, moderation.Hate)
	if err := w.Erase(ctx, bo); err != nil {
		t.Fatal(err)
	}
	w.accuse(t, bo, moderation.MaxReports+3, moderation.Hate)
	all, err := w.Records(ctx)
	if err != nil || len(all) != 1 || len(all[0].Events) != moderation.MaxReports-1 {
		t.Fatalf("%d records, %d reports, %v", len(all), len(all[0].Events), err)
	}
	slots := map[uint8]bool{}
	for _, e := range all[0].Events {
		slots[e.Slot] = true
	}
	if len(slots) != moderation.MaxReports-1 || slots[moderation.MaxReports-1] {
		t.Errorf("slots %v", slots)
	}
	code, err := w.OpenReview(ctx, bo, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.FindReview(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.CloseReview(ctx, r.Name, moderation.Expunged); err != nil {
		t.Fatal(err)
	}
	if v := w.admit(t, bo); !v.GaveUp || v.Band != moderation.Clear {
		t.Errorf("after it was expunged: %+v", v)
	}
	if key := marked(w, t); !strings.Contains(key, ":record:") {
		t.Errorf("the mark lies at %q", key)
	}
	w.audit(t)
}

// TestGivenUpHasNoCredit: a token that was given up reports like a new one, its calls are no clean
// ones for others, and it is none of the established installs of its kind.
func TestGivenUpHasNoCredit(t *testing.T) {
	virtual(t, func(t *testing.T, w world) {
		stop := w.run(t)
		erased := digestOf("x", cy)
		w.accuse(t, erased, 1, moderation.Hate)
		if err := w.Erase(t.Context(), erased); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			w.Talked(fmt.Sprint("before", i), erased, number(i), time.Minute)
		}
		w.accuse(t, bo, 1, moderation.Hate)
		w.Talked("with bo", bo, erased, time.Minute)
		w.pass(11 * time.Minute)
		if n := w.clean(t); n != 4 {
			t.Errorf("%d calls count as clean, want the four of its kind, and none of bo's", n)
		}
		w.begin(t, "call")
		if err := w.reported(t, "call", erased, bo, moderation.Hate); err != nil {
			t.Fatal(err)
		}
		all, err := w.Records(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			if r.Digest {
				if len(r.Crowd) != 1 { // as it was seen before
					t.Errorf("%d established installs", len(r.Crowd))
				}
				continue
			}
			if e := r.Events[len(r.Events)-1]; !e.New {
				t.Errorf("its report is %+v", e)
			}
		}
		stop()
	})
}
