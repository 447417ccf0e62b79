package signaling_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"parley/signaling"
)

// TestTotals: two searches that became a call, one to which nobody came, what was refused and
// reported.
func TestTotals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.play("testdata/transcripts/parts/pair.txt")
		got := s.node.hub.Totals()
		if got.Searches != 2 || got.Offers != 2 || got.Found != 2 || got.Nodes != 1 || !got.MailUp || got.Backlog != 0 {
			t.Errorf("in the call: %+v", got)
		}
		var waits int64
		for _, n := range got.Waits.Counts {
			waits += n
		}
		if waits != 2 || got.Waits.Sum < 0 || got.Waits.Sum > time.Minute {
			t.Errorf("the waits of two: %+v", got.Waits)
		}
		for _, line := range []string{
			`ana > {"t":"find","c":90,"a":0,"languages":["en"],"interests":[],"widen":true,"avoid":[],"place":""}`,
			`ana < {"t":"error","of":90,"code":"bad_state","...":"*"}`,
		} {
			if err := s.line(line); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.browser("mallory").open(dialing{"https://elsewhere.test", "parley.v1"}); err == nil {
			t.Error("a page of another origin was let in")
		}
		got = s.node.hub.Totals()
		if got.Refused[signaling.BadState] != 1 || got.Refused[signaling.TooMany] != 0 || got.TurnedAway[signaling.RebuffOrigin] != 1 || got.TurnedAway[signaling.RebuffFull] != 0 {
			t.Errorf("after what was refused: %+v", got)
		}
		if b := s.browser("mallory"); b.status != http.StatusForbidden {
			t.Errorf("status %d", b.status)
		}
	})
}

// TestWaitClasses: a wait counts in the class up to its bound, and the longest in the last.
func TestWaitClasses(t *testing.T) {
	bounds := signaling.WaitBounds()
	for i, bound := range bounds {
		if got := signaling.WaitClass(bound); got != i {
			t.Errorf("%v counts in class %d, want %d", bound, got, i)
		}
		if got := signaling.WaitClass(bound + 1); got != i+1 {
			t.Errorf("just over %v counts in class %d, want %d", bound, got, i+1)
		}
	}
	if got := signaling.WaitClass(-time.Second); got != 0 {
		t.Errorf("a clock that went back counts in class %d", got)
	}
}
