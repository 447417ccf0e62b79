package e2e_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	permit "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// screens is the folder for the pictures. Without one there is nothing to photograph.
func screens(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("PARLEY_SCREENS")
	if dir == "" {
		t.Skip("make screens sets PARLEY_SCREENS to the folder for the pictures")
	}
	return dir
}

// TestScreens photographs every screen of the real page, phone and desktop, light and dark, into
// the folder named by PARLEY_SCREENS. It is what `make screens` runs; a person looks at the result.
func TestScreens(t *testing.T) {
	dir := screens(t)
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

	server.Kill()
	ana.reaches("reconnecting", 15*time.Second)
	shoot(ana, "10-reconnecting")
	server.again(t)
	ana.reaches("live", 30*time.Second)
	bo.reaches("live", 30*time.Second)
	bo.press("leave")
	ana.reaches("ended", 10*time.Second)
	shoot(ana, "11-ended-by-peer")
	shoot(bo, "12-ended-by-me")

	textScreens(t, browser, server.URL, dir)
	microphoneScreens(t, browser, server.URL, dir)
	blockedScreens(t, browser, server.URL, dir)
	insecureScreens(t, dir)
	alarmScreens(t, browser, dir)
}

// textScreens are the pages of text.
func textScreens(t *testing.T, browser chrome, url, dir string) {
	cy := bystander(t, browser, 1300)
	cy.do(chromedp.Navigate(url + "privacy"))
	cy.photograph(dir, "13-privacy")
	cy.do(chromedp.Navigate(url + "nothing/here"))
	cy.photograph(dir, "14-not-found")
	cy.lacks("*://*:*/*catalogue.json")
	cy.do(chromedp.Navigate(url), chromedp.WaitVisible(chromedp.CSS(".late a")))
	cy.photograph(dir, "15-does-not-start")
}

// microphoneScreens are all failures of the microphone, and a question that nobody answers.
func microphoneScreens(t *testing.T, browser chrome, url, dir string) {
	for _, c := range []struct {
		name, deny, agent string
		setting           permit.PermissionSetting
	}{
		{"dismissed", "NotAllowedError", "", permit.PermissionSettingPrompt},
		{"blocked", "NotAllowedError", "", permit.PermissionSettingDenied},
		{"denied", "NotAllowedError", "", permit.PermissionSettingGranted},
		{"webview", "NotAllowedError", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 [FBAN/FBIOS]", permit.PermissionSettingDenied},
		{"none", "NotFoundError", "", permit.PermissionSettingGranted},
		{"busy", "NotReadableError", "", permit.PermissionSettingGranted},
	} {
		p := newPerson(t, browser, url, 700)
		p.calledAgent(url, c.agent)
		p.permits(c.setting)
		js[string](p, fmt.Sprintf("seen.deny = %q", c.deny))
		p.asks()
		p.failsWith(c.name, "")
		p.photograph(dir, "04-mic-"+c.name)
	}
	p := newPerson(t, browser, url, 700)
	js[string](p, `seen.deny = 'pending'`)
	p.asks()
	p.says("Still waiting for your answer")
	p.photograph(dir, "04-mic-pending")
	p = newPerson(t, browser, url, 700)
	js[float64](p, `seen.gain = 0`)
	p.asks()
	p.says("We hear nothing yet")
	p.photograph(dir, "05-mic-test-silent")
}

// blockedScreens are the screens that only loading the page again leaves: a close code for each
// (see signaling/doc.go), and a browser that lacks what a call needs.
func blockedScreens(t *testing.T, browser chrome, url, dir string) {
	for _, c := range []struct {
		reason string
		code   int
	}{{"replaced", 4501}, {"version", 4526}, {"hello", 4500}} {
		p := newPerson(t, browser, url, 700)
		js[bool](p, `seen.until(10000, () => seen.frames.some((f) => f.includes('"welcome"')))`)
		js[bool](p, fmt.Sprintf(`seen.sockets.at(-1).dispatchEvent(new CloseEvent('close', { code: %d }))`, c.code))
		p.isBlocked(dir, c.reason)
	}
	p := bystander(t, browser, 700)
	p.runsFirst(`delete globalThis.AudioWorkletNode`)
	p.do(chromedp.Navigate(url))
	p.isBlocked(dir, "unsupported")
}

func (p *person) isBlocked(dir, reason string) {
	p.t.Helper()
	if got := p.reaches("blocked", 10*time.Second); got != "blocked "+reason {
		p.t.Fatalf("the page is %q, want blocked for %s", got, reason)
	}
	p.photograph(dir, "16-blocked-"+reason)
}

// insecureScreens are what somebody sees who came by plain http from another machine.
func insecureScreens(t *testing.T, dir string) {
	const host = "parley.example"
	browser := chromium(t, chromedp.Flag("host-resolver-rules", "MAP "+host+" 127.0.0.1"))
	server := startParley(t)
	p := newPerson(t, browser, strings.Replace(server.URL, "localhost", host, 1), 700)
	p.photograph(dir, "17-insecure-home")
	p.asks()
	p.failsWith("insecure", "https://")
	p.photograph(dir, "17-insecure-mic")
}

// alarmScreens are the red screen and what is after it.
func alarmScreens(t *testing.T, browser chrome, dir string) {
	m := comeBetween(t, false)
	ana, bo := newPerson(t, browser, m.origin+"/", 700), newPerson(t, browser, m.origin+"/", 1000)
	ana.ready("music")
	bo.ready("music")
	ana.searches()
	ana.reaches("queued", 5*time.Second)
	bo.searches()
	if !js[bool](ana, `seen.until(30000, () => document.documentElement.dataset.reason === 'mismatch')`) {
		t.Fatal("no alarm\n" + ana.diary())
	}
	ana.photograph(dir, "18-mismatch")
	ana.press("leave")
	ana.reaches("ended", 5*time.Second)
	ana.photograph(dir, "18-mismatch-ended")
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.ends {
		e.pc.Close()
	}
}

// photograph saves the page in two sizes and two colour schemes, whole length.
func (p *person) photograph(dir, name string) {
	p.t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		p.t.Fatal(err)
	}
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
