package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/internal/vtest"
)

// TestAskerIsBounded: an authority can neither fill our memory, nor have us wait for long, nor hold up
// the end of the program. One whose root is not named is not believed.
func TestAskerIsBounded(t *testing.T) {
	asked := make(chan struct{}, 1)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/much":
			_, _ = io.WriteString(w, strings.Repeat("x", mostAnswered+1))
		case "/long":
			w.Header().Set("Retry-After", "3600")
			_, _ = io.WriteString(w, strings.Repeat("x", mostAnswered))
		case "/never":
			asked <- struct{}{}
			<-r.Context().Done()
		}
	}))
	defer server.Close()
	cfg := config{AuthorityRoots: x509.NewCertPool()}
	cfg.AuthorityRoots.AddCert(server.Certificate())
	life, end := context.WithCancel(t.Context())
	defer end()
	client := asker(life, cfg)
	ask := func(client *http.Client, path string) (string, http.Header, error) {
		r, err := client.Get(server.URL + path)
		if err != nil {
			return "", nil, err
		}
		defer r.Body.Close()
		text, err := io.ReadAll(r.Body)
		return string(text), r.Header, err
	}
	if text, _, err := ask(client, "/much"); err == nil || !strings.Contains(err.Error(), "an answer of more than") {
		t.Errorf("too much: %d bytes, %v", len(text), err)
	}
	if text, header, err := ask(client, "/long"); err != nil || len(text) != mostAnswered || header.Get("Retry-After") != "10" {
		t.Errorf("%d bytes, and to wait %q: %v", len(text), header.Get("Retry-After"), err)
	}
	if _, _, err := ask(asker(life, config{}), "/long"); err == nil {
		t.Error("a root that nobody named is believed")
	}
	go func() { <-asked; end() }()
	if _, _, err := ask(client, "/never"); !errors.Is(err, context.Canceled) {
		t.Errorf("at the end: %v", err)
	}
}

// TestShorten: what cannot be understood is no reason to wait for longer.
func TestShorten(t *testing.T) {
	for given, want := range map[string]string{"": "", "0": "0", "3": "3", "10": "10", "11": "10", "Sun, 06 Nov 2094 08:49:37 GMT": "10", "99999999999999999999": "10"} {
		h := http.Header{}
		if given != "" {
			h.Set("Retry-After", given)
		}
		if shorten(h); h.Get("Retry-After") != want {
			t.Errorf("%q becomes %q, want %q", given, h.Get("Retry-After"), want)
		}
	}
}

// TestPause: whether anybody answers is asked often, what was refused rarely: no more than five times
// in the first hour, and then every hour.
func TestPause(t *testing.T) {
	for fault, want := range map[string][]time.Duration{
		"":         {lookedAfter, lookedAfter},
		unrenewed:  {lookedAfter, lookedAfter},
		unanswered: {5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, time.Minute, time.Minute},
		refused:    {2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 32 * time.Minute, time.Hour, time.Hour},
	} {
		for times, d := range want {
			if got := pause(fault, times); got != d {
				t.Errorf("%q for the %d. time: %v, want %v", fault, times+1, got, d)
			}
		}
		if got, most := pause(fault, 1<<30), want[len(want)-1]; got != most {
			t.Errorf("%q for ever: %v, want %v", fault, got, most)
		}
	}
	for _, two := range [][2]string{{"", unrenewed}, {unrenewed, unanswered}, {unanswered, refused}} {
		if worse(two[0], two[1]) != two[1] || worse(two[1], two[0]) != two[1] {
			t.Errorf("of %q the first decides when to ask again", two)
		}
	}
}

// TestPatience: a question is repeated a few times, but not when the authority has enough of us.
func TestPatience(t *testing.T) {
	for _, test := range []struct {
		n, status int
		want      time.Duration
	}{{0, 400, time.Second}, {1, 400, time.Second}, {2, 503, 2 * time.Second}, {4, 503, 8 * time.Second}, {5, 503, 0}, {1, 429, 0}} {
		if got := patience(test.n, nil, &http.Response{StatusCode: test.status}); got != test.want {
			t.Errorf("%d, for the %d. time: %v, want %v", test.status, test.n, got, test.want)
		}
	}
}

