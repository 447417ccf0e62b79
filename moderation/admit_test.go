package moderation_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/vtest"
	"parley/moderation"
	"parley/moderation/score"
	"parley/retention"
)

// accuse lets n people of different networks report target, each in a call of its own.
func (w world) accuse(t *testing.T, target moderation.Device, n int, reason moderation.Reason) {
	t.Helper()
	for range n {
		i := rand.IntN(1e12)
		reporter := moderation.Device{Token: fmt.Sprintf("%043d", i), Net: fmt.Sprintf("%016d", i)}
		call := fmt.Sprintf("call%d", i)
		w.begin(t, call)
		if err := w.reported(t, call, reporter, target, reason); err != nil {
			t.Fatal(err)
		}
	}
}

func (w world) admit(t *testing.T, dev moderation.Device) moderation.Verdict {
	t.Helper()
	v, err := w.Admit(t.Context(), dev, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAdmit(t *testing.T) { both(t, admit) }

// admit: more independent reports lead from band to band, and each says why.
func admit(t *testing.T, w world) {
	if v := w.admit(t, bo); v.Band != moderation.Clear || v.Score != 0 || v.Reasons != nil {
		t.Errorf("without reports: %+v", v)
	}
	var bands []string
	for range 5 {
		w.accuse(t, bo, 1, moderation.Threat)
		v := w.admit(t, bo)
		bands = append(bands, v.Band.String())
		if v.Band != moderation.Clear && !slices.Equal(v.Reasons, []moderation.Reason{moderation.Threat}) {
			t.Errorf("%v for %v", v.Band, v.Reasons)
		}
	}
	want := "watch restricted restricted cooldown cooldown"
	if got := strings.Join(bands, " "); !strings.HasPrefix(got, "watch ") || !strings.Contains(got, "restricted") {
		t.Errorf("bands %q, want about %q", got, want)
	}
	if v := w.admit(t, ana); v.Band != moderation.Clear {
		t.Errorf("somebody else is %v", v.Band)
	}
}

func TestCooldownEnds(t *testing.T) {
	virtual(t, func(t *testing.T, w world) {
		w.accuse(t, bo, 4, moderation.Sexual)
		w.pass(25 * time.Hour) // the cap of a day
		w.accuse(t, bo, 4, moderation.Sexual)
		v := w.admit(t, bo)
		if v.Band != moderation.Cooldown || v.Probation {
			t.Fatalf("%+v, want cooldown", v)
		}
		lasts := time.Until(v.Until)
		if lasts > 24*time.Hour || lasts < 23*time.Hour {
			t.Errorf("it lasts %v", lasts)
		}
		if again := w.admit(t, bo); !again.Until.Equal(v.Until) {
			t.Errorf("asking again moved the end from %v to %v", v.Until, again.Until)
		}
		at, err := w.Standing(t.Context(), bo, time.Now())
		if err != nil || !at.Until.Equal(v.Until) || at.Band != moderation.Cooldown {
			t.Errorf("standing %+v %v", at, err)
		}
		w.pass(lasts + time.Second)
		if v := w.admit(t, bo); v.Band != moderation.Restricted {
			t.Errorf("after it was served: %+v", v)
		}
		w.pass(31 * 24 * time.Hour)
		if v := w.admit(t, bo); v.Band != moderation.Clear {
			t.Errorf("after 31 days: %+v", v)
		}
		if n, err := w.rdb.DBSize(t.Context()).Result(); n != 0 || err != nil {
			t.Errorf("%d keys are left: %q", n, w.keys(t))
		}
	})
}

// TestProbation: about a quarter of the searches of a restricted device stand in the open pool, and
// searching again without a call draws nothing anew.
func TestProbation(t *testing.T) {
	virtual(t, func(t *testing.T, w world) {
		open, all := 0, 0
		for i := range 40 {
			dev := number(i)
			w.accuse(t, dev, 3, moderation.Threat)
			first := w.admit(t, dev)
			if first.Band != moderation.Restricted {
				t.Fatalf("%+v", first)
			}
			for range 5 {
				if again := w.admit(t, dev); again.Probation != first.Probation {
					t.Fatal("searching again drew anew")
				}
			}
			all++
			band, meets := first.Stands()
			if first.Probation {
				open++
				if band != moderation.Watch || len(meets) != 2 {
					t.Errorf("on probation it stands as %v %v", band, meets)
				}
			} else if band != moderation.Restricted || len(meets) != 1 {
				t.Errorf("it stands as %v %v", band, meets)
			}
		}
		if share := float64(open) / float64(all); math.Abs(share-0.25) > 0.2 {
			t.Errorf("%d of %d are on probation", open, all)
		}
	})
}

func digestOf(letter string, dev moderation.Device) moderation.Device {
	dev.Digest = strings.Repeat(letter, 43)
	return dev
}

func TestDigestSpeaksForFreshInstallsOnly(t *testing.T) {
	both(t, digestSpeaksForFreshInstallsOnly)
}

// digestSpeaksForFreshInstallsOnly: who clears the storage is no newcomer, and a twin of an abuser
// is.
func digestSpeaksForFreshInstallsOnly(t *testing.T, w world) {
	abuser := digestOf("x", bo)
	w.accuse(t, abuser, 3, moderation.Threat)
	cleared := digestOf("x", cy)
	cleared.Fresh = true
	if v := w.admit(t, cleared); v.Band < moderation.Restricted {
		t.Errorf("a new token with the digest: %+v", v)
	}
	twin := cleared
	twin.Fresh = false
	if v := w.admit(t, twin); v.Band != moderation.Clear {
		t.Errorf("an older install with the digest: %+v", v)
	}
	other := digestOf("y", cy)
	other.Fresh = true
	if v := w.admit(t, other); v.Band != moderation.Clear {
		t.Errorf("another digest: %+v", v)
	}
}

// TestTwins: where several established installs share a digest it condemns nobody.
func TestTwins(t *testing.T) {
	virtual(t, func(t *testing.T, w world) {
		stop := w.run(t)
		abuser := digestOf("x", bo)
		w.accuse(t, abuser, 3, moderation.Threat)
		fresh := digestOf("x", cy)
		fresh.Fresh = true
		for i := range 4 { // the abuser is one of those seen
			if v := w.admit(t, fresh); (v.Band == moderation.Clear) != (i > 1) {
				t.Errorf("after %d established installs: %+v", i, v)
			}
			w.Talked(fmt.Sprint("twin", i), digestOf("x", number(i)), ana, time.Minute)
			w.pass(11 * time.Minute)
		}
		stop()
	})
}

// TestTokenOnly: no digest is stored, and none is looked for.
func TestTokenOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb := vtest.NewRedis(t)
		cfg := config(rdb.Client)
		w := world{moderation.New(cfg), rdb.Client, nil}
		abuser, cleared := digestOf("x", bo), digestOf("x", cy)
		cleared.Fresh = true
		w.accuse(t, abuser, 3, moderation.Threat)
		cfg.TokenOnly = true
		only := world{moderation.New(cfg), rdb.Client, nil}
		if v := only.admit(t, cleared); v.Band != moderation.Clear {
			t.Errorf("a digest was looked up: %+v", v)
		}
		if v := only.admit(t, abuser); v.Band < moderation.Restricted {
			t.Errorf("a token was not looked up: %+v", v)
		}
		if err := vtest.Flush(t.Context(), rdb.Client); err != nil {
			t.Fatal(err)
		}
		only.accuse(t, abuser, 1, moderation.Threat)
		all, err := only.Records(t.Context())
		if err != nil || len(all) != 1 || all[0].Digest {
			t.Errorf("%d records, %v: %+v", len(all), err, all)
		}
	})
}

