package turn_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"parley/internal/vtest"
	"parley/turn"
)

// certificate makes one for 127.0.0.1 that signed itself, and what a client needs to believe it.
func certificate(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	sheet, key, err := vtest.Certificate(time.Now().Add(time.Hour), "127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(sheet, key)
	if err != nil {
		t.Fatal(err)
	}
	trust := x509.NewCertPool()
	if !trust.AppendCertsFromPEM(sheet) {
		t.Fatal("the certificate is none")
	}
	return pair, trust
}

// startTLS is start with a port for TLS.
func startTLS(t testing.TB, change func(*turn.Config)) *turn.Server {
	t.Helper()
	mine, _ := certificate(t)
	return start(t, func(c *turn.Config) {
		c.ListenTLS = netip.MustParseAddrPort("127.0.0.1:0")
		c.TLS = &tls.Config{Certificates: []tls.Certificate{mine}, MinVersion: tls.VersionTLS12}
		if change != nil {
			change(c)
		}
	})
}

// shared is a relay with a page that answers on the same port, as "page" and the protocol.
func shared(t testing.TB) (s *turn.Server, at string, trust *x509.CertPool) {
	t.Helper()
	mine, trust := certificate(t)
	s = start(t, nil)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	desk := s.Share(l, &tls.Config{Certificates: []tls.Certificate{mine}, NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12})
	page := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "page %s", r.Proto)
	})}
	done := make(chan error, 1)
	go func() { done <- page.Serve(desk) }()
	t.Cleanup(func() {
		page.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return s, l.Addr().String(), trust
}

// TestSharedPort: one port serves the page by HTTP/1.1, by HTTP/2 and without a word on the protocol,
// and the relay to who names none, as browsers do, and to who names that of the page.
func TestSharedPort(t *testing.T) {
	s, at, trust := shared(t)
	for _, test := range []struct {
		offers []string
		want   string
	}{{nil, "page HTTP/1.1"}, {[]string{"http/1.1"}, "page HTTP/1.1"}, {[]string{"h2", "http/1.1"}, "page HTTP/2.0"}} {
		client := &http.Client{Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: trust, NextProtos: test.offers}, ForceAttemptHTTP2: len(test.offers) > 1, DisableKeepAlives: true,
		}}
		r, err := client.Get("https://" + at + "/")
		if err != nil {
			t.Fatalf("%q: %v", test.offers, err)
		}
		body, err := io.ReadAll(r.Body)
		if r.Body.Close(); err != nil || string(body) != test.want {
			t.Errorf("%q: %q %v, want %q", test.offers, body, err, test.want)
		}
	}
	for _, offers := range [][]string{nil, {"http/1.1"}} {
		conn, err := tls.Dial("tcp", at, &tls.Config{RootCAs: trust, NextProtos: offers})
		if err != nil {
			t.Fatal(err)
		}
		if c := speakOn(t, conn, s.Credential("call")).allocate(); c != 0 {
			t.Errorf("%q: allocate: %d", offers, c)
		}
	}
}

// TestSharedPortEnds: with the page gone its connections are refused, the relay goes on; with the
// relay gone nothing is left.
func TestSharedPortEnds(t *testing.T) {
	mine, trust := certificate(t)
	s := start(t, nil)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	desk := s.Share(l, &tls.Config{Certificates: []tls.Certificate{mine}, MinVersion: tls.VersionTLS12})
	waiting, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close()
	dial := func() *tls.Conn {
		t.Helper()
		conn, err := tls.Dial("tcp4", l.Addr().String(), &tls.Config{RootCAs: trust})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	unclaimed := dial()
	_, _ = io.WriteString(unclaimed, "GET / HTTP/1.1\r\n\r\n") // nobody accepts it
	if err := desk.Close(); err != nil {
		t.Fatal(err)
	}
	if !closes(unclaimed, 5*time.Second) {
		t.Error("a connection for a page that is gone is left open")
	}
	if c := speakOn(t, dial(), s.Credential("call")).allocate(); c != 0 {
		t.Errorf("allocate: %d", c)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if !closes(waiting, 5*time.Second) {
		t.Error("a connection in front of the door is left open")
	}
	if conn, err := net.Dial("tcp4", l.Addr().String()); err == nil {
		conn.Close()
		t.Error("the port is still open")
	}
}

// TestSilentHandshakeIsClosed: who connects to the port for TLS and says nothing, or only begins, is
// closed as soon as on the plain port.
func TestSilentHandshakeIsClosed(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds")
	}
	t.Parallel()
	s := startTLS(t, nil)
	_, at, _ := shared(t)
	var all []net.Conn
	for _, to := range []string{s.SecureAddr(), at} {
		for _, says := range []string{"", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"} {
			conn, err := net.Dial("tcp4", to)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_, _ = io.WriteString(conn, says)
			all = append(all, conn)
		}
	}
	for i, conn := range all {
		if !closes(conn, 20*time.Second) {
			t.Errorf("connection %d is left open", i)
		}
	}
	await(t, func() bool { return s.Counters().Unshaken == 2 && s.Counters().Streams == 0 })
}

// TestHalfOpenConnectionsHarmNobody: 10,000 connections that never say what they want, from as many
// addresses and from one, at every port that takes TCP. Calls go on, and whoever comes is served.
func TestHalfOpenConnectionsHarmNobody(t *testing.T) {
	for _, over := range []wire{overTCP, overTLS} {
		for _, from := range []string{"many addresses", "one address"} {
			t.Run(string(over)+" from "+from, func(t *testing.T) {
				s := startTLS(t, nil)
				ana, bo := call(t, s, s.Credential("call"), over), call(t, s, s.Credential("call"), over)
				count := 10_000
				var most syscall.Rlimit
				if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &most); err == nil && most.Cur < 12_000 {
					count = max(int(most.Cur)-2000, 0)
					t.Logf("only %d connections: ulimit -n 20000 allows all", count)
				}
				for i := range count {
					dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 1, byte(i>>8), byte(i))}}
					if from == "one address" {
						dialer.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 1, 1, 1)}
					}
					conn, err := dialer.DialContext(t.Context(), "tcp4", at(s, over))
					if err != nil {
						t.Fatal(err)
					}
					defer conn.Close()
					if i%2 == 0 {
						_, _ = conn.Write([]byte("\x16\x03\x01")) // half a hello; no frame of TURN either
					}
					if i%1000 == 999 && !hears(t, ana, bo, "still here") {
						t.Fatalf("after %d connections the call is not heard", i+1)
					}
				}
				cy, di := call(t, s, s.Credential("another"), over), call(t, s, s.Credential("another"), overUDP)
				if !hears(t, cy, di, "hello") || !hears(t, di, cy, "hello") {
					t.Error("who comes afterwards is not served")
				}
				c := s.Counters()
				if c.Streams > 600 {
					t.Errorf("%d connections are held", c.Streams)
				}
				if from == "many addresses" && c.Evicted == 0 || from == "one address" && c.Streamless == 0 {
					t.Errorf("the bound was not reached: %+v", c)
				}
			})
		}
	}
}
