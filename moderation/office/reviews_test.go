package office_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"parley/moderation"
	"parley/moderation/office"
)

// TestReviews: somebody asks for a review, an operator finds it in the list and by the code, decides,
// and the answer is there for the code.
func TestReviews(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		ana, bo := device(1), device(2)
		for i, target := range []moderation.Device{ana, bo} {
			w.reported(t, "one", device(100+i), target, moderation.Hate)
			w.reported(t, "two", device(200+i), target, moderation.Spam)
		}
		codes := map[string]string{}
		for name, dev := range map[string]moderation.Device{"ana": ana, "bo": bo} {
			code, err := w.desk.OpenReview(t.Context(), dev, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			codes[name] = code
		}
		if all, err := w.Reviews(t.Context(), time.Now()); err != nil || len(all) != 2 {
			t.Fatalf("%+v, %v", all, err)
		}
		for name, verdict := range map[string]office.ReviewVerdict{"ana": office.Expunge, "bo": office.Keep} {
			r, err := w.FindReview(t.Context(), strings.ToUpper(codes[name]), time.Now())
			if err != nil || r.Reports != 2 || r.Reasons["hate"] != 1 || r.Reasons["spam"] != 1 || r.State != "open" {
				t.Fatalf("%+v, %v", r, err)
			}
			if age := time.Since(r.Opened); age < -time.Minute || age > 2*time.Minute {
				t.Errorf("opened %v ago", age)
			}
			if err := w.AnswerReview(t.Context(), r.ID, verdict, by("mira", "looked at it")); err != nil {
				t.Fatal(err)
			}
			state, err := w.desk.Answer(t.Context(), codes[name])
			if err != nil || state.String() != string(verdict) {
				t.Errorf("the answer is %v, %v", state, err)
			}
			if err := w.AnswerReview(t.Context(), r.ID, verdict, by("noor", "again")); !errors.Is(err, office.ErrCode) {
				t.Errorf("answered twice: %v", err)
			}
			if _, err := w.FindReview(t.Context(), codes[name], time.Now()); !errors.Is(err, office.ErrCode) {
				t.Errorf("found after the answer: %v", err)
			}
		}
		if s := w.standing(t, ana); s.Records {
			t.Errorf("ana's record was expunged, and is there: %+v", s)
		}
		if s := w.standing(t, bo); !s.Records || s.Reviewed {
			t.Errorf("bo's record was kept: %+v", s)
		}
		lines, err := w.History(t.Context(), 9)
		if err != nil || len(lines) != 2 || lines[0].Act != office.ActReview {
			t.Errorf("%+v, %v", lines, err)
		}
		for _, l := range lines {
			if text := string(l.New) + string(l.Old); strings.Contains(text, codes["ana"]) || !strings.Contains(text, "verdict") {
				t.Errorf("line %d: %s", l.Seq, text)
			}
		}
	})
}
