package retention_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/vtest"
	"parley/retention"
)

// lay writes n reports that were made so long ago.
func lay(t *testing.T, rdb redis.UniversalClient, n int, ago time.Duration) {
	t.Helper()
	_, err := rdb.Pipelined(t.Context(), func(p redis.Pipeliner) error {
		for i := range n {
			p.Set(t.Context(), retention.Report.Key(fmt.Sprintf("d%dx%d", i, ago), "0"), strings.Repeat("r", 35), retention.ReportTime-ago)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestCount: a census tells of each class how much there is, how large and how old at the most.
func TestCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb := vtest.NewRedis(t).Client
		lay(t, rdb, 1000, 24*time.Hour)
		lay(t, rdb, 3, 28*24*time.Hour)
		for key, value := range map[string]string{"stray": "x", retention.Call.Key("c"): strings.Repeat("x", 65)} {
			if err := rdb.Set(t.Context(), key, value, time.Minute).Err(); err != nil {
				t.Fatal(err)
			}
		}
		c, err := retention.Count(t.Context(), rdb, retention.CountPace)
		if err != nil {
			t.Fatal(err)
		}
		got := c.Classes[retention.Report]
		want := retention.Tally{
			Class: retention.Report, Records: 1003, Bytes: 1003 * 35, Largest: 35,
			Oldest: 28 * 24 * time.Hour, Last: 29 * 24 * time.Hour,
		}
		if got != want || c.Keys != 1005 || c.Faulty != 2 || c.Classes[retention.Ticket] != (retention.Tally{}) {
			t.Errorf("%+v, want %+v, of %d keys, %d faulty", got, want, c.Keys, c.Faulty)
		}
		// 1005 keys at the pace of Count; the server answers in no time here.
		if c.Took != 1005*time.Second/retention.CountPace {
			t.Errorf("it took %v", c.Took)
		}
	})
}

// TestPublic: small numbers are not told, and large ones so that one more does not show.
func TestPublic(t *testing.T) {
	for n, want := range map[int]string{
		0: "none", 1: "fewer than 10", 9: "fewer than 10", 10: "about 10", 19: "about 10", 99: "about 90",
		100: "about 100", 119: "about 110", 999: "about 990", 1000: "about 1,000", 1099: "about 1,000", 1_234_567: "about 1,200,000",
	} {
		if got := retention.Public(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestSpan(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{0, "less than a second"},
		{time.Second, "1 second"},
		{90 * time.Second, "1 minute 30 seconds"},
		{time.Hour, "1 hour"},
		{25*time.Hour + time.Minute, "1 day 1 hour"},
		{24*time.Hour + time.Minute, "1 day"},
		{400 * 24 * time.Hour, "400 days"},
	} {
		if got := retention.Span(c.d); got != c.want {
			t.Errorf("%v: %s, want %s", c.d, got, c.want)
		}
	}
}
