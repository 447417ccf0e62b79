package e2e_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/redis/go-redis/v9"

	"parley/retention"
)

// startWatched starts a parley on a real Redis that holds reports, with somebody who has begun to
// touch data ten days ago.
func startWatched(t *testing.T) *parley {
	t.Helper()
	url, rdb := startStore(t)
	_, err := rdb.Pipelined(t.Context(), func(p redis.Pipeliner) error {
		for i := range 1234 {
			p.Set(t.Context(), retention.Report.Key(fmt.Sprintf("device%d", i), "0"), strings.Repeat("r", 35), retention.ReportTime-time.Duration(i)*time.Minute)
		}
		for i := range 3 {
			p.Set(t.Context(), retention.Review.Key(fmt.Sprintf("code%d", i)), "open", retention.ReviewTime)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "processors.toml")
	text := fmt.Sprintf(`
[[processor]]
name = "Example Hosting"
does = "rents out the machine on which this parley runs"
sees = "network addresses, and packets that it cannot read"
where = "Germany"
link = "https://hosting.example/privacy"
since = %s

[[processor]]
name = "Example Mail"
does = "carried the letters of the operators"
sees = "nothing of visitors"
since = 2025-02-01
until = 2026-02-01
`, time.Now().Add(-10*24*time.Hour).UTC().Format(time.DateOnly))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return startParley(t, "--redis", url, "--processors", file)
}

// followsLink opens what a link on the page leads to, and waits for its heading.
func (p *person) followsLink(link, heading string) {
	p.t.Helper()
	p.do(chromedp.Navigate(js[string](p, fmt.Sprintf(`document.querySelector('a[href=%q]').href`, link))))
	p.heads(heading)
}

func (p *person) heads(heading string) {
	p.t.Helper()
	if !js[bool](p, fmt.Sprintf(`seen.until(10000, () => document.querySelector('h1')?.textContent === %q)`, heading)) {
		p.t.Fatalf("no page is headed %q: %s", heading, js[string](p, `document.body.innerText.slice(0, 300)`))
	}
}

// hasText fails the test when the page lacks a text.
func (p *person) hasText(texts ...string) {
	p.t.Helper()
	all := strings.Join(strings.Fields(js[string](p, `document.body.innerText`)), " ")
	for _, text := range texts {
		if !strings.Contains(all, text) {
			p.t.Errorf("the page lacks %q:\n%s", text, all)
		}
	}
}

// fits fails the test when a page is wider than a phone.
func (p *person) fits() {
	p.t.Helper()
	p.do(chromedp.EmulateViewport(360, 740))
	if wide := js[float64](p, `document.documentElement.scrollWidth`); wide > 360 {
		p.t.Errorf("%s is %v wide on a phone of 360", js[string](p, `location.pathname`), wide)
	}
}

// TestBrowserPrivacyPages: from the notice on the first page a visitor comes to all pages about
// privacy; they say what the running server does, and fit on a phone.
func TestBrowserPrivacyPages(t *testing.T) {
	p := newPerson(t, chromium(t), startWatched(t).URL, 700)
	p.tells("changed", "Who else touches data here: a change on")
	if got := js[string](p, `document.querySelector('[data-testid="changed"]').getAttribute('href')`); got != "privacy/processors" {
		t.Errorf("the notice leads to %q", got)
	}
	p.do(chromedp.Navigate(js[string](p, `document.querySelector('[data-testid="changed"]').href`)))
	p.heads("Who else touches data")
	p.hasText("Example Hosting", "It rents out the machine on which this parley runs.", "Germany", "1 February 2026: Example Mail no longer touches data here.")
	p.fits()

	p.followsLink("../privacy", "What parley remembers")
	p.hasText("report gone after 30 days", "Who can read it", "And the key files too", "At most 256 bytes.", "moderation TestShredding",
		"What is kept elsewhere", "Copies are outside our reach.")
	p.fits()

	p.followsLink("privacy/now", "How much there is now")
	for range 20 { // the first count is under way
		if js[bool](p, `document.body.innerText.includes('Counted on')`) {
			break
		}
		p.do(chromedp.Reload())
	}
	p.hasText("report about 1,200 at most 20 hours", "review fewer than 10 not told", "Every record is declared")
	p.fits()

	p.followsLink("../integrity", "Check the page itself")
	p.fits()
	p.followsLink("./", "Talk with someone new.")
}

// TestBrowserIntegrity: a browser gets exactly the files that the list names, by its own arithmetic.
func TestBrowserIntegrity(t *testing.T) {
	p := bystander(t, chromium(t), 700)
	p.do(chromedp.Navigate(startParley(t).URL + "integrity"))
	p.heads("Check the page itself")
	const compare = `(async () => {
		const rows = [...document.querySelectorAll('tbody tr')];
		const wrong = [];
		for (const row of rows) {
			const [path, size, sum] = [...row.children].map((cell) => cell.textContent);
			const body = await (await fetch(path)).arrayBuffer();
			const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', body));
			const hex = [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
			if (hex !== sum || body.byteLength !== Number(size)) wrong.push(path);
		}
		return rows.length + ' files, wrong: ' + wrong.join(' ');
	})()`
	got := js[string](p, compare)
	var files int
	if _, err := fmt.Sscanf(got, "%d files", &files); err != nil || files < 60 || !strings.HasSuffix(got, "wrong: ") {
		t.Error(got)
	}
}

// TestScreensPrivacy photographs the pages about privacy, and the first page with its notice.
func TestScreensPrivacy(t *testing.T) {
	dir := screens(t)
	browser := chromium(t)
	url := startWatched(t).URL
	p := newPerson(t, browser, url, 700)
	p.tells("changed", "a change on")
	p.photograph(dir, "40-home-changed")
	for name, path := range map[string]string{"41-privacy": "privacy", "42-now": "privacy/now", "43-processors": "privacy/processors", "44-integrity": "integrity"} {
		p.do(chromedp.Navigate(url + path))
		p.photograph(dir, name)
	}
	p.do(chromedp.Navigate(startParley(t).URL + "privacy/processors"))
	p.photograph(dir, "45-processors-nobody")
}
