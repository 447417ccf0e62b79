package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pion/logging"
	pionturn "github.com/pion/turn/v4"

	"parley/internal/redact"
	"parley/internal/vtest"
	"parley/turn"
)

// signed is a parley with two names, for which an authority signs.
type signed struct {
	t                  *testing.T
	page, plain, relay string // where it listens: with TLS, without, and for calls
	state              string
	cfg                config
	log                *vtest.Log
	house              *house
}

func newSigned(t *testing.T) *signed {
	return &signed{t: t, page: vtest.FreeAddr(t), plain: vtest.FreeAddr(t), relay: vtest.FreeAddr(t), state: t.TempDir()}
}

// start starts it as the program does, with certificates of p.
func (s *signed) start(p *vtest.Pebble, more ...string) {
	s.t.Helper()
	_, port, err := net.SplitHostPort(s.page)
	if err != nil {
		s.t.Fatal(err)
	}
	s.cfg, _, err = load(append([]string{
		"--tls", "auto", "--tls-authority", p.Directory, "--tls-authority-ca", p.Root, "--state", s.state,
		"--public-url", "https://a.parley.test:" + port + ",https://b.parley.test:" + port,
		"--listen", s.page, "--redirect-listen", s.plain, "--operator-listen", "127.0.0.1:0",
		"--relay-listen", s.relay, "--relay-external", "127.0.0.1",
	}, more...), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	s.log, s.house = &vtest.Log{}, newHouse()
	_, err = build(s.t.Context(), s.house, s.cfg, slog.New(redact.Handler(slog.NewTextHandler(s.log, nil))))
	s.t.Cleanup(s.stop)
	if err != nil {
		s.t.Fatal(err)
	}
}

// stop may be repeated.
func (s *signed) stop() {
	if err := s.house.close(); err != nil {
		s.t.Error(err)
	}
	if s.t.Failed() {
		s.t.Logf("parley said:\n%s", s.log)
	}
}

// dial speaks TLS with the page's port as somebody who looks for a name and trusts what pool does.
func (s *signed) dial(name string, pool *x509.CertPool) (*tls.Conn, error) {
	return s.dialAs(&tls.Config{ServerName: name, RootCAs: pool, MinVersion: tls.VersionTLS12})
}

// dialOld is dial of somebody who knows RSA alone: autocert would get a certificate more for that.
func (s *signed) dialOld(name string, pool *x509.CertPool) (*tls.Conn, error) {
	return s.dialAs(&tls.Config{
		ServerName: name, RootCAs: pool, MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12,
		CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256},
	})
}

func (s *signed) dialAs(how *tls.Config) (*tls.Conn, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Second)
	defer cancel()
	if pool := how.RootCAs; how.ServerName == "" { // as Firefox does, when it speaks TURN
		how.InsecureSkipVerify = true
		how.VerifyConnection = func(c tls.ConnectionState) error {
			between := x509.NewCertPool()
			for _, one := range c.PeerCertificates[1:] {
				between.AddCert(one)
			}
			_, err := c.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: pool, Intermediates: between, DNSName: s.cfg.RelayName})
			return err
		}
	}
	conn, err := (&tls.Dialer{Config: how}).DialContext(ctx, "tcp", s.page)
	if err != nil {
		return nil, err
	}
	return conn.(*tls.Conn), nil //nolint:forcetypeassert // what a tls.Dialer returns
}

// get asks for the page by one of its names.
func (s *signed) get(name string, pool *x509.CertPool) (status int, body string, err error) {
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialTLSContext:    func(context.Context, string, string) (net.Conn, error) { return s.dial(name, pool) }, //nolint:contextcheck // dial has one
	}}
	r, err := client.Get("https://" + name + "/")
	if err != nil {
		return 0, "", err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	return r.StatusCode, string(text), err
}

// awaitPage returns when a name's page is served with a certificate that pool trusts, with its number.
func (s *signed) awaitPage(name string, pool *x509.CertPool) (serial string) {
	s.t.Helper()
	late := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		status, body, err := s.get(name, pool)
		if err == nil && status == http.StatusOK && strings.Contains(body, "<html") {
			break
		}
		select {
		case <-tick.C:
		case <-late:
			s.t.Fatalf("%s: %d %v", name, status, err)
		}
	}
	return s.serial(name, pool)
}

