package web_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/keyring"
	"parley/internal/vtest"
	"parley/moderation"
	"parley/moderation/office"
	"parley/moderation/score"
	"parley/web"
)

// desk is a console with one operator, mira.
type desk struct {
	http.Handler
	t      *testing.T
	office *office.Office
	tokens *office.Tokens
	token  string
	log    *strings.Builder
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	rdb, dir, log := vtest.NewRedis(t).Client, t.TempDir(), &strings.Builder{}
	logger := slog.New(slog.NewTextHandler(log, nil))
	m := moderation.New(moderation.Config{Redis: rdb, Ring: keyring.New(), Epochs: keyring.NewEpochs(), Log: logger})
	d := &desk{t: t, log: log, tokens: office.NewTokens(filepath.Join(dir, "operators"))}
	d.office = office.New(office.Config{
		Redis: rdb, Desk: m, Trail: office.NewTrail(filepath.Join(dir, "audit.jsonl")), Apply: m.SetPolicy, Log: logger,
	})
	d.Handler = newServer(t, func(c *web.Config) {
		c.Console = &web.Console{Office: d.office, Tokens: d.tokens}
		c.Log = logger
	}).Operator()
	var err error
	if d.token, err = d.tokens.Make("mira", time.Now()); err != nil {
		t.Fatal(err)
	}
	return d
}

// asked is one request to the console. What is left empty is as the console's own page sends it.
type asked struct {
	method, path, body string
	from               string            // address
	headers            map[string]string // "-" leaves one out
}

func (d *desk) send(a asked) (int, string) {
	d.t.Helper()
	if a.method == "" {
		a.method = http.MethodGet
		if a.body != "" {
			a.method = http.MethodPost
		}
	}
	r := httptest.NewRequest(a.method, "http://console.example"+a.path, strings.NewReader(a.body))
	if a.from != "" {
		r.RemoteAddr = a.from
	}
	headers := map[string]string{
		"Authorization": "Bearer " + d.token, "X-Parley-Console": "1", "Sec-Fetch-Site": "same-origin",
		"Origin": "http://console.example",
	}
	if a.method == http.MethodPost {
		headers["Content-Type"] = "application/json"
	}
	maps.Copy(headers, a.headers)
	for name, value := range headers {
		if value != "-" {
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return w.Code, string(body)
}

// TestConsoleForeign: no other page can ask or order anything, with or without a good token.
func TestConsoleForeign(t *testing.T) {
	d := newDesk(t)
	const pause = `{"paused":true,"reason":"a raid"}`
	for _, c := range []struct {
		name    string
		headers map[string]string
		want    int
	}{
		{"the console's page", nil, 200},
		{"no browser", map[string]string{"Sec-Fetch-Site": "-", "Origin": "-"}, 200},
		{"another site", map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403},
		{"another site in an old browser", map[string]string{"Sec-Fetch-Site": "-", "Origin": "https://evil.example"}, 403},
		{"a neighbour", map[string]string{"Sec-Fetch-Site": "same-site", "Origin": "http://other.console.example"}, 403},
		{"a look-alike", map[string]string{"Sec-Fetch-Site": "-", "Origin": "http://console.example.evil.example"}, 403},
		{"another port", map[string]string{"Sec-Fetch-Site": "-", "Origin": "http://console.example:8080"}, 403},
		{"a sandbox", map[string]string{"Sec-Fetch-Site": "-", "Origin": "null"}, 403},
		{"typed into the address bar", map[string]string{"Sec-Fetch-Site": "none", "Origin": "-"}, 403},
		{"a form", map[string]string{"X-Parley-Console": "-", "Content-Type": "text/plain"}, 403},
		{"a form as JSON", map[string]string{"X-Parley-Console": "-"}, 403},
		{"not JSON", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, 403},
		{"no token", map[string]string{"Authorization": "-"}, 401},
		{"a cookie", map[string]string{"Authorization": "-", "Cookie": "token=" + d.token}, 401},
		{"another scheme", map[string]string{"Authorization": "Basic " + d.token}, 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			if code, body := d.send(asked{path: "/console/api/pause", body: pause, headers: c.headers}); code != c.want {
				t.Errorf("%d %s, want %d", code, body, c.want)
			}
		})
	}
	lines, err := d.office.History(t.Context(), 100)
	if err != nil || len(lines) != 2 {
		t.Errorf("%d acts of the 2 that were allowed, %v", len(lines), err)
	}
}

// TestConsoleReadingChangesNothing: what orders something cannot be reached by GET or HEAD.
func TestConsoleReadingChangesNothing(t *testing.T) {
	d := newDesk(t)
	for _, path := range []string{"preview", "policy", "pause", "networks", "void/preview", "void", "review/find", "review/answer"} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete} {
			if code, _ := d.send(asked{method: method, path: "/console/api/" + path}); code != http.StatusMethodNotAllowed && code != http.StatusNotFound {
				t.Errorf("%s %s: %d", method, path, code)
			}
		}
	}
}

