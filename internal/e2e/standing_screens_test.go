package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestScreensStanding photographs what people see of reports: the help after a grave one, how a
// device stands, what is known about it, the pause and the puzzle. What only many people or a slow
// phone would bring about is said by the test in the server's place.
func TestScreensStanding(t *testing.T) {
	dir := screens(t)
	browser := chromium(t)
	url := startParley(t).URL
	reportScreens(t, browser, url, dir)
	accountScreens(t, browser, url, dir)
	pauseScreens(t, browser, url, dir)
}

// reportScreens are the report and its answers.
func reportScreens(t *testing.T, browser chrome, url, dir string) {
	ana, bo := pair(t, browser, url)
	ana.press("report")
	ana.do(chromedp.WaitVisible(testid("report-reason")))
	ana.photograph(dir, "20-report")
	ana.do(chromedp.Click(chromedp.CSS(`[data-reason="minor"]`)))
	ana.reaches("ended", 5*time.Second)
	ana.says("Your report is stored")
	ana.photograph(dir, "21-reported-minor")
	bo.reaches("ended", 5*time.Second)
	js[bool](bo, `(() => {
		globalThis.WebSocket = class extends EventTarget { send() {} close() {} };
		return seen.sockets.at(-1).dispatchEvent(new CloseEvent('close', { code: 1006 }));
	})()`)
	bo.press("report")
	bo.do(chromedp.Click(chromedp.CSS(`[data-reason="threat"]`)))
	bo.says("not stored yet")
	bo.photograph(dir, "22-reported-not-yet")
}

// accountScreens are how a device stands and what is known about it.
func accountScreens(t *testing.T, browser chrome, url, dir string) {
	for _, s := range []struct{ name, frame string }{
		{"clear", `{"t":"standing","band":"clear","until_ms":0,"reasons":[],"expires_ms":0,"records":false,"stored":[]}`},
		{"watch", `{"t":"standing","band":"watch","until_ms":0,"reasons":["spam"],"expires_ms":900000000,"records":true,"stored":["own"]}`},
		{"restricted", `{"t":"standing","band":"restricted","until_ms":0,"reasons":["hate","sexual"],"expires_ms":1900000000,"records":true,"stored":["own"]}`},
		{"cooldown", `{"t":"standing","band":"cooldown","until_ms":80000000,"reasons":["hate","sexual"],"expires_ms":2300000000,"records":true,"stored":["own"]}`},
	} {
		p := newPerson(t, browser, url, 700)
		p.press("my-standing")
		p.do(chromedp.WaitVisible(testid("band")))
		p.hearsSaid(s.frame)
		p.photograph(dir, "23-standing-"+s.name)
		if s.name != "restricted" {
			continue
		}
		p.hearsSaid(`{"t":"review","code":"amber river seven lamp quiet forest"}`)
		p.photograph(dir, "24-review")
		p.press("to-device")
		p.do(chromedp.WaitVisible(testid("stored")))
		p.hearsSaid(s.frame)
		p.photograph(dir, "25-device")
		p.press("erase-ask")
		p.photograph(dir, "26-erase")
	}
}

// pauseScreens are the puzzle and the cooldown.
func pauseScreens(t *testing.T, browser chrome, url, dir string) {
	p := newPerson(t, browser, url, 700)
	p.ready("music")
	p.searches()
	p.reaches("queued", 5*time.Second)
	p.waitsLong()
	p.hearsSaid(`{"t":"standing","band":"restricted","until_ms":0,"reasons":["hate"],"expires_ms":1900000000,"records":true,"stored":["own"]}`)
	p.reads("Finding someone is slower")
	p.photograph(dir, "27-queued-limited")
	p.hearsSaid(`{"t":"puzzle","of":1,"challenge":"a-challenge","bits":24,"within_ms":120000}`)
	p.says("On this device it usually takes")
	p.photograph(dir, "27-puzzle")
	p.hearsSaid(`{"t":"held","of":1,"until_ms":80000000,"reasons":["hate","sexual"]}`)
	p.reaches("held", 5*time.Second)
	p.says("to go")
	p.photograph(dir, "28-held")
	p.hearsSaid(`{"t":"held","of":1,"until_ms":0,"reasons":["hate","sexual"]}`)
	p.says("The pause is over")
	p.photograph(dir, "29-held-over")
}

// hearsSaid has the page hear a frame as if the server had sent it, unnumbered, so that nothing is
// missing.
func (p *person) hearsSaid(frame string) {
	p.t.Helper()
	js[bool](p, fmt.Sprintf(`seen.sockets.at(-1).dispatchEvent(new MessageEvent('message', { data: %q }))`, frame))
}