func TestStandingAndErase(t *testing.T) { both(t, standingAndErase) }

func standingAndErase(t *testing.T, w world) {
	ctx := t.Context()
	abuser := digestOf("x", bo)
	at, err := w.Standing(ctx, abuser, time.Now())
	if err != nil || at.Records || at.Band != moderation.Clear || !at.Expires.IsZero() {
		t.Errorf("before: %+v %v", at, err)
	}
	if _, err := w.OpenReview(ctx, abuser, time.Now()); err == nil || err != moderation.ErrNoRecords { //nolint:errorlint // it is bare
		t.Errorf("review without records: %v", err)
	}
	w.accuse(t, abuser, 2, moderation.Hate)
	w.accuse(t, abuser, 1, moderation.Spam)
	at, err = w.Standing(ctx, abuser, time.Now())
	want := []moderation.ReasonCount{{Reason: moderation.Hate, Count: 2}, {Reason: moderation.Spam, Count: 1}}
	if err != nil || !at.Records || at.Band < moderation.Watch || !slices.Equal(at.Reasons, want) {
		t.Errorf("%+v %v", at, err)
	}
	if left := time.Until(at.Expires); left > retention.ReportTime || left < retention.ReportTime-time.Minute {
		t.Errorf("the last record goes in %v", left)
	}
	code, err := w.OpenReview(ctx, abuser, time.Now())
	if err != nil || len(code) != 24 {
		t.Fatalf("code %q %v", code, err)
	}
	w.reporting(t, abuser)
	if at, err = w.Standing(ctx, abuser, time.Now()); err != nil || !at.Reviewed {
		t.Errorf("under review: %+v %v", at, err)
	}
	before := len(w.keys(t))
	for range 2 {
		if err := w.Erase(ctx, abuser); err != nil {
			t.Fatal(err)
		}
	}
	if at, err = w.Standing(ctx, abuser, time.Now()); err != nil || !at.GaveUp || !at.Alike || at.Reviewed {
		t.Errorf("after it was erased: %+v %v", at, err)
	}
	newcomer := digestOf("x", cy)
	newcomer.Fresh = true
	if v, other := w.admit(t, abuser), w.admit(t, newcomer); v.Band != other.Band || v.Score != other.Score || !v.GaveUp || other.GaveUp {
		t.Errorf("after it was erased: %+v, a newcomer: %+v", v, other)
	}
	if state, err := w.Answer(ctx, code); state != moderation.Unknown || err != nil {
		t.Errorf("the review outlived its records: %v %v", state, err)
	}
	// Three reports, their sum, one review, its own window; in the place of the record lies the mark.
	if after := len(w.keys(t)); before-after != 6 {
		t.Errorf("%d keys were deleted, want 6: %q", before-after, w.keys(t))
	}
}