// TestConsoleTokens: the console is off without a token, says how to make one, and knows who asks.
func TestConsoleTokens(t *testing.T) {
	d := newDesk(t)
	if code, body := d.send(asked{path: "/console/api/overview"}); code != 200 || !strings.Contains(body, `"who":"mira"`) {
		t.Errorf("%d %s", code, body)
	}
	if err := d.tokens.Remove("mira"); err != nil {
		t.Fatal(err)
	}
	if code, body := d.send(asked{path: "/console/api/overview"}); code != 503 || !strings.Contains(body, "parley console token NAME") {
		t.Errorf("without any token: %d %s", code, body)
	}
	if _, err := d.tokens.Make("noor", time.Now()); err != nil {
		t.Fatal(err)
	}
	if code, _ := d.send(asked{path: "/console/api/overview"}); code != 401 {
		t.Errorf("a token that was removed: %d", code)
	}
	if strings.Contains(d.log.String(), d.token) || !strings.Contains(d.log.String(), "a wrong token was tried") {
		t.Errorf("the log: %s", d.log)
	}
}

// TestConsoleThrottle: ten wrong tokens in half an hour, and no more are looked at, not even a right
// one; others go on, and so does the address when its time is over.
func TestConsoleThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		guess := func(from, token string) int {
			code, _ := d.send(asked{path: "/console/api/reviews", from: from, headers: map[string]string{"Authorization": "Bearer " + token}})
			return code
		}
		for i := range 30 { // the right one does not count
			if code := guess("[2001:db8::1]:1", d.token); code == 429 {
				t.Fatalf("try %d with the right token: %d", i, code)
			}
		}
		for i := range 10 {
			if code := guess(fmt.Sprintf("[2001:db8::%x]:1", i+1), "wrong"); code != 401 {
				t.Fatalf("guess %d: %d", i, code)
			}
			time.Sleep(time.Minute)
		}
		for _, c := range []struct {
			name, from, token string
		}{
			{"one more", "[2001:db8::1]:1", "wrong"},
			{"the right one", "[2001:db8::1]:1", d.token},
			{"its neighbour in the /64", "[2001:db8::ffff:1]:1", d.token},
		} {
			if code := guess(c.from, c.token); code != 429 {
				t.Errorf("%s: %d", c.name, code)
			}
		}
		for _, others := range []string{"[2001:db8:0:%x::1]:1", "192.0.2.%d:1"} {
			held := 0
			for i := range 8 {
				if guess(fmt.Sprintf(others, i+1), d.token) == 429 {
					held++ // another address may share a counter, which one in 4,096 does
				}
			}
			if held > 2 {
				t.Errorf("%d of 8 of %s are throttled", held, others)
			}
		}
		time.Sleep(20*time.Minute + time.Second)
		if code := guess("[2001:db8::1]:1", d.token); code == 429 {
			t.Error("still throttled after half an hour since the first guess")
		}
	})
}

// TestConsoleHeaders: every answer forbids inline code, foreign files and frames.
func TestConsoleHeaders(t *testing.T) {
	d := newDesk(t)
	for _, path := range []string{"/console/", "/console/api/overview", "/console/a/0/main.js"} {
		w := httptest.NewRecorder()
		d.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://console.example"+path, nil))
		csp := w.Header().Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "trusted-types 'none'", "form-action 'none'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%s: the policy lacks %s: %s", path, part, csp)
			}
		}
		if strings.Contains(csp, "unsafe") || w.Header().Get("X-Frame-Options") != "DENY" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", path, w.Header())
		}
	}
}

