package web_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"html"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"parley/matcher"
	"parley/retention"
	"parley/web"
)

// newServer returns a server whose socket answers 418, so that a test sees who got through.
func newServer(t *testing.T, change ...func(*web.Config)) *web.Server {
	t.Helper()
	cfg := web.Config{
		Socket: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }),
		Ready:  func(context.Context) error { return nil },
		Relay:  func() web.Relay { return web.Relay{URLs: []string{"turn:192.0.2.1"}, Username: "u", Credential: "c"} },
		Log:    slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&cfg)
	}
	s, err := web.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ask sends one request from 192.0.2.1 (httptest's address) with headers in pairs.
func ask(h http.Handler, method, target string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, "/", nil)
	r.URL.Path, r.URL.RawPath = target, ""
	if u, err := r.URL.Parse(target); err == nil {
		r.URL.Path, r.URL.RawPath, r.URL.RawQuery = u.Path, u.RawPath, u.RawQuery
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestHeaders writes every header out once more: the strictest policy that works in the browsers we
// test, on every answer, whatever its status.
func TestHeaders(t *testing.T) {
	want := map[string]string{
		"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; media-src 'self'; " +
			"manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types parley-solver",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Embedder-Policy": "require-corp",
		"Referrer-Policy":              "no-referrer",
		"X-Content-Type-Options":       "nosniff",
		"Permissions-Policy":           "microphone=(self), camera=(self), geolocation=(), display-capture=(), browsing-topics=()",
	}
	h := newServer(t).Public()
	for _, c := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/", 200},
		{"HEAD", "/", 200},
		{"GET", "/privacy", 200},
		{"GET", "/privacy/now", 200},
		{"GET", "/privacy/processors", 200},
		{"GET", "/privacy/processors.atom", 200},
		{"GET", "/integrity", 200},
		{"HEAD", "/integrity.txt", 200},
		{"GET", "/404", 404},
		{"GET", "/catalogue.json", 200},
		{"GET", asset(t, h, "style.css"), 200},
		{"GET", "/check", 200},
		{"GET", "/check.json", 200},
		{"GET", "/no/such/page", 404},
		{"POST", "/", 405},
		{"GET", "/ws", 418},
	} {
		r := ask(h, c.method, c.path)
		if r.StatusCode != c.status {
			t.Errorf("%s %s: status %d, want %d", c.method, c.path, r.StatusCode, c.status)
		}
		for name, value := range want {
			if got := r.Header.Values(name); len(got) != 1 || got[0] != value {
				t.Errorf("%s %s: %s is %q, want %q", c.method, c.path, name, got, value)
			}
		}
		for _, tells := range []string{"Server", "X-Powered-By", "Set-Cookie"} {
			if got := r.Header.Get(tells); got != "" {
				t.Errorf("%s %s: %s: %s", c.method, c.path, tells, got)
			}
		}
	}
}

// asset is where the index says that a file lies.
func asset(t *testing.T, h http.Handler, name string) string {
	t.Helper()
	m := regexp.MustCompile(`"(a/[0-9a-f]{16}/)`).FindStringSubmatch(body(t, ask(h, "GET", "/")))
	if m == nil {
		t.Fatal("the index does not say where the files are")
	}
	return "/" + m[1] + name
}

// pageFiles are the files that the page is made of, read from the source tree.
func pageFiles(t *testing.T) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	app := os.DirFS("app")
	err := fs.WalkDir(app, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, ".test.js") || path.Ext(name) == ".md" {
			return err
		}
		files[name], err = fs.ReadFile(app, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// sameLines holds what is served to the source: only lines of comments may be empty.
func sameLines(t *testing.T, name, got, source string) {
	t.Helper()
	served, lines := strings.Split(got, "\n"), strings.Split(source, "\n")
	if len(served) != len(lines) {
		t.Errorf("%s has %d lines, its source %d", name, len(served), len(lines))
		return
	}
	comment := regexp.MustCompile(`^\s*(//|/\*|\*)`)
	code := path.Ext(name) == ".js" || path.Ext(name) == ".css"
	for i, line := range lines {
		if served[i] != line && (!code || served[i] != strings.TrimSpace(line) && (served[i] != "" || !comment.MatchString(line))) {
			t.Errorf("%s:%d is served as %q, the source is %q", name, i+1, served[i], line)
		}
	}
}

func unpacked(t *testing.T, r *http.Response, packed string) string {
	t.Helper()
	if r.Header.Get("Content-Encoding") == "" {
		return packed
	}
	z, err := gzip.NewReader(strings.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := io.Copy(&b, z); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestIndex is never kept, so that a new version is seen at once.
func TestIndex(t *testing.T) {
	r := ask(newServer(t).Public(), "GET", "/")
	if got := r.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control %q", got)
	}
	if text := body(t, r); strings.Contains(text, "{{") || !strings.Contains(text, "a/") {
		t.Errorf("the place of the files is not filled in:\n%s", text)
	}
}

// TestOutside tries to reach what is not part of the page.
func TestOutside(t *testing.T) {
	h := newServer(t).Public()
	base := asset(t, h, "")
	missing := body(t, ask(h, "GET", "/no/such/page"))
	for _, p := range []string{
		base, base + "nothing.js", base + "index.html", base + "../../server.go", base + "..%2f..%2fserver.go", base + "%2e%2e/server.go",
		base + "..%5c..%5cserver.go", base + "/style.css", base + "lang", base + "lang/", base + "app.test.js", base + "protocol.test.js",
		"//etc/passwd", "/..%2f..%2fetc%2fpasswd", "/a/0000000000000000/style.css", "/a", "/a/", "/page/privacy.html", "/privacy/", "/index.html",
		"/healthz", "/readyz", "/%00", "/a/" + strings.Repeat("x", 4000), "/ws/", "/WS",
	} {
		if r := ask(h, "GET", p); r.StatusCode != 404 {
			t.Errorf("%s: status %d, want 404", p, r.StatusCode)
		} else if got := body(t, r); got != "Not Found\n" && got != missing {
			t.Errorf("%s: an answer of its own: %s", p, got)
		}
	}
}

// TestPrivacy holds the public page to the catalogue: every text of every item is on it.
func TestPrivacy(t *testing.T) {
	text := body(t, ask(newServer(t).Public(), "GET", "/privacy"))
	for _, it := range retention.Catalogue() {
		for _, want := range []string{it.Name, it.Holds, it.Why, it.Reader, it.Breach, it.Keyed} {
			if !strings.Contains(text, html.EscapeString(want)) {
				t.Errorf("%s: the page lacks %q", it.Name, want)
			}
		}
	}
	for _, p := range retention.Elsewhere() {
		for _, want := range []string{p.Name, p.Holds, p.Long, p.Reader} {
			if !strings.Contains(text, html.EscapeString(want)) {
				t.Errorf("%s: the page lacks %q", p.Name, want)
			}
		}
	}
	for _, p := range retention.Promises() {
		if !strings.Contains(text, html.EscapeString(p.Says)+" <code>"+html.EscapeString(strings.Join(p.Tests, ", "))) {
			t.Errorf("the page lacks the promise %q", p.Says)
		}
	}
	for _, want := range []string{"gone after 30 days", "gone after 1 minute<", "What we cannot promise"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, claim := range []string{"{{", "zero-knowledge", "cannot know who", "unbreakable", "<script", "style="} {
		if strings.Contains(text, claim) {
			t.Errorf("the page says %q", claim)
		}
	}
}

// TestMissing: a wrong address shows a page in our look, the same for each, at any depth.
func TestMissing(t *testing.T) {
	h := newServer(t).Public()
	r := ask(h, "GET", "/no/such/page?with=a%20word", "Accept-Encoding", "identity")
	page := body(t, r)
	if r.StatusCode != 404 || r.Header.Get("Content-Type") != "text/html; charset=utf-8" || r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	for _, want := range []string{`href="/"`, `"` + asset(t, h, "style.css") + `"`, `"` + asset(t, h, "prose.css") + `"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, tells := range []string{"such", "word", "<script"} {
		if strings.Contains(page, tells) {
			t.Errorf("the page says %q", tells)
		}
	}
	if again := body(t, ask(h, "GET", "/another", "Accept-Encoding", "identity")); again != page {
		t.Error("another address shows another page")
	}
}

// TestCatalogue offers what the matcher accepts, nothing else.
func TestCatalogue(t *testing.T) {
	var got struct {
		Languages []matcher.Language
		Interests []string
		Signals   bool
		Contact   string
	}
	here := func(c *web.Config) { c.Contact = "mailto:help@example.org" }
	if err := json.NewDecoder(ask(newServer(t, here).Public(), "GET", "/catalogue.json").Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if !got.Signals || got.Contact != "mailto:help@example.org" {
		t.Errorf("signals %t, contact %q", got.Signals, got.Contact)
	}
	spared := body(t, ask(newServer(t, func(c *web.Config) { c.TokenOnly = true }).Public(), "GET", "/catalogue.json"))
	if !strings.Contains(spared, `"signals":false`) {
		t.Errorf("browsers are not spared to say of what kind they are: %s", spared)
	}
	if len(got.Languages) != len(matcher.Languages()) || len(got.Interests) != len(matcher.Interests()) || len(got.Interests) == 0 {
		t.Errorf("%d languages and %d interests", len(got.Languages), len(got.Interests))
	}
}

// TestHealth: alive is not ready.
func TestHealth(t *testing.T) {
	away := errors.New("dial tcp 203.0.113.9:6379: connection refused")
	var store error
	s := newServer(t, func(c *web.Config) { c.Ready = func(context.Context) error { return store } })
	check := func(path string, status int, says string) {
		t.Helper()
		r := ask(s.Operator(), "GET", path)
		text := body(t, r)
		if r.StatusCode != status || !strings.Contains(text, says) || strings.Contains(text, "203.0.113") {
			t.Errorf("%s: %d %s, want %d %s", path, r.StatusCode, text, status, says)
		}
	}
	check("/healthz", 200, "alive")
	check("/readyz", 200, "ready")
	store = away
	check("/healthz", 200, "alive")
	check("/readyz", 503, "the store does not accept writes")
	store = nil
	check("/readyz", 200, "ready")
	s.Drain()
	check("/healthz", 200, "alive")
	check("/readyz", 503, "draining")
	if r := ask(s.Operator(), "GET", "/"); r.StatusCode != 404 {
		t.Errorf("the operator's listener serves the page: %d", r.StatusCode)
	}
}

// TestForgedAddress: who writes X-Forwarded-For decides nothing unless the operator trusts them.
func TestForgedAddress(t *testing.T) {
	few := func(c *web.Config) { c.Limits = web.Limits{Burst: 3} }
	proxied := func(c *web.Config) { c.Proxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} }
	for _, c := range []struct {
		name    string
		server  *web.Server
		headers func(i byte) []string
		through int
	}{
		{"direct, forged", newServer(t, few), func(i byte) []string {
			return []string{"X-Forwarded-For", "203.0.113." + string('0'+i), "X-Real-Ip", "203.0.113." + string('0'+i), "Forwarded", "for=203.0.113." + string('0'+i)}
		}, 3},
		{"proxy, visitors differ", newServer(t, few, proxied), func(i byte) []string {
			return []string{"X-Forwarded-For", "203.0.113." + string('0'+i)}
		}, 9},
		{"proxy, visitor forges what lies before", newServer(t, few, proxied), func(i byte) []string {
			return []string{"X-Forwarded-For", "198.51.100." + string('0'+i) + ", 203.0.113.7"}
		}, 3},
		{"proxy, visitor names a proxy", newServer(t, few, proxied), func(i byte) []string {
			return []string{"X-Forwarded-For", "198.51.100." + string('0'+i) + ", 203.0.113.7, 192.0.2.9"}
		}, 3},
		{"proxy, nonsense", newServer(t, few, proxied), func(i byte) []string {
			return []string{"X-Forwarded-For", "nonsense" + string('0'+i)}
		}, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, through := c.server.Public(), 0
			for i := range byte(9) {
				if ask(h, "GET", "/ws", c.headers(i)...).StatusCode == http.StatusTeapot {
					through++
				}
			}
			if through != c.through {
				t.Errorf("%d of 9 handshakes got through, want %d", through, c.through)
			}
		})
	}
}
