package e2e_test

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// TestBrowserDoesNotStart: a part of the page that does not come leaves no empty page behind, but a
// sentence and the way to try again; that goes for a module too, without which no code of ours
// runs.
func TestBrowserDoesNotStart(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	for _, part := range []string{"*://*:*/*catalogue.json", "*://*:*/*en.json", "*://*:*/*/main.min.js", "*://*:*/*/chunk-*.min.js"} {
		ana := bystander(t, browser, 700)
		ana.lacks(part)
		ana.do(chromedp.Navigate(server.URL))
		if !js[bool](ana, `seen.until(15000, () => document.querySelector('.late').checkVisibility({ visibilityProperty: true }))`) {
			t.Errorf("without %s: the page is empty\n%s", part, ana.diary())
		}
		ana.lacks()
		ana.do(chromedp.Click(chromedp.CSS(".late a")), chromedp.WaitVisible(testid("find")))
		if js[bool](ana, `Boolean(document.querySelector('.late'))`) {
			t.Errorf("without %s for a moment: the page says that it does not start, and it did", part)
		}
	}
}

// TestBrowserCallDoesNotCome: where a part of what a call needs does not come, as when a newer
// version has taken the place of the page, the page says so before anybody is searched for.
func TestBrowserCallDoesNotCome(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	for _, part := range []string{"*://*:*/*/call-*.min.js", "*://*:*/*/view-talk-*.min.js"} {
		ana := newPerson(t, browser, server.URL, 700)
		ana.lacks(part)
		ana.press("adult", "find")
		if got := ana.reaches("blocked", 10*time.Second); got != "blocked version" {
			t.Errorf("without %s the page says %q", part, got)
		}
		if js[bool](ana, `seen.frames.some((f) => f.startsWith('< {"t":"queued"'))`) {
			t.Errorf("without %s somebody is searched for\n%s", part, ana.diary())
		}
	}
}

// lacks makes requests to these addresses fail from now on.
func (p *person) lacks(parts ...string) {
	p.t.Helper()
	p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
			return err
		}
		var blocked []*network.BlockPattern
		for _, part := range parts {
			blocked = append(blocked, &network.BlockPattern{URLPattern: part, Block: true})
		}
		_, err := chromedp.Call(ctx, network.SetBlockedURLs, network.SetBlockedURLsParams{URLPatterns: blocked})
		return err
	}))
}
