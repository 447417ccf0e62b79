package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/internal/vtest"
)

// startRedirect opens the port without TLS of a parley with certificates from an authority.
func startRedirect(t *testing.T) config {
	t.Helper()
	cfg := config{
		TLS: tlsAuto, State: t.TempDir(), RelayName: "relay.example.org", Redirect: vtest.FreeAddr(t),
		PublicURL: []string{"https://talk.example.org", "https://other.example.org:8443"},
		Authority: "https://127.0.0.1:1/directory", // nobody answers there
	}
	certs, err := openCertificates(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse()
	if err := openRedirect(t.Context(), h, cfg, certs); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	})
	return cfg
}

// plain asks the port for something and returns the status, where it leads and what it says.
func plain(t *testing.T, at, request string) (status int, to, says string) {
	t.Helper()
	conn, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(conn, "%s\r\n\r\n", request)
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%s: %v", request, err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, r.Header.Get("Location"), string(body)
}

// TestRedirect: whoever comes without TLS is led to the page under the name that they asked for, and
// never anywhere else, whatever they ask.
func TestRedirect(t *testing.T) {
	cfg := startRedirect(t)
	for request, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: talk.example.org":                             "https://talk.example.org/",
		"GET /privacy?x=1 HTTP/1.1\r\nHost: OTHER.example.org":                 "https://other.example.org:8443/privacy?x=1",
		"GET /r HTTP/1.1\r\nHost: evil.example.org":                            "https://talk.example.org/r",
		"GET //evil.example.org/ HTTP/1.1\r\nHost: talk.example.org":           "https://talk.example.org//evil.example.org/",
		"GET http://evil.example.org/x HTTP/1.1\r\nHost: talk.example.org":     "https://talk.example.org/x",
		"GET /%0d%0aSet-Cookie:x HTTP/1.1\r\nHost: talk.example.org":           "https://talk.example.org/%0d%0aSet-Cookie:x",
		"GET /.well-known/acme-challenge/x HTTP/1.1\r\nHost: evil.example.org": "", // the authority's business, refused
		"POST / HTTP/1.1\r\nHost: talk.example.org\r\nContent-Length: 0":       "",
	} {
		status, to, _ := plain(t, cfg.Redirect, request)
		if to != want || (want != "") != (status == http.StatusMovedPermanently) {
			t.Errorf("%q: %d to %q, want %q", request, status, to, want)
		}
	}
}

// TestChallenge: what the authority asks for without TLS is answered, for our names only.
func TestChallenge(t *testing.T) {
	cfg := startRedirect(t)
	kept := filepath.Join(cfg.State, "certificates")
	if err := os.MkdirAll(kept, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(kept, "token1+http-01"), []byte("the answer"), 0o600); err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]bool{"talk.example.org": true, "relay.example.org": true, "evil.example.org": false} {
		status, _, says := plain(t, cfg.Redirect, "GET /.well-known/acme-challenge/token1 HTTP/1.1\r\nHost: "+host)
		if (status == http.StatusOK && says == "the answer") != want {
			t.Errorf("%s: %d %q", host, status, says)
		}
	}
}

// TestRedirectIsBounded: more connections than there is room for are hung up on, and who comes later
// is served.
func TestRedirectIsBounded(t *testing.T) {
	cfg := startRedirect(t)
	var held []net.Conn
	for range mostRedirected + 50 {
		conn, err := net.Dial("tcp", cfg.Redirect)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, conn)
	}
	gone := 0
	for _, conn := range held[mostRedirected:] {
		_ = conn.SetReadDeadline(time.Now().Add(3 * time.Second)) // less than redirectTime
		if _, err := conn.Read(make([]byte, 1)); err != nil && !os.IsTimeout(err) {
			gone++
		}
	}
	if gone < 50 {
		t.Errorf("%d of 50 too many were hung up on", gone)
	}
	for _, conn := range held {
		conn.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		conn, err := net.Dial("tcp", cfg.Redirect)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: talk.example.org\r\n\r\n")
		b := make([]byte, 200)
		n, _ := conn.Read(b)
		conn.Close()
		if strings.Contains(string(b[:n]), "301") {
			return
		}
	}
	t.Error("nobody is served after they have gone")
}
