package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	permit "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestBrowserMicrophoneFails: each failure is told apart and has a way out, and once mended the
// search goes on. The errors are thrown by the test in the place of the browser.
func TestBrowserMicrophoneFails(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	for _, c := range []struct{ name, reason, wayOut string }{
		{"NotAllowedError", "dismissed", "choose “Allow”"},
		{"NotFoundError", "none", "Plug in a microphone"},
		{"NotReadableError", "busy", "Close other calls"},
	} {
		ana := newPerson(t, browser, server.URL, 700)
		js[string](ana, fmt.Sprintf("seen.deny = %q", c.name))
		ana.asks()
		ana.failsWith(c.reason, c.wayOut)
		ana.mends()
	}
}

// TestBrowserMicrophoneDenied: the browser itself says no, as after a press on "block".
func TestBrowserMicrophoneDenied(t *testing.T) {
	browser := chromium(t, chromedp.Flag("use-fake-ui-for-media-stream", "deny"))
	server := startParley(t)
	ana := newPerson(t, browser, server.URL, 700)
	ana.asks()
	ana.failsWith("dismissed", "choose “Allow”")
	ana.do(chromedp.WaitVisible(testid("mic-retry")))
}

// TestBrowserMicrophoneMissing: the browser itself finds none.
func TestBrowserMicrophoneMissing(t *testing.T) {
	browser := chromium(t, chromedp.Flag("use-fake-device-for-media-stream", false))
	server := startParley(t)
	ana := newPerson(t, browser, server.URL, 700)
	if n := js[int](ana, `navigator.mediaDevices.enumerateDevices().then((all) => all.filter((d) => d.kind === 'audioinput').length)`); n > 0 {
		t.Skip("this machine has a microphone")
	}
	ana.asks()
	ana.failsWith("none", "Plug in a microphone")
	ana.do(chromedp.WaitVisible(testid("mic-retry")))
}

// TestBrowserMicrophoneBlocked: the browser remembers a no for this page. The page says so and
// where to change it, which depends on the browser; inside another app it says to leave that app.
func TestBrowserMicrophoneBlocked(t *testing.T) {
	browser := chromium(t, chromedp.Flag("use-fake-ui-for-media-stream", "deny"))
	server := startParley(t)
	const (
		iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
		pixel  = "Mozilla/5.0 (Linux; Android 15; Pixel 9; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
	)
	for _, c := range []struct{ agent, reason, wayOut string }{
		{"", "blocked", "Press the icon beside the address"},
		{iphone + "Version/18.0 Mobile/15E148 Safari/604.1", "blocked", "Website settings"},
		{iphone + "Mobile/15E148 [FBAN/FBIOS;FBAV/480.0]", "webview", "Open in browser"},
		{pixel + "Chrome/140.0 Mobile Safari/537.36 Instagram 400.0", "webview", "Open in browser"},
	} {
		ana := newPerson(t, browser, server.URL, 700)
		ana.calledAgent(server.URL, c.agent)
		ana.permits(permit.PermissionSettingDenied)
		ana.asks()
		ana.failsWith(c.reason, c.wayOut)
		ana.do(chromedp.WaitVisible(testid("mic-retry")))
	}
}

// TestBrowserMicrophoneUnblocked: who was blocked and changed it goes on by "try again", without
// loading the page anew.
func TestBrowserMicrophoneUnblocked(t *testing.T) {
	browser := chromium(t) // gives a microphone to whoever gets as far as to ask
	server := startParley(t)
	ana := newPerson(t, browser, server.URL, 700)
	js[string](ana, `seen.deny = 'NotAllowedError'`)
	ana.permits(permit.PermissionSettingDenied)
	ana.asks()
	ana.failsWith("blocked", "Press the icon beside the address")
	ana.permits(permit.PermissionSettingGranted)
	ana.mends()
}

// TestBrowserMicrophonePending: the browser's question is not answered. After a moment the page
// says where to look, also when it cannot be seen any more, and goes on once it is.
func TestBrowserMicrophonePending(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	ana := newPerson(t, browser, server.URL, 700)
	js[string](ana, `seen.deny = 'pending'`) // no Chromium without a window leaves a question open
	ana.asks()
	ana.says("Your browser is asking")
	ana.says("Still waiting for your answer")
	ana.says("the lock beside the address")
	js[string](ana, `seen.deny = ''`)
	js[bool](ana, `Boolean(seen.answer())`)
	ana.press("mic-ok")
	ana.reaches("queued", 5*time.Second)
}

