package e2e_test

import (
	"context"
	"testing"

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
