package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
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
	kept := certificateFolder(cfg)
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

// dialFrom connects from one of the addresses of this machine.
func dialFrom(t *testing.T, from, to string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).DialContext(t.Context(), "tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestRedirectOfOneAddress: one address holds no more than its share, and others are served meanwhile.
// What it gives back it has again.
func TestRedirectOfOneAddress(t *testing.T) {
	cfg := startRedirect(t)
	var held []net.Conn
	for range mostOfOne + 4 {
		held = append(held, dialFrom(t, "127.0.0.2", cfg.Redirect))
	}
	for _, conn := range held[mostOfOne:] {
		_ = conn.SetReadDeadline(time.Now().Add(3 * time.Second)) // less than redirectTime
		if _, err := conn.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
			t.Errorf("one more than %d of an address is kept: %v", mostOfOne, err)
		}
	}
	if status, _, _ := plain(t, cfg.Redirect, "GET / HTTP/1.1\r\nHost: talk.example.org"); status != http.StatusMovedPermanently {
		t.Errorf("another address gets status %d", status)
	}
	for _, conn := range held {
		conn.Close()
	}
}

// TestCrowd: an IPv6 network of a /64 is one, a trusted proxy is not limited, and nothing is kept of
// who has gone.
func TestCrowd(t *testing.T) {
	c := &crowd{of: map[netip.Prefix]int{}, in: map[net.Conn]netip.Prefix{}, proxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	var all []net.Conn
	let := func(addr string, n int) (in int) {
		for range n {
			conn := fromAddr{at: &net.TCPAddr{IP: net.ParseIP(addr), Port: len(all) + 1}}
			all = append(all, &conn)
			if c.enters(&conn) {
				in++
			}
		}
		return in
	}
	for _, one := range []struct {
		addr    string
		n, want int
	}{
		{"2001:db8::1", 10, 10},
		{"2001:db8::2", 10, mostOfOne - 10},
		{"2001:db8:0:1::1", 1, 1},
		{"192.0.2.7", 100, 100},
		{"198.51.100.1", 20, mostOfOne},
		{"192.0.2.8", 1000, mostRedirected - 100 - 2*mostOfOne - 1},
	} {
		if got := let(one.addr, one.n); got != one.want {
			t.Errorf("of %d from %s, %d come in, want %d", one.n, one.addr, got, one.want)
		}
	}
	for _, conn := range all {
		c.leaves(conn)
	}
	if len(c.of) != 0 || len(c.in) != 0 {
		t.Errorf("all have gone, and %d places and %d connections are kept", len(c.of), len(c.in))
	}
}

// fromAddr is a connection of which only the address matters.
type fromAddr struct {
	net.Conn
	at net.Addr
}

func (c *fromAddr) RemoteAddr() net.Addr { return c.at }

// TestRedirectIsBounded: more connections than there is room for are hung up on, and who comes later
// is served.
func TestRedirectIsBounded(t *testing.T) {
	cfg := startRedirect(t)
	var held []net.Conn
	for i := range mostRedirected + 50 {
		held = append(held, dialFrom(t, fmt.Sprintf("127.0.1.%d", 1+i/mostOfOne), cfg.Redirect))
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