// TestFirefoxMicrophone: what a real browser does with a question that nobody answers, and with one
// that its settings answer with no.
func TestFirefoxMicrophone(t *testing.T) {
	path := findFirefox(t)
	server := startParley(t)
	for _, c := range []struct{ name, setting, title string }{
		{"nobody answers", `user_pref("media.navigator.permission.disabled", false);`, "Still waiting for your answer"},
		{"blocked", `user_pref("media.navigator.permission.disabled", false); user_pref("permissions.default.microphone", 2);`, "This browser blocks the microphone here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			fox := startFirefox(t, path, 800, c.setting)
			fox.open(server.URL)
			fox.press("adult", "find", "mic-ask")
			var ok bool
			fox.eval(fmt.Sprintf(`seen.until(20000, () => document.body.innerText.includes(%q))`, c.title), &ok)
			if !ok {
				t.Errorf("the page does not say %q\n%s", c.title, fox.diary())
			}
		})
	}
}

// TestBrowserInsecureOrigin: by plain http from another machine browsers give no microphone. The
// page says so at once and what to do; it opens no socket, and the server would not take one of
// that origin.
func TestBrowserInsecureOrigin(t *testing.T) {
	const host = "parley.example"
	browser := chromium(t, chromedp.Flag("host-resolver-rules", "MAP "+host+" 127.0.0.1"))
	server := startParley(t)
	url := strings.Replace(server.URL, "localhost", host, 1)
	ana := newPerson(t, browser, url, 700)
	if js[bool](ana, `isSecureContext`) {
		t.Fatal("this origin counts as secure: the test shows nothing")
	}
	ana.says("Open the same address with https://")
	ana.asks()
	ana.failsWith("insecure", "Open the same address with https://")
	if n := js[int](ana, `seen.sockets.length`); n != 0 {
		t.Errorf("the page opened %d sockets that serve no purpose", n)
	}
	const knocks = `new Promise((done) => {
		const socket = new WebSocket(new URL('ws', document.baseURI).href.replace('http', 'ws'), 'parley.v1');
		socket.onopen = () => done('open');
		socket.onclose = () => done('refused');
	})`
	if got := js[string](ana, knocks); got != "refused" {
		t.Errorf("a socket of a foreign origin is %s", got)
	}
	tick := time.NewTicker(10 * time.Millisecond) // the line is on its way
	defer tick.Stop()
	for range 500 {
		if strings.Contains(server.Said(), "a page of another origin was refused") {
			return
		}
		<-tick.C
	}
	t.Error("the operator is not told")
}

// asks goes from home to the browser's question.
func (p *person) asks() {
	p.t.Helper()
	p.press("adult", "interest-music", "find", "mic-ask")
}

// failsWith waits for the microphone's screen to say why, and what to do.
func (p *person) failsWith(reason, wayOut string) {
	p.t.Helper()
	js[bool](p, `seen.until(8000, () => document.documentElement.dataset.reason)`)
	if got := js[string](p, `document.documentElement.dataset.reason ?? ''`); got != reason {
		p.t.Fatalf("the page says %q, want %q\n%s", got, reason, p.diary())
	}
	p.says(wayOut)
}

// says waits until the page shows these words.
func (p *person) says(words string) {
	p.t.Helper()
	if !js[bool](p, fmt.Sprintf(`seen.until(10000, () => document.querySelector('main').innerText.includes(%q))`, words)) {
		p.t.Errorf("the page does not say %q but\n%s", words, js[string](p, `document.querySelector('main').innerText`))
	}
}

// mends lets the microphone work again: trying again leads on into the queue.
func (p *person) mends() {
	p.t.Helper()
	js[string](p, `seen.deny = ''`)
	p.press("mic-retry", "mic-ok")
	p.reaches("queued", 5*time.Second)
	p.press("cancel")
	p.reaches("home", 5*time.Second)
}

// permits sets what the browser remembers about the microphone, as its person does beside the
// address.
func (p *person) permits(setting permit.PermissionSetting) {
	p.t.Helper()
	params := permit.SetPermissionParams{
		Permission: &permit.PermissionDescriptor{Name: "microphone"}, Setting: setting,
		Origin: js[string](p, `location.origin`), BrowserContextID: chromedp.FromContext(p.ctx).BrowserContextID,
	}
	p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, permit.SetPermission, params)
		return err
	}))
}

// calledAgent opens url as a browser that calls itself so.
func (p *person) calledAgent(url, agent string) {
	p.t.Helper()
	if agent == "" {
		return
	}
	p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: agent})
		return err
	}), chromedp.Navigate(url), chromedp.WaitVisible(testid("find")))
}
