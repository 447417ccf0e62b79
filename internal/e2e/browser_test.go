package e2e_test

import (
	"context"
	_ "embed"
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

//go:embed testdata/witness.js
var witness string

// findBrowser returns the path of the first browser that is installed.
func findBrowser(t testing.TB) string {
	t.Helper()
	for _, name := range []string{os.Getenv("PARLEY_BROWSER"), "chromium-headless-shell", "chromium", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	const install = "no browser is installed: apt-get install chromium-headless-shell"
	if os.Getenv("PARLEY_E2E") == "require" {
		t.Fatal(install)
	}
	t.Skip(install)
	return ""
}

// chrome is a running browser process.
type chrome struct {
	process context.Context //nolint:containedctx // chromedp names a process by its context
}

// chromium starts one browser process with a fake microphone; it ends with the test.
func chromium(t testing.TB, flags ...chromedp.ExecAllocatorOption) chrome {
	t.Helper()
	if testing.Short() {
		t.Skip("browser tests are left out by -short")
	}
	opts := append([]chromedp.ExecAllocatorOption{}, chromedp.DefaultExecAllocatorOptions[:]...)
	opts = append(opts, chromedp.ExecPath(findBrowser(t)), chromedp.NoSandbox,
		chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("allow-loopback-in-peer-connection", true),
		chromedp.Flag("mute-audio", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true))
	opts = append(opts, flags...)
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(func() {
		if err := chromedp.Cancel(ctx); err != nil {
			t.Logf("browser: %v", err)
		}
		cancel()
		stop()
	})
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return chrome{ctx}
}

// person is one isolated browser context whose microphone hums at hz.
type person struct {
	t     testing.TB
	ctx   context.Context    //nolint:containedctx // the browser context is the person; chromedp carries it so
	close context.CancelFunc // closes the tab, as a person may
	hz    int
}

// newPerson opens url in a browser context of its own.
func newPerson(t testing.TB, browser chrome, url string, hz int) *person {
	t.Helper()
	p := bystander(t, browser, hz)
	p.do(chromedp.Navigate(url), chromedp.WaitVisible(testid("find")))
	return p
}

// bystander is a person who has not opened any page yet.
func bystander(t testing.TB, browser chrome, hz int) *person {
	t.Helper()
	return guest(t, browser, hz, 90*time.Second)
}

// guest is a bystander who stays for so long at the most.
func guest(t testing.TB, browser chrome, hz int, most time.Duration) *person {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser.process, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	ctx, stop := context.WithTimeout(ctx, most)
	t.Cleanup(stop)
	p := &person{t: t, ctx: ctx, close: cancel, hz: hz}
	t.Cleanup(p.hadNoProblem)
	p.runsFirst(strings.ReplaceAll(witness, "TONE_HZ", strconv.Itoa(hz)))
	return p
}

// runsFirst has a script run in every page that is opened from now on, before its own.
func (p *person) runsFirst(script string) {
	p.t.Helper()
	p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	}))
}

func testid(id string) chromedp.CSS { return chromedp.CSS(fmt.Sprintf("[data-testid=%q]", id)) }

func (p *person) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.t.Fatalf("%d Hz: %v\n%s", p.hz, err, p.diary())
	}
}

// press clicks the control with this data-testid, as soon as it can be seen.
func (p *person) press(ids ...string) {
	p.t.Helper()
	for _, id := range ids {
		p.do(chromedp.WaitVisible(testid(id)), chromedp.Click(testid(id)))
	}
}

// js evaluates an expression, awaiting it if it is a promise.
func js[T any](p *person, expression string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%d Hz: %s: %v", p.hz, expression, err)
	}
	return v
}

// settled waits until the server has answered the last search, and for the picture of that: a
// newcomer's browser works on a puzzle before, and then what is below it moves, also under a finger
// that is about to press. Where no server answers it waits in vain, and not for long.
const settled = `seen.until(2000, () => seen.frames.slice(seen.frames.findLastIndex((f) => f.startsWith('> {"t":"find"')) + 1)
	.some((f) => /^< {"t":"(queued|matched|held|error)"/.test(f)))
	.then((answered) => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn(answered)))))`

