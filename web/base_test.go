package web_test

import (
	"net/http"
	"strings"
	"testing"

	"parley/web"
)

// TestBasePath: below a path everything is as it is at the root, and beside it is nothing.
func TestBasePath(t *testing.T) {
	entered := 0
	h := newServer(t, func(c *web.Config) {
		c.Base = "/talk"
		c.Relay = func() web.Relay { return web.Relay{} }
		c.Socket = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { entered++; w.WriteHeader(http.StatusTeapot) })
	}).Public()
	for path, want := range map[string]int{
		"/talk": 303, "/talk/": 200, "/talk/room": 200, "/talk/privacy": 200, "/talk/check": 200, "/talk/check.json": 200, "/talk/privacy/now": 200, "/talk/privacy/processors": 200, "/talk/privacy/processors.atom": 200, "/talk/integrity": 200, "/talk/integrity.txt": 200, "/talk/catalogue.json": 200,
		"/talk/ws": 418, "/": 404, "/ws": 404, "/privacy": 404, "/talking": 404, "/talk/talk/": 404, "/talk/nothing": 404, "/talk//talk/": 404,
	} {
		w := ask(h, "GET", path)
		if w.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, w.StatusCode, want)
		}
		if w.Header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: no policy", path)
		}
		if text := body(t, w); strings.Contains(text, `href="/`) && strings.Count(text, `href="/`) != strings.Count(text, `href="/talk/`) || strings.Contains(text, `src="/`) {
			t.Errorf("%s leads beside the path", path)
		}
	}
	if entered != 1 {
		t.Errorf("%d entered", entered)
	}
	if to := ask(h, "GET", "/talk").Header.Get("Location"); to != "/talk/" {
		t.Errorf("leads to %q", to)
	}
	for line := range strings.SplitSeq(body(t, ask(h, "GET", "/talk/")), "\n") {
		_, rest, found := strings.Cut(line, `src="`)
		if !found {
			continue
		}
		if name, _, _ := strings.Cut(rest, `"`); ask(h, "GET", "/talk/"+name).StatusCode != http.StatusOK {
			t.Errorf("the page's %s is not there", name)
		}
	}
}
