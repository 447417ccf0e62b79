package main

import (
	"bytes"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/internal/vtest"
)

// TestChangedCertificate: a certificate that was replaced is shown to who comes next; one that cannot
// be used, perhaps because only half of it is there yet, is not, and that is said once.
func TestChangedCertificate(t *testing.T) {
	dir := t.TempDir()
	var said bytes.Buffer
	f := &certificateFiles{
		certificate: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"),
		log: slog.New(slog.NewTextHandler(&said, nil)),
	}
	if _, err := f.current(nil); err == nil {
		t.Error("files that are not there are a certificate")
	}
	shown := func() *tls.Certificate {
		t.Helper()
		c, err := f.current(nil)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	replace(t, f.certificate, f.key, "localhost")
	first := shown()
	if again := shown(); again != first {
		t.Error("files that did not change are read again")
	}
	half, _, err := vtest.Certificate(time.Now().Add(time.Hour), "localhost")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.certificate, append(half, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if shown() != first {
			t.Error("half a change is taken")
		}
	}
	if n := strings.Count(said.String(), "cannot be used"); n != 1 {
		t.Errorf("said %d times: %s", n, said.String())
	}
	replace(t, f.certificate, f.key, "localhost", "another.example.org")
	if shown() == first {
		t.Error("the new certificate is not shown")
	}
	if err := os.Remove(f.key); err != nil {
		t.Fatal(err)
	}
	shown()
}

// replace writes a new pair whose size differs from that of the last one.
func replace(t *testing.T, certFile, keyFile string, names ...string) {
	t.Helper()
	if err := vtest.CertificateFiles(certFile, keyFile, names...); err != nil {
		t.Fatal(err)
	}
}

// TestCertificateOutOfTime: the program does not start with a certificate that no browser takes.
func TestCertificateOutOfTime(t *testing.T) {
	dir := t.TempDir()
	f := &certificateFiles{certificate: filepath.Join(dir, "cert.pem"), key: filepath.Join(dir, "key.pem"), log: slog.New(slog.DiscardHandler)}
	replace(t, f.certificate, f.key, "localhost")
	if err := f.holds([]string{"localhost"}, time.Now()); err != nil {
		t.Error(err)
	}
	for _, d := range []time.Duration{-48 * time.Hour, 48 * time.Hour} {
		if err := f.holds([]string{"localhost"}, time.Now().Add(d)); err == nil || !strings.Contains(err.Error(), "which is not now") {
			t.Errorf("%v from now: %v", d, err)
		}
	}
}

// TestWhoNamesNoServer: Firefox names none when it speaks TURN, and is shown the relay's certificate.
// Names that are not ours are refused without asking the authority, which would count each.
func TestWhoNamesNoServer(t *testing.T) {
	cfg := config{
		TLS: tlsAuto, State: t.TempDir(), RelayName: "relay.example.org", PublicURL: []string{"https://talk.example.org"},
		Authority: "https://127.0.0.1:1/directory", // nobody answers there
	}
	for _, name := range []string{"relay.example.org", "talk.example.org"} {
		sheet, key, err := vtest.Certificate(time.Now().Add(60*24*time.Hour), name)
		if err != nil {
			t.Fatal(err)
		}
		at := filepath.Join(certificateFolder(cfg), name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o700), os.WriteFile(at, slices.Concat(key, sheet), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	certs, err := openCertificates(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for asked, want := range map[string]string{
		"": "relay.example.org", "relay.example.org": "relay.example.org", "Talk.Example.Org": "talk.example.org", "other.example.org": "", "localhost": "",
	} {
		ours, theirs := net.Pipe()
		go func() { _ = tls.Server(ours, certs.forPage()).Handshake(); ours.Close() }()
		client := tls.Client(theirs, &tls.Config{ServerName: asked, InsecureSkipVerify: true})
		err := client.Handshake()
		switch {
		case want == "" && err == nil:
			t.Errorf("%s: shown %q", asked, client.ConnectionState().PeerCertificates[0].DNSNames)
		case want != "" && (err != nil || client.ConnectionState().PeerCertificates[0].DNSNames[0] != want):
			t.Errorf("%q: %v, want %s", asked, err, want)
		}
		theirs.Close()
	}
}

// TestSecureRelay: what browsers are told is what the certificate holds and the port that is open.
func TestSecureRelay(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, ""},
		{[]string{"--tls", "files", "--tls-cert", "c", "--tls-key", "k", "--listen", "127.0.0.1:8443"}, "localhost:8443"},
		{[]string{"--tls", "auto", "--public-url", "https://talk.example.org", "--relay-external", "203.0.113.5"}, "talk.example.org:443"},
		{[]string{"--tls", "auto", "--public-url", "https://talk.example.org", "--relay-external", "203.0.113.5", "--relay-name", "a.example.org"}, "a.example.org:443"},
		{[]string{"--tls-cert", "c", "--tls-key", "k", "--relay-tls-listen", "127.0.0.1:5349", "--relay-name", "a.example.org"}, "a.example.org:5349"},
	} {
		cfg, _, err := load(append(test.args, "--state", t.TempDir()), nil)
		if err != nil {
			t.Errorf("%q: %v", test.args, err)
		}
		if got := cfg.secureRelay(); got != test.want {
			t.Errorf("%q: %q, want %q", test.args, got, test.want)
		}
	}
}