// reaches waits until <html data-state> is one of the states (separated by |).
func (p *person) reaches(states string, within time.Duration) string {
	p.t.Helper()
	quoted := strconv.Quote(states)
	got := js[string](p, fmt.Sprintf("seen.state(%s.split('|'), %d)", quoted, within.Milliseconds()))
	state, _, _ := strings.Cut(got, " ")
	if slices.Contains(strings.Split(states, "|"), state) {
		if state == "queued" {
			js[bool](p, settled)
		}
		return got
	}
	p.t.Fatalf("%d Hz: screen is %q after %v, want %s\n%s", p.hz, got, within, states, p.diary())
	return ""
}

// sound is what arrives at a person's ear.
type sound struct {
	Hz       float64 `json:"hz"`
	Energy   float64 `json:"energy"`
	Received float64 `json:"received"`
	Lost     float64 `json:"lost"`
	Pair     string  `json:"pair"`
	State    string  `json:"state"`
	Screen   string  `json:"screen"`
}

// hears fails unless the tone of the other person arrives within the time.
func (p *person) hears(hz int, within time.Duration) sound {
	p.t.Helper()
	s := js[sound](p, fmt.Sprintf("seen.hears(%d, %d)", hz, within.Milliseconds()))
	if math.Abs(s.Hz-float64(hz)) > 12 || s.Energy <= 1e-5 {
		p.t.Fatalf("%d Hz: want to hear %d Hz, got %+v\n%s", p.hz, hz, s, p.diary())
	}
	return s
}

// diary is what the page did, for the message of a failed test.
func (p *person) diary() string {
	d, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](
		`[location.href, document.documentElement.outerHTML.slice(0, 120),
			...[...document.querySelectorAll('[data-testid="peer"]')].map((one) => 'peer: ' + one.dataset.phase),
			...(globalThis.seen?.pcs ?? []).map((pc) => ['connection:', pc.signalingState, pc.iceGatheringState, pc.iceConnectionState,
				pc.connectionState, 'sctp', pc.sctp?.state].join(' ')),
			...(globalThis.seen?.sealed ?? []).slice(-30).map((said) => 'sealed: ' + said.slice(0, 60)),
			...(globalThis.seen?.problems ?? []), ...(globalThis.seen?.frames ?? []).slice(-30).map((f) => f.slice(0, 300))].join('\n')`))
	if err != nil {
		return err.Error()
	}
	return d
}

// ready takes the person from home through the microphone test to the point before the search.
func (p *person) ready(interests ...string) {
	p.t.Helper()
	p.do(chromedp.WaitVisible(testid("find")))
	if js[bool](p, `Boolean(document.querySelector('[data-testid="adult"]'))`) {
		p.press("adult")
	}
	for _, i := range interests {
		p.press("interest-" + i)
	}
	p.press("find", "mic-ask")
	p.do(chromedp.WaitVisible(testid("mic-ok")))
}

// searches goes on from ready into the queue.
func (p *person) searches() { p.t.Helper(); p.press("mic-ok") }

// pair brings two people into a call: hz are their tones.
func pair(t testing.TB, browser chrome, url string) (ana, bo *person) {
	t.Helper()
	return pairAt(t, browser, url, url)
}

// pairAt is pair for two who open the page at addresses of their own. Ana waits longer.
func pairAt(t testing.TB, browser chrome, one, other string) (ana, bo *person) {
	t.Helper()
	ana, bo = newPerson(t, browser, one, 700), newPerson(t, browser, other, 1000)
	ana.ready("music")
	bo.ready("music")
	ana.searches()
	ana.reaches("queued", 5*time.Second)
	bo.searches()
	ana.reaches("live", 15*time.Second)
	bo.reaches("live", 15*time.Second)
	return ana, bo
}
