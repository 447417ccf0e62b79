package e2e_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

var (
	candidateType  = regexp.MustCompile(` typ (\w+)`)
	relatedAddress = regexp.MustCompile(` raddr (\S+)`)
	secrets        = regexp.MustCompile(`a=fingerprint|a=candidate|ice-ufrag|v=0`)
)

// TestBrowserStrangersTalk is the main job: two strangers who chose the same interest hear each
// other through the relay, see the same authentication string, and give nothing away.
func TestBrowserStrangersTalk(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	ana, bo := pair(t, browser, server.URL)

	for _, p := range []struct {
		who   *person
		hears int
	}{{ana, bo.hz}, {bo, ana.hz}} {
		s := p.who.hears(p.hears, 10*time.Second)
		if s.Pair != "relay/relay" {
			t.Errorf("%d Hz: the call runs over %s, want relay/relay", p.who.hz, s.Pair)
		}
		p.who.keptItsAddress()
		p.who.sealedEverything()
	}
	if js[bool](ana, `seen.pcs.at(-1).remoteDescription.sdp.includes('audio-level')`) {
		t.Error("the loudness of the voice goes over the network in clear")
	}
	// A tone is not silence: the page must not say that it hears nothing.
	if js[bool](ana, `seen.until(11000, () => document.querySelector('[data-testid="hints"]')?.innerText.includes('nothing'))`) {
		t.Error("the page says that it hears nothing")
	}
	if a, b := ana.sas(), bo.sas(); a != b || len(a) < 10 {
		t.Errorf("authentication strings %q and %q", a, b)
	}
}

// TestBrowserTextBesideTheCall: text goes over the data channel, and a link stays text.
func TestBrowserTextBesideTheCall(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	ana, bo := pair(t, browser, server.URL)
	const text = "look at https://example.org/x <b>bold</b>"
	if js[bool](ana, `!document.querySelector('[data-testid="chat-input"]') || document.querySelector('[data-testid="chat-input"]').offsetParent === null`) {
		ana.do(chromedp.KeyEvent("c"))
	}
	ana.do(chromedp.WaitVisible(testid("chat-input")), chromedp.SendKeys(testid("chat-input"), text))
	ana.press("chat-send")
	shown := fmt.Sprintf("seen.until(5000, () => document.body.innerText.includes(%q))", text)
	bo.do(chromedp.KeyEvent("c"))
	if !js[bool](bo, shown) {
		t.Fatal("the text did not arrive\n" + bo.diary())
	}
	if js[bool](bo, `Boolean(document.querySelector('a[href*="example.org"], b'))`) {
		t.Error("a link or markup in a stranger's text became live")
	}
	for _, p := range []*person{ana, bo} {
		if js[bool](p, `seen.frames.some((f) => f.includes('example.org'))`) {
			t.Error("the text went over the server")
		}
	}
}

// TestBrowserNext: next ends the call for both and puts both back into the queue, and the same two
// do not meet again although nobody else is there.
func TestBrowserNext(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	ana, bo := pair(t, browser, server.URL)
	ana.hears(bo.hz, 10*time.Second)
	ana.press("next")
	ana.reaches("queued", 5*time.Second)
	bo.reaches("ended", 2*time.Second)
	bo.reaches("queued", 10*time.Second) // by itself
	// Nobody else is there, so they must both still be waiting after the whole widening schedule.
	again := `seen.state(['matched', 'connecting', 'live'], 8000)`
	if got := js[string](bo, again); !strings.HasPrefix(got, "queued") {
		t.Errorf("the same two met again: %s", got)
	}
	ana.reaches("queued", time.Second)

	// A third person meets the one who has waited longest.
	cy := newPerson(t, browser, server.URL, 1300)
	cy.ready("music")
	cy.searches()
	cy.reaches("live", 15*time.Second)
	ana.reaches("live", 15*time.Second)
	ana.hears(cy.hz, 10*time.Second)
	bo.reaches("queued", time.Second)
}

// sas is the authentication string that the person's screen shows.
func (p *person) sas() string {
	p.t.Helper()
	if js[string](p, `document.documentElement.dataset.panel ?? ''`) != "verify" {
		p.press("verify")
	}
	p.do(chromedp.WaitVisible(testid("sas")))
	if !js[bool](p, `seen.until(10000, () => document.querySelector('[data-testid="sas"]').innerText.trim() !== '')`) {
		p.t.Fatalf("%d Hz: no authentication string\n%s", p.hz, p.diary())
	}
	return js[string](p, `document.querySelector('[data-testid="sas"]').innerText.trim()`)
}

// keptItsAddress fails unless candidates were sealed for the peer and each was a bare relay
// candidate.
func (p *person) keptItsAddress() {
	p.t.Helper()
	for _, leak := range leaks(js[[]string](p, `seen.sealed`)) {
		p.t.Errorf("%d Hz: %s", p.hz, leak)
	}
	if policy := js[string](p, `seen.pcs.at(-1).getConfiguration().iceTransportPolicy`); policy != "relay" {
		p.t.Errorf("%d Hz: iceTransportPolicy is %q", p.hz, policy)
	}
}

// leaks is every address but the relay's in what was sealed for the peer.
func leaks(said []string) []string {
	var all []string
	candidates := 0
	for _, s := range said {
		for _, m := range candidateType.FindAllStringSubmatch(s, -1) {
			candidates++
			if m[1] != "relay" {
				all = append(all, fmt.Sprintf("a %s candidate left the browser: %s", m[1], s))
			}
		}
		for _, m := range relatedAddress.FindAllStringSubmatch(s, -1) {
			if m[1] != "0.0.0.0" {
				all = append(all, fmt.Sprintf("related address %s left the browser", m[1]))
			}
		}
		if strings.Contains(s, ".local") {
			all = append(all, "an mDNS name left the browser")
		}
	}
	if candidates == 0 {
		all = append(all, "no candidate seen: the check saw nothing")
	}
	return all
}

// sealedEverything fails if a frame on the wire holds any part of a session description.
func (p *person) sealedEverything() {
	p.t.Helper()
	frames := js[[]string](p, `seen.frames`)
	for _, f := range frames {
		if m := secrets.FindString(f); m != "" {
			p.t.Errorf("%d Hz: the server could read %q in %s", p.hz, m, f)
		}
	}
	if len(frames) == 0 {
		p.t.Errorf("%d Hz: no frame seen: the check saw nothing", p.hz)
	}
}

// trouble is what no page may run into, whatever happens around it: a policy violation, an error
// nobody catches, a request to another origin. What the page itself reports is its own affair.
var trouble = regexp.MustCompile(`^(csp|error|rejection|elsewhere): `)

// hadNoProblem fails on any trouble. It is run for every person at the end of the test.
func (p *person) hadNoProblem() {
	if p.t.Failed() || p.ctx.Err() != nil {
		return
	}
	problems, err := chromedp.Run(p.ctx, chromedp.Evaluate[[]string](`[...(globalThis.seen?.problems ?? []),
		...performance.getEntriesByType('resource').map((e) => e.name)
			.filter((name) => new URL(name).host !== location.host).map((name) => 'elsewhere: ' + name)]`))
	if err != nil {
		p.t.Logf("%d Hz: %v", p.hz, err) // the tab is gone
		return
	}
	for _, problem := range problems {
		if trouble.MatchString(problem) {
			p.t.Errorf("%d Hz: %s", p.hz, problem)
		}
	}
}