// serial is the number of the certificate that is shown for a name.
func (s *signed) serial(name string, pool *x509.CertPool) string {
	s.t.Helper()
	conn, err := s.dial(name, pool)
	if err != nil {
		s.t.Fatalf("%q: %v", name, err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// awaitSaid returns when the log holds text.
func (s *signed) awaitSaid(text string) {
	s.t.Helper()
	late := time.After(time.Minute)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !s.log.Has(text) {
		select {
		case <-tick.C:
		case <-late:
			s.t.Fatalf("it does not say %q", text)
		}
	}
}

// allocateOn asks the relay for a place on a connection that speaks TLS already.
func allocateOn(t *testing.T, conn net.Conn, c turn.Credential) error {
	t.Helper()
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	client, err := pionturn.NewClient(&pionturn.ClientConfig{
		STUNServerAddr: conn.RemoteAddr().String(), TURNServerAddr: conn.RemoteAddr().String(), Conn: pionturn.NewSTUNConn(conn),
		Username: c.Username, Password: c.Password, Realm: "parley", LoggerFactory: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Listen(); err != nil {
		t.Fatal(err)
	}
	_, err = client.Allocate()
	return err
}

// TestPebble: certificates come from a real authority, which asks on the page's port who we are. The
// page is served with them, calls go by TLS on the same port with the same, only we can read them, and
// after a restart they are shown without asking anybody. Names that are not ours get none.
func TestPebble(t *testing.T) {
	t.Parallel()
	s := newSigned(t)
	p := vtest.NewPebble(t, vtest.Asks{TLS: s.page, HTTP: vtest.FreeAddr(t)})
	p.Start()
	s.start(p)
	trust := p.Trust()
	a, b := s.awaitPage("a.parley.test", trust), s.awaitPage("b.parley.test", trust)
	if a == b {
		t.Errorf("both names have certificate %s", a)
	}
	for asked, want := range map[string]string{"": a, "A.Parley.Test": a, "b.parley.test": b} {
		if got := s.serial(asked, trust); got != want {
			t.Errorf("%q is shown %s, want %s", asked, got, want)
		}
	}
	for _, name := range []string{"c.parley.test", "parley.test", "localhost", "a.parley.test.evil.test"} {
		if conn, err := s.dial(name, trust); err == nil {
			conn.Close()
			t.Errorf("%s is served", name)
		}
	}
	if conn, err := s.dialOld("a.parley.test", trust); err == nil {
		t.Errorf("who knows RSA alone is served with %v", conn.ConnectionState().PeerCertificates[0].PublicKeyAlgorithm)
	}
	s.awaitSaid(`msg="the relay works, tried from this machine" way=TLS`) // not before there was a certificate
	if s.log.Has("level=ERROR") {
		t.Errorf("a first start has faults: %s", s.log)
	}
	s.stop() // makes the port free, so that the test gets a credential
	cred := credential(t, s.cfg)
	asked := p.Orders()
	if n := strings.Count(p.Said(), "Issued certificate serial"); n != 2 {
		t.Errorf("the authority signed %d certificates, want 2", n)
	}
	s.onlyOurs()

	p.Stop()
	s.start(p)
	for name, want := range map[string]string{"a.parley.test": a, "b.parley.test": b} {
		if got := s.serial(name, trust); got != want {
			t.Errorf("after a restart %s is shown %s, want %s", name, got, want)
		}
	}
	for _, name := range []string{"a.parley.test", ""} {
		conn, err := s.dial(name, trust)
		if err != nil {
			t.Fatalf("turns: %v", err)
		}
		if err := allocateOn(t, conn, cred); err != nil {
			t.Errorf("turns by the name %q: %v", name, err)
		}
		conn.Close()
	}
	if s.log.Has("level=ERROR") || p.Orders() != asked {
		t.Errorf("%d orders, and it said: %s", p.Orders(), s.log)
	}
}

// onlyOurs finds a key that others on this machine could read.
func (s *signed) onlyOurs() {
	s.t.Helper()
	files := 0
	err := filepath.WalkDir(filepath.Join(s.state, "certificates"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		} else {
			files++
		}
		if info.Mode().Perm() != want {
			s.t.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), want)
		}
		return nil
	})
	if err != nil || files != 3 { // two certificates and the account
		s.t.Errorf("%d files are kept, %v", files, err)
	}
}

// TestPebbleWithoutTLS: where 443 is closed to the authority, it asks on the port without TLS. That
// answers, and leads everybody else to the page.
func TestPebbleWithoutTLS(t *testing.T) {
	t.Parallel()
	s := newSigned(t)
	p := vtest.NewPebble(t, vtest.Asks{TLS: vtest.FreeAddr(t), HTTP: s.plain})
	p.Start()
	s.start(p)
	s.awaitPage("a.parley.test", p.Trust())
	if !strings.Contains(p.Said(), "Attempting to validate w/ HTTP: http://a.parley.test:") {
		t.Error("it did not ask without TLS")
	}
	for request, want := range map[string]string{
		"GET /x HTTP/1.1\r\nHost: b.parley.test":                               s.cfg.PublicURL[1] + "/x",
		"GET /.well-known/x HTTP/1.1\r\nHost: evil.test":                       s.cfg.PublicURL[0] + "/.well-known/x",
		"GET /.well-known/acme-challenge/x HTTP/1.1\r\nHost: evil.test":        "",
		"GET /.well-known/acme-challenge/x HTTP/1.1\r\nHost: evil.test:80":     "",
		"GET /.well-known/acme-challenge/x HTTP/1.1\r\nHost: a.parley.test:80": "",
	} {
		if _, to, _ := plain(t, s.plain, request); to != want {
			t.Errorf("%q leads to %q, want %q", request, to, want)
		}
	}
}

// TestPebbleAway: parley starts while the authority is away, says so once, turns visitors away instead
// of letting them wait, and serves the page when it is back.
func TestPebbleAway(t *testing.T) {
	t.Parallel()
	s := newSigned(t)
	p := vtest.NewPebble(t, vtest.Asks{TLS: s.page, HTTP: s.plain})
	s.start(p)
	s.awaitSaid(`msg="` + unanswered + `" name=b.parley.test`)
	if conn, err := s.dial("a.parley.test", nil); err == nil || os.IsTimeout(err) {
		t.Errorf("who comes before the certificate: %v, %v", conn, err)
	}
	p.Start()
	trust := p.Trust()
	s.awaitPage("a.parley.test", trust)
	s.awaitPage("b.parley.test", trust)
	for text, want := range map[string]int{unanswered: 2, refused: 0, "127.0.0.1": 0} {
		if n := strings.Count(s.log.String(), text); n != want {
			t.Errorf("%q stands %d times in the log, want %d", text, n, want)
		}
	}
}

// TestPebbleRefuses: an authority that cannot reach us gives nothing. That is said, and visitors,
// however many, do not make parley ask again.
func TestPebbleRefuses(t *testing.T) {
	t.Parallel()
	s := newSigned(t)
	p := vtest.NewPebble(t, vtest.Asks{TLS: vtest.FreeAddr(t), HTTP: vtest.FreeAddr(t)})
	p.Start()
	s.start(p)
	s.awaitSaid(`msg="` + refused + `" name=b.parley.test`)
	asked := p.Orders()
	for i := range 30 {
		come := s.dial
		if i%2 == 1 {
			come = s.dialOld
		}
		if conn, err := come("a.parley.test", nil); err == nil || os.IsTimeout(err) {
			t.Errorf("a certificate from nowhere, or they wait for it: %v, %v", conn, err)
		}
	}
	s.stop()
	if got := p.Orders(); got != asked || asked == 0 {
		t.Errorf("%d orders before visitors came, %d after", asked, got)
	}
}

// TestPebbleKnowsItsCustomers: an authority that signs only for whom it knows is told who asks.
func TestPebbleKnowsItsCustomers(t *testing.T) {
	t.Parallel()
	s := newSigned(t)
	key := base64.RawURLEncoding.EncodeToString([]byte("a key of thirty-two or more bytes"))
	p := vtest.NewPebble(t, vtest.Asks{TLS: s.page, HTTP: s.plain, Keys: map[string]string{"ours": key}})
	p.Start()
	s.start(p)
	s.awaitSaid(`msg="` + refused + `"`)
	s.stop()
	s.start(p, "--tls-authority-key", "ours:"+key)
	s.awaitPage("a.parley.test", p.Trust())
	if s.log.Has(key) {
		t.Error("the key is in the log")
	}
}
