package e2e_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestScreens photographs every screen of the real page, phone and desktop, light and dark, into
// the folder named by PARLEY_SCREENS. It is what `make screens` runs; a person looks at the result.
func TestScreens(t *testing.T) {
	dir := os.Getenv("PARLEY_SCREENS")
	if dir == "" {
		t.Skip("make screens sets PARLEY_SCREENS to the folder for the pictures")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	browser := chromium(t)
	server := startParley(t)
	shoot := func(p *person, name string) { p.photograph(dir, name) }

	ana := newPerson(t, browser, server.URL, 700)
	shoot(ana, "01-home")
	ana.press("adult", "interest-music", "interest-film")
	shoot(ana, "02-home-chosen")
	ana.press("find")
	ana.do(chromedp.WaitVisible(testid("mic-ask")))
	shoot(ana, "03-mic-explained")
	for i, name := range []string{"NotAllowedError", "NotFoundError", "NotReadableError"} {
		bad := newPerson(t, browser, server.URL, 700)
		js[string](bad, fmt.Sprintf("seen.deny = %q", name))
		bad.press("adult", "find", "mic-ask")
		bad.do(chromedp.WaitVisible(testid("mic-retry")))
		shoot(bad, fmt.Sprintf("04-mic-failed-%d", i+1))
	}
	ana.press("mic-ask")
	ana.do(chromedp.WaitVisible(testid("mic-ok")))
	shoot(ana, "05-mic-test")
	ana.searches()
	ana.reaches("queued", 5*time.Second)
	shoot(ana, "06-queued")

	bo := newPerson(t, browser, server.URL, 1000)
	bo.ready("music")
	bo.searches()
	ana.reaches("live", 15*time.Second)
	bo.reaches("live", 15*time.Second)
	ana.hears(bo.hz, 10*time.Second)
	shoot(ana, "07-live")
	for _, panel := range []struct{ key, name string }{{"v", "verify"}, {"c", "chat"}, {"r", "report"}, {"?", "keys"}} {
		ana.do(chromedp.KeyEvent(panel.key))
		shoot(ana, "08-live-"+panel.name)
		ana.do(chromedp.KeyEvent("\u001b"))
		ana.reaches("live", time.Second)
	}
	ana.press("path")
	shoot(ana, "09-live-direct")
	ana.press("direct")
	shoot(ana, "09-live-direct-asked")

	server.kill()
	ana.reaches("reconnecting", 15*time.Second)
	shoot(ana, "10-reconnecting")
	server.start(t)
	ana.reaches("live", 30*time.Second)
	bo.reaches("live", 30*time.Second)
	bo.press("leave")
	ana.reaches("ended", 10*time.Second)
	shoot(ana, "11-ended-by-peer")
	shoot(bo, "12-ended-by-me")

	cy := newPerson(t, browser, strings.TrimSuffix(server.URL, "/")+"/", 1300)
	cy.do(chromedp.Navigate(server.URL + "privacy"))
	shoot(cy, "13-privacy")
	cy.do(chromedp.Navigate(server.URL + "nothing-here"))
	shoot(cy, "14-not-found")
}

// photograph saves the page in two sizes and two colour schemes, whole length.
func (p *person) photograph(dir, name string) {
	p.t.Helper()
	for _, size := range []struct {
		name          string
		width, height int64
		mobile        bool
	}{{"phone", 390, 844, true}, {"desktop", 1280, 800, false}} {
		for _, scheme := range []string{"light", "dark"} {
			p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
				_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
					Width: size.width, Height: size.height, DeviceScaleFactor: 1, Mobile: size.mobile,
				})
				if err != nil {
					return err
				}
				_, err = chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
					Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}},
				})
				return err
			}))
			js[bool](p, `new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
			png, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
			if err != nil {
				p.t.Fatal(err)
			}
			file := filepath.Join(dir, fmt.Sprintf("%s-%s-%s.png", name, size.name, scheme))
			if err := os.WriteFile(file, png, 0o600); err != nil {
				p.t.Fatal(err)
			}
		}
	}
}
