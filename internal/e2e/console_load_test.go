package e2e_test

import (
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/moderation"
	"parley/retention"
)

// called counts calls in the hours of some days, more by day than by night, a few of them long.
func (s *staff) called(days int) {
	s.t.Helper()
	now := time.Now()
	_, err := s.rdb.Pipelined(s.t.Context(), func(p redis.Pipeliner) error {
		for ago := range 24 * days {
			at := now.Add(-time.Duration(ago) * time.Hour)
			busy := 1 - math.Cos(float64(at.UTC().Hour())/12*math.Pi)
			key := retention.Hour.Key(strconv.FormatInt(at.Unix()/3600, 10))
			for class, n := range []float64{40, 60, 80, 8} {
				p.HSet(s.t.Context(), key, moderation.Lengths()[class], int(n*busy)+1)
			}
			p.Expire(s.t.Context(), key, retention.HourTime)
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// TestBrowserConsoleLoad: operators see the calls of up to 400 days, small numbers withheld, and
// save what they see.
func TestBrowserConsoleLoad(t *testing.T) {
	browser := chromium(t)
	s := newStaff(t)
	s.called(40)
	p := s.enters(browser, "mira")
	p.press("tab-load")
	p.tells("load-facts", "14 days")
	p.tells("load-facts", "and some")
	if bars := js[int](p, `document.querySelectorAll('[data-testid="load"] rect').length`); bars < 3*24*13 {
		t.Errorf("%d bars for 14 days", bars)
	}
	p.shows("12-load")
	p.press("load-400")
	p.tells("load-facts", "400 days")
	if !js[bool](p, `seen.until(5000, () => document.querySelectorAll('[data-testid="load"] rect').length <= 4 * 41)`) {
		t.Error("400 days are not drawn by the day")
	}
	p.shows("13-load-400")
	saved := js[string](p, `(async () => {
		const real = URL.createObjectURL;
		let file;
		URL.createObjectURL = (blob) => { file = blob; return real.call(URL, blob); };
		document.querySelector('[data-testid="load-save"]').click();
		return file.text();
	})()`)
	if want := s.shell("hours", "--csv", "--days", "400"); saved != want {
		t.Errorf("saved are %d bytes, the shell says %d: %s", len(saved), len(want), fmt.Sprintf("%.200q", saved))
	}
}
