package e2e_test

import (
	"fmt"
	"slices"
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
	url, rdb := startStore(t)
	server := startParley(t, "--redis", url)
	ana, bo := pair(t, browser, server.URL)
	ana.hears(bo.hz, 10*time.Second)
	ana.reports()

	// They look again, and nobody else is there.
	ana.press("again")
	ana.reaches("queued", 5*time.Second)
	bo.reaches("queued", 10*time.Second)
	if got := js[string](bo, `seen.state(['matched', 'connecting', 'live'], 8000)`); !strings.HasPrefix(got, "queued") {
		t.Errorf("the two met again: %s", got)
	}

	ctx := t.Context()
	for _, key := range oneReport(t, rdb) {
		ttl, err := rdb.PTTL(ctx, key).Result()
		if err != nil || ttl <= 29*24*time.Hour || ttl > retention.ReportTime {
			t.Errorf("the report lives for %v (%v), want up to 30 days", ttl, err)
		}
	}
	faults, err := retention.Audit(ctx, rdb)
	if err != nil || len(faults) > 0 {
		t.Errorf("audit: %v, %v", faults, err)
	}
}

// oneReport returns the keys of one report: it stands under the token of a device, and under what
// browsers of its kind have in common.
func oneReport(t *testing.T, rdb redis.UniversalClient) []string {
	t.Helper()
	keys, err := vtest.AllKeys(t.Context(), rdb)
	keys = slices.DeleteFunc(keys, func(key string) bool { return !strings.Contains(key, ":report:") })
	second := slices.ContainsFunc(keys, func(key string) bool { return !strings.HasSuffix(key, ":0") })
	if err != nil || len(keys) != 2 || second {
		t.Fatalf("report keys %q, %v; want the first of two records", keys, err)
	}
	return keys
}

// TestBrowserReportKeepsApart: the two would not meet within half an hour in any case. So both
// browsers forget whom they met, and what is left to keep them apart is the mark of the report;
// without that too, they meet.
func TestBrowserReportKeepsApart(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	ana, bo := pair(t, browser, server.URL)
	ana.hears(bo.hz, 10*time.Second)
	ana.reports()
	if !js[bool](ana, `seen.until(5000, () => JSON.parse(localStorage.parley).avoid.length === 1)`) {
		t.Fatal("the browser keeps no mark of the report: " + js[string](ana, `localStorage.parley`))
	}
	days := js[float64](ana, `(JSON.parse(localStorage.parley).avoid[0].until - Date.now()) / 86400000`)
	if days < 29.9 || days > 30 {
		t.Errorf("the mark of the report lives for %.2f days, want 30", days)
	}

	for _, p := range []*person{ana, bo} {
		p.forgets(server.URL, "met")
		p.looks()
	}
	for _, p := range []*person{ana, bo} {
		if n := js[int](p, `JSON.parse(localStorage.parley).met.length`); n != 0 {
			t.Fatalf("%d Hz still knows %d people: the test shows nothing", p.hz, n)
		}
	}
	if got := js[string](bo, `seen.state(['matched', 'connecting', 'live'], 8000)`); !strings.HasPrefix(got, "queued") {
		t.Errorf("the two met again: %s", got)
	}
	ana.reaches("queued", time.Second)

	ana.press("cancel")
	ana.reaches("home", 5*time.Second)
	ana.forgets(server.URL, "avoid")
	ana.looks()
	ana.reaches("live", 30*time.Second)
	bo.reaches("live", 30*time.Second)
	ana.hears(bo.hz, 10*time.Second)
}

// reports opens the report with one tap, sends a reason with a second one, and waits for the
// answer.
func (p *person) reports() {
	p.t.Helper()
	p.press("report")
	reason := chromedp.CSS(`[data-testid="report-reason"][data-reason="sexual"]`)
	p.do(chromedp.WaitVisible(reason), chromedp.Click(reason))
	if !js[bool](p, `seen.until(5000, () => seen.frames.some((f) => f.includes('"reported"')))`) {
		p.t.Fatal("no answer to the report\n" + p.diary())
	}
}

// forgets empties a list of people in what the browser keeps. It is done on a page of text, where
// no script of ours would write it back.
func (p *person) forgets(url, list string) {
	p.t.Helper()
	p.do(chromedp.Navigate(url + "privacy"))
	js[bool](p, fmt.Sprintf(`(() => {
		const kept = JSON.parse(localStorage.parley);
		kept[%q] = [];
		localStorage.parley = JSON.stringify(kept);
		return true;
	})()`, list))
	p.do(chromedp.Navigate(url), chromedp.WaitVisible(testid("find")))
}

// looks goes into the queue once more, over the microphone's screen where it comes.
func (p *person) looks() {
	p.t.Helper()
	p.press("find")
	if strings.HasPrefix(p.reaches("mic|queued|matched|connecting|live", 5*time.Second), "mic") {
		p.press("mic-ask", "mic-ok")
	}
	p.reaches("queued|matched|connecting|live", 10*time.Second)
}
