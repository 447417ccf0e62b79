package web_test

import (
	"path"
	"testing"
)

// TestFiles asks for every file as a browser does: line for line what is in the source tree, less
// comments and indentation, of the right kind, kept for ever because the path changes with the
// content.
func TestFiles(t *testing.T) {
	kinds := map[string]string{
		".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".json": "application/json",
		".svg": "image/svg+xml", ".webmanifest": "application/manifest+json", ".png": "image/png", ".woff2": "font/woff2",
	}
	h := newServer(t).Public()
	for name, want := range pageFiles(t) {
		if name == "index.html" {
			continue
		}
		r := ask(h, "GET", asset(t, h, name), "Accept-Encoding", "br, gzip;q=0.5")
		if r.StatusCode != 200 || r.Header.Get("Content-Type") != kinds[path.Ext(name)] ||
			r.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || r.Header.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: %d %v", name, r.StatusCode, r.Header)
		}
		got := unpacked(t, r, body(t, r))
		sameLines(t, name, got, string(want))
		if body(t, ask(h, "GET", asset(t, h, name), "Accept-Encoding", "gzip;q=0, identity")) != got {
			t.Errorf("%s differs when not packed", name)
		}
	}
}