// TestConsoleFiles: the page names only files that there are, and nothing of another host.
func TestConsoleFiles(t *testing.T) {
	d := newDesk(t)
	code, page := d.send(asked{path: "/console/", headers: map[string]string{"Authorization": "-"}})
	if code != 200 || strings.Contains(page, "{{") || strings.Contains(page, "://") {
		t.Fatalf("%d %s", code, page)
	}
	_, rest, _ := strings.Cut(page, `src="`)
	main, _, _ := strings.Cut(rest, `"`)
	if code, body := d.send(asked{path: "/console/" + main}); code != 200 || !strings.Contains(body, "parley console") {
		t.Errorf("%s: %d", main, code)
	}
	if code, _ := d.send(asked{path: "/console/a/0123/../../../etc/passwd"}); code == 200 {
		t.Error("a path leads out")
	}
	if code, _ := d.send(asked{path: "/console"}); code != http.StatusSeeOther {
		t.Errorf("/console: %d", code)
	}
}

// TestConsoleSetsAPolicy: preview, apply, and the second operator is told who was faster.
func TestConsoleSetsAPolicy(t *testing.T) {
	d := newDesk(t)
	strict, err := score.Preset("strict")
	if err != nil {
		t.Fatal(err)
	}
	text, err := strict.Text()
	if err != nil {
		t.Fatal(err)
	}
	if code, body := d.send(asked{path: "/console/api/preview", body: fmt.Sprintf(`{"policy":%s}`, text)}); code != 200 || !strings.Contains(body, `"bands":[[0,0,0,0]`) {
		t.Errorf("preview: %d %s", code, body)
	}
	apply := fmt.Sprintf(`{"policy":%s,"revision":0,"reason":"a raid"}`, text)
	if code, body := d.send(asked{path: "/console/api/policy", body: apply}); code != 200 {
		t.Fatalf("apply: %d %s", code, body)
	}
	code, body := d.send(asked{path: "/console/api/policy", body: apply})
	var said struct {
		Error   string
		Holding struct {
			Revision int
			Who      string
			Preset   string
		}
	}
	if err := json.Unmarshal([]byte(body), &said); err != nil || code != 409 || said.Holding.Who != "mira" || said.Holding.Revision != 1 || said.Holding.Preset != "strict" {
		t.Errorf("the second: %d %s %v", code, body, err)
	}
	if _, body := d.send(asked{path: "/console/api/history"}); !strings.Contains(body, `"whole":true`) || !strings.Contains(body, "a raid") {
		t.Errorf("history: %s", body)
	}
}

// TestConsoleBadInput: what cannot be read, or would be unfair, is refused in a sentence.
func TestConsoleBadInput(t *testing.T) {
	d := newDesk(t)
	for _, c := range []struct {
		path, body, says string
		code             int
	}{
		{"preview", `{"policy":{"telepathy":1}}`, "telepathy", 400},
		{"preview", `{"policy":{"thresholds":[0.2,0.1,0.3]}}`, "restricted", 400},
		{"preview", `{"policy":{},"more":1}`, "cannot be read", 400},
		{"preview", `{`, "cannot be read", 400},
		{"preview", `{"policy":{"rho":"` + strings.Repeat("x", 70_000) + `"}}`, "longer than", 400},
		{"pause", `{"paused":true,"reason":""}`, "why", 400},
		{"void", `{"network":"x","from":"2030-01-01T00:00:00Z","to":"2030-01-02T00:00:00Z","reason":"raid"}`, "span of time", 400},
		{"networks", `{"from":"yesterday"}`, "cannot be read", 400},
		{"review/find", `{"code":"no such code"}`, "no open review", 404},
		{"review/answer", `{"id":"x","verdict":"expunged","reason":"raid"}`, "no open review", 404},
	} {
		if code, body := d.send(asked{path: "/console/api/" + c.path, body: c.body}); code != c.code || !strings.Contains(body, c.says) {
			t.Errorf("%s %.60s: %d %s", c.path, c.body, code, body)
		}
	}
}

// TestConsoleTokenFile: the token is nowhere in the file, and a file that others may read is refused.
func TestConsoleTokenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "operators")
	tokens := office.NewTokens(path)
	token, err := tokens.Make("mira", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Contains(string(text), token) || !strings.HasPrefix(string(text), "mira ") {
		t.Errorf("%q, %v", text, err)
	}
	if len(token) < 26 {
		t.Errorf("a token of %d characters", len(token))
	}
	if _, err := tokens.Make("mira", time.Now()); err == nil {
		t.Error("two tokens of one name")
	}
	for _, name := range []string{"", "Mira", "a b", "-x", strings.Repeat("a", 33), "mira\nnoor"} {
		if _, err := tokens.Make(name, time.Now()); err == nil {
			t.Errorf("%q is a name", name)
		}
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := tokens.Who(token); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("%v", err)
	}
}
