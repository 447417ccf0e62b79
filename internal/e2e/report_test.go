package e2e_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/redis/go-redis/v9"

	"parley/internal/vtest"
	"parley/retention"
)

// TestBrowserReport: a report made in the call lands in Redis, one record that expires, and the
// two never meet again; nothing else that the catalogue does not declare is left behind.
func TestBrowserReport(t *testing.T) {
	browser := chromium(t)
	opts := vtest.StartRedis(t)
	server := startParley(t, "--redis", "unix://"+opts.Addr)
	ana, bo := pair(t, browser, server.URL)
	ana.hears(bo.hz, 10*time.Second)
	ana.press("report")
	ana.do(chromedp.WaitVisible(testid("report-reason")))
	js[bool](ana, `(() => { const r = document.querySelector('[data-testid="report-reason"]');
		const pick = r.matches('input, button') ? r : r.querySelector('input, button, option'); pick.click(); return true; })()`)
	ana.press("report-send")
	if !js[bool](ana, `seen.until(5000, () => seen.frames.some((f) => f.includes('"reported"')))`) {
		t.Fatal("no answer to the report\n" + ana.diary())
	}

	// They look again, and nobody else is there.
	ana.press("again")
	ana.reaches("queued", 5*time.Second)
	bo.reaches("queued", 10*time.Second)
	if got := js[string](bo, `seen.state(['matched', 'connecting', 'live'], 8000)`); !strings.HasPrefix(got, "queued") {
		t.Errorf("the two met again: %s", got)
	}

	rdb := redis.NewClient(opts)
	defer rdb.Close()
	ctx := t.Context()
	keys, err := rdb.Keys(ctx, "*report*").Result()
	if err != nil || len(keys) != 1 {
		t.Fatalf("report keys %q, %v; want one", keys, err)
	}
	ttl, err := rdb.PTTL(ctx, keys[0]).Result()
	if err != nil || ttl <= 29*24*time.Hour || ttl > retention.ReportTime {
		t.Errorf("the report lives for %v (%v), want up to 30 days", ttl, err)
	}
	faults, err := retention.Audit(ctx, rdb)
	if err != nil || len(faults) > 0 {
		t.Errorf("audit: %v, %v", faults, err)
	}
}
