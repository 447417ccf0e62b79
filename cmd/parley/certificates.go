package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// The values of the setting tls.
const (
	tlsOff   = "off"
	tlsFiles = "files"
	tlsAuto  = "auto"
)

// certificates is what page and relay show browsers. A nil one shows nothing.
type certificates struct {
	show func(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// alsoSpeaks are protocols that whoever signs asks the port of the page for.
	alsoSpeaks []string
	// challenged answers what whoever signs asks without TLS, and leaves the rest to another; nil
	// where nobody asks.
	challenged func(http.Handler) http.Handler
	// tend gets what is missing and looks after it; nil where files are read.
	tend func(context.Context) error
	// relayHas is closed when there is one for the relay; nil where files are read.
	relayHas <-chan struct{}
}

// arrived waits for the certificate of the relay, and tells whether it came before ctx ended.
func (c *certificates) arrived(ctx context.Context) bool {
	if c == nil || c.relayHas == nil {
		return true
	}
	select {
	case <-c.relayHas:
		return true
	case <-ctx.Done():
		return false
	}
}

// openCertificates reads or prepares them; nil when the configuration asks for no TLS.
func openCertificates(cfg config, log *slog.Logger) (*certificates, error) {
	switch {
	case cfg.TLS == tlsAuto:
		return newAuthority(cfg, log).certificates(cfg), nil
	case cfg.TLS == tlsFiles || cfg.RelayTLS.IsValid():
		f := &certificateFiles{certificate: cfg.Certificate, key: cfg.Key, log: log}
		if err := f.holds(certificateNames(cfg), time.Now()); err != nil {
			return nil, err
		}
		return &certificates{show: f.current}, nil
	}
	return nil, nil //nolint:nilnil // none is wanted, and that is no error
}

// certificateNames are the hosts that the certificate must hold.
func certificateNames(cfg config) []string {
	var names []string
	if cfg.TLS != tlsOff {
		for i := range cfg.PublicURL {
			names = append(names, hostOf(cfg.PublicURL[i:]))
		}
	}
	if !slices.Contains(names, cfg.RelayName) {
		names = append(names, cfg.RelayName)
	}
	return names
}

// forPage is for the port that page and relay share.
func (c *certificates) forPage() *tls.Config {
	return &tls.Config{GetCertificate: c.show, MinVersion: tls.VersionTLS12, NextProtos: append([]string{"h2", "http/1.1"}, c.alsoSpeaks...)}
}

// forRelay is for a port of the relay alone.
func (c *certificates) forRelay() *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{GetCertificate: c.show, MinVersion: tls.VersionTLS12}
}

// lookAfter starts what gets certificates and has them renewed.
func (c *certificates) lookAfter(ctx context.Context, h *house) {
	if c != nil && c.tend != nil {
		h.run(ctx, "certificates", c.tend)
	}
}

// certificateFiles is a certificate in two files, read again when either has changed.
type certificateFiles struct {
	certificate, key string // names
	log              *slog.Logger

	mu   sync.Mutex // guards the following fields
	seen [2]version // of the files, when they were read last
	last *tls.Certificate
}

// version tells one content of a file from another without reading it.
type version struct {
	at   time.Time
	size int64
}

// current returns what the files hold. Files that cannot be used, perhaps because only one of the two
// has been replaced yet, leave what was there before.
func (f *certificateFiles) current(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var now [2]version
	for i, name := range []string{f.certificate, f.key} {
		if info, err := os.Stat(name); err == nil {
			now[i] = version{info.ModTime(), info.Size()}
		}
	}
	if f.last != nil && now == f.seen {
		return f.last, nil
	}
	pair, err := tls.LoadX509KeyPair(f.certificate, f.key)
	switch {
	case err == nil:
		f.last = &pair
	case f.last == nil:
		return nil, fmt.Errorf("tls-cert: %w", err)
	case now != f.seen:
		f.log.LogAttrs(context.Background(), slog.LevelError,
			"the changed files of tls-cert and tls-key cannot be used; the certificate from before is shown on", slog.Any("error", err))
	}
	f.seen = now
	return f.last, nil
}

// holds refuses a certificate with which no browser would talk: the reason would show nowhere else.
func (f *certificateFiles) holds(names []string, now time.Time) error {
	pair, err := f.current(nil)
	if err != nil {
		return err
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return fmt.Errorf("tls-cert: %w", err)
	}
	if now.After(leaf.NotAfter) || now.Before(leaf.NotBefore) {
		return fmt.Errorf("tls-cert: %s is good from %s until %s, which is not now: get a new one", f.certificate,
			leaf.NotBefore.Format(time.DateTime), leaf.NotAfter.Format(time.DateTime))
	}
	for _, name := range names {
		if leaf.VerifyHostname(name) != nil {
			return fmt.Errorf("tls-cert: %s is for %s, not for %s: get one that holds it, or change public-url or relay-name",
				f.certificate, strings.Join(held(leaf), ", "), name)
		}
	}
	return nil
}

// held are the names in a certificate.
func held(leaf *x509.Certificate) []string {
	all := slices.Clone(leaf.DNSNames)
	for _, ip := range leaf.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 {
		return []string{"nobody"}
	}
	return all
}

// secureRelay is where browsers reach the relay by TLS, "" if nowhere.
func (c config) secureRelay() string {
	switch {
	case c.RelayTLS.IsValid():
		return net.JoinHostPort(c.RelayName, fmt.Sprint(c.RelayTLS.Port()))
	case c.TLS == tlsOff:
		return ""
	}
	port := "443"
	if u, err := url.Parse(c.PublicURL[0]); err == nil && u.Port() != "" {
		port = u.Port()
	}
	return net.JoinHostPort(c.RelayName, port)
}

// checkTLS finds settings of TLS that do not fit together.
func (l *layers) checkTLS(cfg config) {
	files := cfg.Certificate != "" && cfg.Key != ""
	wanted := cfg.TLS == tlsFiles || cfg.TLS == tlsOff && cfg.RelayTLS.IsValid()
	switch {
	case wanted && !files:
		l.fault("tls-cert: name the files of the certificate and its key, with --tls-cert and --tls-key")
	case !wanted && (cfg.Certificate != "" || cfg.Key != ""):
		l.fault("tls-cert: nothing uses it: set --tls files, or relay-tls-listen, or take it away")
	case cfg.TLS == tlsOff && cfg.Redirect != "":
		l.fault("redirect-listen: with tls = off there is no https:// to lead to: say off, or set tls")
	case cfg.TLS == tlsAuto:
		l.checkNames(cfg)
	}
	for _, at := range cfg.PublicURL {
		if cfg.TLS != tlsOff && strings.HasPrefix(at, "http://") {
			l.fault("public-url: with tls = %s the page is at https://, %s does not begin so", cfg.TLS, at)
			return
		}
	}
}

// checkNames finds a name that no authority would sign for.
func (l *layers) checkNames(cfg config) {
	for _, name := range certificateNames(cfg) {
		if isAddress(name) || onlyHere("https://"+name) || !strings.Contains(name, ".") {
			l.fault("tls: nobody signs for %s; set public-url, and relay-name if it is set, to names that lead here, or say tls = files", name)
			return
		}
	}
}