// TestRunsOut: a certificate that is old enough to have been renewed, and was not, is noticed when a
// quarter of that time is over, however long it is good for.
func TestRunsOut(t *testing.T) {
	now := time.Now()
	for _, test := range []struct {
		lifetime, left time.Duration
		want           bool
	}{
		{90 * 24 * time.Hour, 30 * 24 * time.Hour, false},
		{90 * 24 * time.Hour, 23 * 24 * time.Hour, false},
		{90 * 24 * time.Hour, 22 * 24 * time.Hour, true},
		{6 * 24 * time.Hour, 37 * time.Hour, false},
		{6 * 24 * time.Hour, 35 * time.Hour, true},
		{5 * 365 * 24 * time.Hour, 23 * 24 * time.Hour, false},
		{90 * 24 * time.Hour, -time.Hour, true},
	} {
		pair := &tls.Certificate{Leaf: &x509.Certificate{NotBefore: now.Add(test.left - test.lifetime), NotAfter: now.Add(test.left)}}
		if got := runsOut(pair, now); got != test.want {
			t.Errorf("of %v are %v left: %t", test.lifetime, test.left, got)
		}
	}
}

// TestCertificateFolder: certificates of two authorities never lie in one folder, and none outside.
func TestCertificateFolder(t *testing.T) {
	seen := map[string]string{}
	for _, authority := range []string{
		letsEncrypt, "https://acme-staging-v02.api.letsencrypt.org/directory", "https://ca.example.org/acme/a/directory",
		"https://ca.example.org/acme/b/directory", "https://ca.example.org:9000/acme/a/directory", "https://ca.example.org/../../etc",
	} {
		folder := certificateFolder(config{State: "/state", Authority: authority})
		if other, twice := seen[folder]; twice {
			t.Errorf("%s and %s are kept in %s", other, authority, folder)
		}
		seen[folder] = authority
		if folder != filepath.Clean(folder) || !strings.HasPrefix(folder, "/state/certificates") || strings.Count(folder, "/") > 3 {
			t.Errorf("%s is kept in %s", authority, folder)
		}
	}
	if seen["/state/certificates"] != letsEncrypt {
		t.Errorf("those that are there already are asked for again: %v", seen)
	}
}

// TestFaultIsSaidOnce: a fault that lasts fills no log, and one that comes back is said again.
func TestFaultIsSaidOnce(t *testing.T) {
	log := &vtest.Log{}
	a := newAuthority(config{
		State: t.TempDir(), Authority: "https://127.0.0.1:1/directory", // nobody answers there
		RelayName: "relay.example.org", TLS: tlsAuto, PublicURL: []string{"https://talk.example.org"},
	}, slog.New(slog.NewTextHandler(log, nil)))
	said := map[string]string{}
	for range 3 {
		if worst := a.round(t.Context(), said); worst != unanswered {
			t.Errorf("nobody answers, and the fault is %q", worst)
		}
	}
	if n := strings.Count(log.String(), unanswered); n != 2 {
		t.Errorf("of two names it is said %d times: %s", n, log)
	}
	said["talk.example.org"] = "" // as when it was well
	a.round(t.Context(), said)
	if n := strings.Count(log.String(), unanswered); n != 3 {
		t.Errorf("when it is back, it is said %d times: %s", n, log)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	a.round(ended, map[string]string{})
	if n := strings.Count(log.String(), unanswered); n != 3 {
		t.Errorf("the end of the program is said to be a fault: %s", log)
	}
}

// TestTries: an authority that now refuses and now does not answer is not asked as often as if it had
// refused only once; when all was well meanwhile, it is.
func TestTries(t *testing.T) {
	tried := tries{}
	for i, c := range []struct {
		fault string
		want  time.Duration
	}{
		{unanswered, 5 * time.Second},
		{refused, 2 * time.Minute},
		{unanswered, 10 * time.Second},
		{refused, 4 * time.Minute},
		{refused, 8 * time.Minute},
		{"", lookedAfter},
		{refused, 2 * time.Minute},
	} {
		if got := tried.pause(c.fault); got != c.want {
			t.Errorf("%d. after %q: %v, want %v", i+1, c.fault, got, c.want)
		}
	}
}
