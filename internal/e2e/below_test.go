package e2e_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestBrowserBelowAPath: two strangers talk on a page that lies below a path, nothing is asked for
// beside it, and a link to a room leads below it.
func TestBrowserBelowAPath(t *testing.T) {
	browser := chromium(t)
	server := startParley(t, "--base-path", "/talk/here")
	root := strings.TrimSuffix(server.URL, "/")
	ana, bo := pair(t, browser, root+"/talk/here") // which leads to /talk/here/
	ana.hears(bo.hz, 10*time.Second)
	bo.hears(ana.hz, 10*time.Second)
	if a, b := ana.sas(), bo.sas(); a != b || len(a) < 10 {
		t.Errorf("authentication strings %q and %q", a, b)
	}
	for _, p := range []*person{ana, bo} {
		beside := js[string](p, `performance.getEntriesByType('resource').map((e) => e.name).filter((n) => !new URL(n).pathname.startsWith('/talk/here/')).join(' ')`)
		if beside != "" {
			t.Errorf("asked for beside the path: %s", beside)
		}
		p.hadNoProblem()
	}
	cy := opensCheck(t, browser, root+"/talk/here/", "")
	if word, says := cy.verdict(); word == "" {
		t.Errorf("the check says nothing: %s", says)
	}
	cy.do(chromedp.Navigate(root + "/talk/here/room"))
	if link := js[string](cy, `document.baseURI`); !strings.HasPrefix(link, root+"/talk/here/") {
		t.Errorf("a link to a room leads to %s", link)
	}
}
