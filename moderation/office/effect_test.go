package office_test

import (
	"testing"
	"time"

	"parley/moderation/office"
	"parley/moderation/score"
)

// TestEffect: of acts that were written down at the same moment, on machines that do not share a file,
// one takes effect; and one whose operator saw another policy changes nothing.
func TestEffect(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		one, other := office.Anchor{Seq: 1, Hash: "one"}, office.Anchor{Seq: 1, Hash: "other"}
		for _, c := range []struct {
			name         string
			before, head office.Anchor
			saw, want    string
			paused       bool
		}{
			{"another policy", office.Anchor{}, one, "3", "revision", false},
			{"the first", office.Anchor{}, one, "0", "done", true},
			{"at the same moment", office.Anchor{}, other, "", "trail", true},
			{"after another trail", other, office.Anchor{Seq: 2, Hash: "more"}, "", "trail", true},
			{"the next", one, office.Anchor{Seq: 2, Hash: "two"}, "", "done", true},
		} {
			said, err := w.Effect(t.Context(), c.before, c.head, c.saw)
			if err != nil || said != c.want {
				t.Errorf("%s: %q, %v, want %q", c.name, said, err, c.want)
			}
			s, err := w.State(t.Context())
			if err != nil || s.Pause.Paused != c.paused {
				t.Errorf("%s: paused %v, %v", c.name, s.Pause.Paused, err)
			}
			if done := s.Head == c.head; done != (c.want == "done") {
				t.Errorf("%s: the head is %+v", c.name, s.Head)
			}
		}
	})
}

// TestTouched: the calls of the last day that a change touches are those of the records that change
// band, clean and reported ones, and no older ones.
func TestTouched(t *testing.T) {
	balanced, strict := preset(t, "balanced"), preset(t, "strict")
	now := score.Hour(time.Now().Unix())
	hours := func(n int64) int64 { return now - n*3600 }
	changes, stays := office.Case{Name: "a"}, office.Case{Name: "b"}
	for i := range 2 {
		e := score.Event{At: hours(30), Reason: score.Spam, Factors: score.Factors{Rate: 0.8}, Pair: score.ID{byte(i)}, Net: score.ID{byte(i)}}
		changes.Events = append(changes.Events, e)
	}
	changes.Events[1].At = hours(1)
	changes.Peers = []score.Seen{{Who: score.ID{1}, At: hours(2)}, {Who: score.ID{2}, At: hours(23)}, {Who: score.ID{3}, At: hours(24)}}
	stays.Events = []score.Event{{At: hours(1), Reason: score.Other, Factors: score.Factors{Rate: 0.1}}}
	stays.Peers = changes.Peers
	p := office.Compare(now, balanced, strict, []office.Case{changes, stays})
	records, harder, milder := p.Bands.Moves()
	if records != 2 || harder != 1 || milder != 0 {
		t.Fatalf("%v: nothing is shown", p.Bands)
	}
	if p.Touched != 3 {
		t.Errorf("%d calls are touched, want the report and the two clean calls of the last day", p.Touched)
	}
	if p.Histogram.Records != 2 {
		t.Errorf("%+v", p.Histogram)
	}
}

// TestFew: what is below the floor is told as fewer, and nothing is not hidden.
func TestFew(t *testing.T) {
	for n, want := range map[int]string{0: "0", 1: `"few"`, 4: `"few"`, 5: "5", 400: "400"} {
		text, err := office.Few(n).MarshalJSON()
		if err != nil || string(text) != want {
			t.Errorf("%d is told as %s, want %s", n, text, want)
		}
	}
	p := office.Preview{Touched: 3, Calls: 9}
	if p.Public().Touched != nil {
		t.Error("a share of fewer than ten calls is told")
	}
	p.Calls = 10
	if share := p.Public().Touched; share == nil || *share != 0.3 {
		t.Errorf("share %v", share)
	}
}
