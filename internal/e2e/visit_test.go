package e2e_test

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// TestBrowserVisit: what a browser really loads until the first screen stands and the server has
// said welcome is under 60 kB, and what only a call needs is not among it. It comes with the first
// step.
func TestBrowserVisit(t *testing.T) {
	browser := chromium(t)
	p := newPerson(t, browser, startParley(t).URL, 700)
	js[bool](p, `seen.until(10000, () => seen.frames.some((f) => f.includes('"welcome"')))`)
	if !js[bool](p, `seen.frames.some((f) => /"t":"hello".*"device":"[\w-]{43}","digest":"[\w-]{43}"/.test(f))`) {
		t.Error("the browser does not say what it is known by\n" + p.diary())
	}
	type load struct {
		Bytes int      `json:"bytes"`
		Names []string `json:"names"`
	}
	const loaded = `(() => {
		const all = ['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type));
		return { bytes: all.reduce((sum, e) => sum + e.encodedBodySize, 0), names: all.map((e) => e.name.split('/').at(-1)) };
	})()`
	visit := js[load](p, loaded)
	t.Logf("%d bytes in %d files", visit.Bytes, len(visit.Names))
	if visit.Bytes >= 45_000 || visit.Bytes < 30_000 {
		t.Errorf("a visit loads %d bytes, want under 45,000: %q", visit.Bytes, visit.Names)
	}
	const call = `performance.getEntriesByType('resource').some((e) => /\/call-\w+\.min\.js$/.test(e.name))`
	const signals = `performance.getEntriesByType('resource').some((e) => /\/signals-\w+\.min\.js$/.test(e.name))`
	if !js[bool](p, signals) {
		t.Error("a visit does not load what tells of which kind the browser is: TestBrowserTokenOnly looks for another name")
	}
	if js[bool](p, call) {
		t.Error("a visit loads what only a call needs")
	}
	p.press("adult", "find")
	p.do(chromedp.WaitVisible(testid("mic-ask")))
	if !js[bool](p, `seen.until(5000, () => `+call+`)`) {
		t.Error("the first step does not load what a call needs")
	}
}