// reporting lets dev report somebody, so that it has a window.
func (w world) reporting(t *testing.T, dev moderation.Device) {
	t.Helper()
	w.begin(t, "own")
	if err := w.reported(t, "own", dev, ana, moderation.Spam); err != nil {
		t.Fatal(err)
	}
}

func TestReviews(t *testing.T) { both(t, reviews) }

// reviews: an operator sees what a review is about, and nobody whose it is; the answer is asked for
// by the code.
func reviews(t *testing.T, w world) {
	ctx := t.Context()
	w.accuse(t, bo, 2, moderation.Hate)
	w.accuse(t, cy, 1, moderation.Hate)
	first, err := w.OpenReview(ctx, bo, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	code, err := w.OpenReview(ctx, bo, time.Now())
	if err != nil || code == first {
		t.Fatal(code, err)
	}
	other, err := w.OpenReview(ctx, cy, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	states := func(codes ...string) (all string) {
		for _, c := range codes {
			s, err := w.Answer(ctx, c)
			if err != nil {
				t.Fatal(err)
			}
			all += s.String() + " "
		}
		return all
	}
	if got := states(first, code, strings.ToUpper(strings.ReplaceAll(code, "-", " ")), "nonsense"); got != "unknown open open unknown " {
		t.Errorf("states %q", got)
	}
	open, err := w.OpenReviews(ctx)
	if err != nil || len(open) != 2 {
		t.Fatalf("%d open reviews, %v", len(open), err)
	}
	found, err := w.FindReview(ctx, code)
	if err != nil || found.State != moderation.Open || len(found.Records) != 1 || len(found.Records[0].Events) != 2 {
		t.Fatalf("found %+v %v", found, err)
	}
	for range 2 {
		if err := w.CloseReview(ctx, found.Name, moderation.Expunged); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := w.FindReview(ctx, other)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.CloseReview(ctx, kept.Name, moderation.Kept); err != nil {
		t.Fatal(err)
	}
	if got := states(code, other); got != "expunged kept " {
		t.Errorf("states %q", got)
	}
	if v := w.admit(t, bo); v.Band != moderation.Clear {
		t.Errorf("after it was expunged: %+v", v)
	}
	if n := len(w.reports(t)); n != 1 {
		t.Errorf("%d reports are left, want that on the other", n)
	}
	if left := w.rdb.PTTL(ctx, retention.Review.Key(found.Name)).Val(); !about(left, retention.ReviewTime) {
		t.Errorf("the review lives for %v", left)
	}
}

// TestReviewOfATwin: whoever has a browser of the same kind does not end somebody's review, and when
// that was answered may ask for one of their own.
func TestReviewOfATwin(t *testing.T) { both(t, reviewOfATwin) }

func reviewOfATwin(t *testing.T, w world) {
	one, twin := digestOf("x", bo), digestOf("x", cy)
	w.accuse(t, one, 2, moderation.Hate)
	code, err := w.OpenReview(t.Context(), one, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.OpenReview(t.Context(), twin, time.Now()); !errors.Is(err, moderation.ErrNoRecords) {
		t.Errorf("a twin of whom nothing is stored: %v", err)
	}
	w.accuse(t, twin, 1, moderation.Hate)
	if _, err := w.OpenReview(t.Context(), twin, time.Now()); err != nil {
		t.Errorf("a twin with a record: %v", err)
	}
	r, err := w.FindReview(t.Context(), code)
	if err != nil || r.State != moderation.Open || len(r.Records) != 2 {
		t.Fatalf("the first review: %+v, %v, want that of token and digest, open", r, err)
	}
	if err := w.CloseReview(t.Context(), r.Name, moderation.Kept); err != nil {
		t.Fatal(err)
	}
	code, err = w.OpenReview(t.Context(), twin, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := w.FindReview(t.Context(), code); err != nil || len(again.Records) != 2 {
		t.Errorf("the twin's, after that was answered: %+v, %v", again, err)
	}
}

// TestFactorsReachTheRecord: what is known of reporter and call stands in the report.
func TestFactorsReachTheRecord(t *testing.T) {
	virtual(t, func(t *testing.T, w world) {
		stop := w.run(t)
		near, far := ana, cy
		near.Net, far.Net = "net-of-bo-123456", "another-net-1234"
		target := bo
		target.Net = near.Net
		report := func(call string, reporter moderation.Device, talks, ended time.Duration) score.Event {
			w.begin(t, call)
			began := time.Now()
			w.pass(talks)
			if ended >= 0 {
				if err := w.End(t.Context(), call); err != nil {
					t.Fatal(err)
				}
				w.Talked(call, reporter, target, talks)
				w.pass(ended)
			}
			if _, err := w.Report(t.Context(), reporter, w.Handle(call, reporter, target, began), moderation.Hate, time.Now()); err != nil {
				t.Fatal(err)
			}
			all, err := w.Records(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return all[0].Events[len(all[0].Events)-1]
		}
		if e := report("one", near, 5*time.Second, -1); !e.Short || !e.SameNet || !e.New || e.Rate != 1 {
			t.Errorf("a short call on one network: %+v", e)
		}
		if err := w.Erase(t.Context(), target); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			w.Talked(fmt.Sprint("before", i), far, number(i), time.Minute)
		}
		w.pass(time.Second)
		if e := report("two", far, time.Minute, 5*time.Minute); e.Short || e.SameNet || e.New || e.Rate != 1 {
			t.Errorf("after a long call: %+v", e)
		}
		stop()
	})
}
