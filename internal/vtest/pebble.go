package vtest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Pebble is a real ACME authority on loopback, the one that Let's Encrypt wrote for tests, beside a
// name server of its own for which every name leads to 127.0.0.1. It checks what it signs, and
// forgets everything when it stops.
type Pebble struct {
	Directory string // URL
	Root      string // file: the certificate by which Directory is known
	t         testing.TB
	manage    string // URL
	trust     *x509.CertPool
	authority *Process
}

// Asks is how a [Pebble] makes sure whose a name is.
type Asks struct {
	TLS  string            // host:port that it takes for port 443
	HTTP string            // and for port 80
	Keys map[string]string // its customers, by identifier; empty: it signs for everybody
}

// NewPebble prepares one that is not started yet. Without the program the test is skipped, or fails
// when PARLEY_ACME=require.
func NewPebble(t testing.TB, asks Asks) *Pebble {
	t.Helper()
	program, names := pebbleProgram(t, "pebble"), pebbleProgram(t, "pebble-challtestsrv")
	dir := t.TempDir()
	at, manage, dns := FreeAddr(t), FreeAddr(t), FreeAddr(t)
	p := &Pebble{Directory: "https://" + at + "/dir", Root: filepath.Join(dir, "root.pem"), t: t, manage: "https://" + manage}
	key, config := filepath.Join(dir, "key.pem"), filepath.Join(dir, "config.json")
	if err := errors.Join(CertificateFiles(p.Root, key, "127.0.0.1"), asks.write(config, map[string]any{
		"listenAddress": at, "managementListenAddress": manage, "certificate": p.Root, "privateKey": key,
	})); err != nil {
		t.Fatal(err)
	}
	root, err := os.ReadFile(p.Root)
	p.trust = x509.NewCertPool()
	if err != nil || !p.trust.AppendCertsFromPEM(root) {
		t.Fatalf("no root: %v", err)
	}
	server := StartProcess(t, names, "-dns01", dns, "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "",
		"-http01", "", "-https01", "", "-tlsalpn01", "", "-management", FreeAddr(t))
	server.AwaitSaid("Starting management server")
	p.authority = NewProcess(t, program, "-config", config, "-dnsserver", dns)
	p.authority.Env = []string{"PEBBLE_VA_NOSLEEP=1"} // it sleeps to find out who is impatient
	return p
}

// pebbleProgram returns one of the package's two programs, or ends the test.
func pebbleProgram(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		if os.Getenv("PARLEY_ACME") == "require" {
			t.Fatalf("%s is not installed: apt-get install pebble", name)
		}
		t.Skipf("%s is not installed: apt-get install pebble", name)
	}
	return path
}

// write makes the file of settings.
func (a Asks) write(file string, settings map[string]any) error {
	for name, at := range map[string]string{"tlsPort": a.TLS, "httpPort": a.HTTP} {
		_, port, err := net.SplitHostPort(at)
		if err != nil {
			return err
		}
		number, err := strconv.Atoi(port)
		if err != nil {
			return err
		}
		settings[name] = number
	}
	if len(a.Keys) > 0 {
		settings["externalAccountBindingRequired"], settings["externalAccountMACKeys"] = true, a.Keys
	}
	text, err := json.Marshal(map[string]any{"pebble": settings})
	return errors.Join(err, os.WriteFile(file, text, 0o600))
}

// Start starts it, and returns when it answers.
func (p *Pebble) Start() {
	p.t.Helper()
	p.authority.Start()
	p.get(p.Directory)
}

// Stop ends it.
func (p *Pebble) Stop() { p.authority.Kill() }

// Trust are the certificates by which browsers know what it signs, from now until it stops.
func (p *Pebble) Trust() *x509.CertPool {
	p.t.Helper()
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(p.get(p.manage + "/roots/0")) {
		p.t.Fatal("pebble has no root")
	}
	return pool
}

// Orders is how often it was asked for a certificate, with what it had repeated.
func (p *Pebble) Orders() int { return strings.Count(p.authority.Said(), "POST /order-plz ->") }

// Said is what it wrote down.
func (p *Pebble) Said() string { return p.authority.Said() }

// get asks it until it answers.
func (p *Pebble) get(url string) []byte {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	way := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: p.trust, MinVersion: tls.VersionTLS12}, DisableKeepAlives: true}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		text, err := fetch(ctx, way, url)
		if err == nil {
			return text
		}
		select {
		case <-tick.C:
		case <-p.authority.Ended():
			p.t.Fatalf("pebble ended:\n%s", p.authority.Said())
		case <-ctx.Done():
			p.t.Fatalf("%s: %v", url, err)
		}
	}
}

// fetch asks once.
func fetch(ctx context.Context, way http.RoundTripper, url string) ([]byte, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	r, err := (&http.Client{Transport: way}).Do(q)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", r.StatusCode)
	}
	return text, errors.Join(err, r.Body.Close())
}
