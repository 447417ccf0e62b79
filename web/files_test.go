package web_test

import (
	"path"
	"regexp"
	"strings"
	"testing"
)

// TestFiles asks for every file as a browser does: line for line what is in the source tree, less
// comments and indentation, of the right kind, kept for ever because the path changes with the
// content. What comes before anybody has done anything is under 60 kB on the wire in English; what a
// module asks for only when it is needed has a budget of its own.
func TestFiles(t *testing.T) {
	kinds := map[string]string{
		".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".json": "application/json",
		".svg": "image/svg+xml", ".webmanifest": "application/manifest+json", ".png": "image/png", ".woff2": "font/woff2",
	}
	h := newServer(t).Public()
	files := pageFiles(t)
	later := loadedLater(t, files)
	wire, rest, check, rooms := 0, 0, 0, 0
	for name, want := range files {
		if name == "index.html" {
			continue
		}
		r := ask(h, "GET", asset(t, h, name), "Accept-Encoding", "br, gzip;q=0.5")
		if r.StatusCode != 200 || r.Header.Get("Content-Type") != kinds[path.Ext(name)] ||
			r.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || r.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: %d %v", name, r.StatusCode, r.Header)
		}
		packed := body(t, r)
		switch {
		case ofRooms(name):
			rooms += len(packed)
		case strings.HasPrefix(name, "check/"): // another page
			check += len(packed)
		case later[name]:
			rest += len(packed)
		case path.Dir(name) != "lang" || name == "lang/en.json":
			wire += len(packed)
		}
		got := unpacked(t, r, packed)
		sameLines(t, name, got, string(want))
		if body(t, ask(h, "GET", asset(t, h, name), "Accept-Encoding", "gzip;q=0, identity")) != got {
			t.Errorf("%s differs when not packed", name)
		}
	}
	wire += len(body(t, ask(h, "GET", "/", "Accept-Encoding", "gzip")))
	wire += len(body(t, ask(h, "GET", "/catalogue.json", "Accept-Encoding", "gzip")))
	t.Logf("the page is %d bytes on the wire, %d more when they are needed, and %d more in a private room", wire, rest, rooms)
	if wire >= 60_000 {
		t.Errorf("the page is %d bytes packed, want under 60,000", wire)
	}
	if check += len(body(t, ask(h, "GET", "/check", "Accept-Encoding", "gzip"))); check >= 6_000 {
		t.Errorf("the check is %d bytes packed beside what it shares with the page, want under 6,000", check)
	}
	if rest >= 20_000 {
		t.Errorf("what comes later is %d bytes packed, want under 20,000", rest)
	}
	if rooms >= 80_000 {
		t.Errorf("a private room is %d bytes packed, want under 80,000", rooms)
	}
	for name := range files {
		if ofRooms(name) && !later[name] && path.Ext(name) == ".js" {
			t.Errorf("%s is loaded before anybody wants a room", name)
		}
	}
}

// ofRooms tells what only private rooms need: half of it is the list of words, and the curve.
func ofRooms(name string) bool {
	base := path.Base(name)
	return strings.HasPrefix(base, "room") || path.Dir(name) == "vendor"
}

var (
	imports  = regexp.MustCompile(`(?m)^(?:import|export)\b[^;]*?'\./([\w/-]+\.js)'`)
	fetches  = regexp.MustCompile(`import\('\./([\w-]+\.js)'\)|new URL\('([\w-]+-worker\.js)', import\.meta\.url\)`)
	atStart  = []string{"main.js", "signals.js"} // signals.js is asked for before the first word to the server
	withCall = "meter-worklet.js"                // counted with the page, although the microphone brings it
)

// loadedLater names the modules that come only when some other module asks for them by name, and
// those that they bring along. A file that nobody asks for counts as one of the first.
func loadedLater(t *testing.T, files map[string][]byte) map[string]bool {
	t.Helper()
	var take func(set map[string]bool, name string)
	take = func(set map[string]bool, name string) {
		if _, there := files[name]; !there {
			t.Fatalf("a module asks for %s, which is not there", name)
		}
		if set[name] {
			return
		}
		set[name] = true
		for _, m := range imports.FindAllSubmatch(files[name], -1) {
			take(set, string(m[1]))
		}
	}
	first, later := map[string]bool{withCall: true}, map[string]bool{}
	for _, name := range atStart {
		take(first, name)
	}
	for name := range files {
		if strings.HasPrefix(name, "check/") {
			continue // a page of its own
		}
		for _, m := range fetches.FindAllSubmatch(files[name], -1) {
			take(later, string(m[1])+string(m[2]))
		}
	}
	for name := range first {
		delete(later, name)
	}
	if len(first) < 15 || len(later) < 5 {
		t.Errorf("the first modules are %v, the later ones %v: the scan finds too few", first, later)
	}
	return later
}
