package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// letsEncrypt signs when no other authority is named.
const letsEncrypt = autocert.DefaultACMEDirectory

const (
	// answerOfAuthority is how long one question to it may take, and mostAnswered how long its answer
	// may be.
	answerOfAuthority = 30 * time.Second
	mostAnswered      = 1 << 20
	// mostPause is how long it can have us wait between two questions of one order. The end of the
	// program waits for that.
	mostPause = 10 * time.Second
	// mostRetries is how often one question is repeated.
	mostRetries = 4
	// lookedAfter is how often certificates that are here are looked at.
	lookedAfter = 12 * time.Hour
)

// What is wrong with a certificate, for the log.
const (
	unanswered = "the authority that signs does not answer: browsers find no page until it does, and it is asked again"
	refused    = "no certificate from the authority; is port 443 open to it, and does the name lead here?"
	unrenewed  = "the certificate runs out and the authority gives no other; is port 443 open to it, and does the name lead here?"
)

// authority gets certificates by ACME (RFC 8555: on the port of the page by RFC 8737, and on that of
// redirect-listen, if there is one), and keeps them below the state folder. It asks by itself, and
// nobody else makes it ask: who comes before a certificate is there is turned away at once, and can
// neither wait here nor use up what an authority allows its customers.
type authority struct {
	manager *autocert.Manager
	names   []string
	relay   string // the one of names that is meant by who says none
	log     *slog.Logger
	end     context.CancelFunc // of all questions

	mu       sync.RWMutex    // guards here
	here     map[string]bool // of names, those with a certificate
	relayHas chan struct{}   // closed when relay is one of these
}

// newAuthority remembers certificates that are kept. What is missing, tend gets.
func newAuthority(cfg config, log *slog.Logger) *authority {
	life, end := context.WithCancel(context.Background()) //nolint:gosec // tend calls it
	names := certificateNames(cfg)
	ours := autocert.HostWhitelist(names...)
	a := &authority{names: names, relay: cfg.RelayName, log: log, end: end, here: map[string]bool{}, relayHas: make(chan struct{})}
	a.manager = &autocert.Manager{
		Prompt: autocert.AcceptTOS,
		Cache:  autocert.DirCache(certificateFolder(cfg)),
		HostPolicy: func(ctx context.Context, host string) error {
			if name, _, err := net.SplitHostPort(host); err == nil {
				host = name // an authority of one's own may ask on another port than 80, and then says so
			}
			return ours(ctx, host)
		},
		Client: &acme.Client{DirectoryURL: cfg.Authority, HTTPClient: asker(life, cfg), RetryBackoff: patience},
	}
	if email, is := strings.CutPrefix(cfg.Contact, "mailto:"); is {
		a.manager.Email = email
	}
	if k := cfg.AuthorityKey; k != nil {
		a.manager.ExternalAccountBinding = &acme.ExternalAccountBinding{KID: k.id, Key: k.key}
	}
	a.remember(time.Now())
	return a
}

// certificateFolder is where certificates lie. Each authority has a folder, or the page would go on
// with the certificate of a staging authority when the real one is set.
func certificateFolder(cfg config) string {
	folder := filepath.Join(cfg.State, "certificates")
	if u, err := url.Parse(cfg.Authority); err == nil && cfg.Authority != letsEncrypt {
		folder = filepath.Join(folder, strings.NewReplacer("/", "_", ":", "_").Replace("from "+u.Host+u.Path))
	}
	return folder
}

// certificates are what page and relay need of it.
func (a *authority) certificates(cfg config) *certificates {
	c := &certificates{show: a.show, alsoSpeaks: []string{acme.ALPNProto}, tend: a.tend, relayHas: a.relayHas}
	if cfg.Redirect != "" {
		c.challenged = a.manager.HTTPHandler
	}
	return c
}

// remember finds the certificates that are kept and good.
func (a *authority) remember(now time.Time) {
	for _, name := range a.names {
		text, err := a.manager.Cache.Get(context.Background(), name)
		if err != nil {
			continue // tend says why, if that is worth a word
		}
		pair, err := tls.X509KeyPair(text, text)
		if err == nil && pair.Leaf.VerifyHostname(name) == nil && now.After(pair.Leaf.NotBefore) && now.Before(pair.Leaf.NotAfter) {
			a.arrived(name)
		}
	}
}

// arrived notes that there is a certificate for a name.
func (a *authority) arrived(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if name == a.relay && !a.here[name] { // two addresses of the page may share a name
		close(a.relayHas)
	}
	a.here[name] = true
}

// has tells whether there is a certificate for a name.
func (a *authority) has(name string) bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.here[name]
}

// show returns the certificate that a visitor asks for, or what the authority asks to see.
func (a *authority) show(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	if name == "" {
		name = a.relay // Firefox names no server when it speaks TURN
	}
	switch {
	case !slices.Contains(a.names, name): // nor are files looked for that a stranger names
		return nil, errors.New("a name that is not ours")
	case slices.Equal(hello.SupportedProtos, []string{acme.ALPNProto}):
		return a.manager.GetCertificate(&tls.ClientHelloInfo{ServerName: name, SupportedProtos: hello.SupportedProtos})
	case !a.has(name):
		return nil, errors.New("there is no certificate yet")
	}
	return a.manager.GetCertificate(browser(name))
}

// browser asks for a name as browsers do: there is one certificate for each name, whoever comes.
func browser(name string) *tls.ClientHelloInfo {
	return &tls.ClientHelloInfo{ServerName: name, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}
}

// tend gets what is missing, and then looks now and then whether all is renewed in time.
func (a *authority) tend(ctx context.Context) error {
	stop := context.AfterFunc(ctx, a.end)
	defer stop()
	said := map[string]string{}
	tried := tries{}
	for {
		wait := time.NewTimer(tried.pause(a.round(ctx, said)))
		select {
		case <-ctx.Done():
			wait.Stop()
			return ctx.Err()
		case <-wait.C:
		}
	}
}

// round looks at each name, says what is wrong with it unless that was said already, and returns what
// has to wait longest.
func (a *authority) round(ctx context.Context, said map[string]string) (worst string) {
	for _, name := range a.names {
		fault, err := a.get(ctx, name)
		if ctx.Err() != nil {
			return worst // what failed, failed for that
		}
		if fault != "" && fault != said[name] {
			a.say(ctx, fault, slog.String("name", name), slog.Any("error", err))
		}
		said[name] = fault
		worst = worse(worst, fault)
	}
	return worst
}

// say writes a fault down.
func (a *authority) say(ctx context.Context, fault string, with ...slog.Attr) {
	switch fault {
	case unanswered:
		a.log.LogAttrs(ctx, slog.LevelError, unanswered, with...)
	case refused:
		a.log.LogAttrs(ctx, slog.LevelError, refused, with...)
	case unrenewed:
		a.log.LogAttrs(ctx, slog.LevelError, unrenewed, with...)
	}
}

// worse is the one of two faults that decides when to ask again.
func worse(a, b string) string {
	order := []string{"", unrenewed, unanswered, refused}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// tries counts how often each fault has come since all was well.
type tries map[string]int

// pause is how long to wait after a fault. One that comes and goes with another counts on: the
// authority counts so too.
func (t tries) pause(fault string) time.Duration {
	if fault == "" {
		clear(t)
	}
	wait := pause(fault, t[fault])
	t[fault]++
	return wait
}

// pause is how long to wait before asking again, when that has been done so many times. Whether there
// is anybody may be asked often; what was refused is counted by the authority, Let's Encrypt allows
// five an hour.
func pause(fault string, times int) time.Duration {
	switch fault {
	case unanswered:
		return min(5*time.Second<<min(times, 10), time.Minute)
	case refused:
		return min(2*time.Minute<<min(times, 10), time.Hour) // never less than the minute for which autocert remembers
	}
	return lookedAfter
}

// get makes sure that there is a certificate for a name, and returns what is wrong if there is none,
// or none for long.
func (a *authority) get(ctx context.Context, name string) (fault string, err error) {
	missing := !a.has(name)
	if missing {
		if err := a.answers(ctx); err != nil {
			return unanswered, err
		}
	}
	pair, err := a.manager.GetCertificate(browser(name))
	if err != nil {
		return refused, err
	}
	if missing {
		a.arrived(name)
		a.log.LogAttrs(ctx, slog.LevelInfo, "the authority has signed a certificate", slog.String("name", name), slog.Time("until", pair.Leaf.NotAfter))
	}
	if runsOut(pair, time.Now()) {
		return unrenewed, nil
	}
	return "", nil
}

// runsOut tells whether a certificate should have been renewed: that is tried from a third of its time
// on, or 30 days.
func runsOut(pair *tls.Certificate, now time.Time) bool {
	lifetime := pair.Leaf.NotAfter.Sub(pair.Leaf.NotBefore)
	return pair.Leaf.NotAfter.Sub(now) < min(lifetime/3, 30*24*time.Hour)*3/4
}

// answers asks the authority for its directory, which it counts for nobody.
func (a *authority) answers(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerOfAuthority)
	defer cancel()
	client := acme.Client{DirectoryURL: a.manager.Client.DirectoryURL, HTTPClient: a.manager.Client.HTTPClient, RetryBackoff: patience}
	_, err := client.Discover(ctx)
	return err
}

// patience is how long to wait before a question is repeated, and 0 to give up: for what an authority
// has enough of, tend comes again much later.
func patience(n int, _ *http.Request, answer *http.Response) time.Duration {
	if n > mostRetries || answer.StatusCode == http.StatusTooManyRequests {
		return 0
	}
	return time.Second << max(n-1, 0)
}

// asker asks the authority while life lasts, and takes no more of an answer than it can hold.
func asker(life context.Context, cfg config) *http.Client {
	way := &http.Transport{
		Proxy:             http.ProxyFromEnvironment,
		TLSClientConfig:   &tls.Config{RootCAs: cfg.AuthorityRoots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true,
		IdleConnTimeout:   time.Minute,
	}
	ask := func(q *http.Request) (*http.Response, error) {
		ctx, cancel := context.WithCancel(q.Context())
		defer cancel()
		stop := context.AfterFunc(life, cancel)
		defer stop()
		answer, err := way.RoundTrip(q.WithContext(ctx)) //nolint:contextcheck // it is that of q, which also ends with life
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(io.LimitReader(answer.Body, mostAnswered+1))
		switch err := errors.Join(err, answer.Body.Close()); {
		case err != nil:
			return nil, err
		case len(text) > mostAnswered:
			return nil, fmt.Errorf("an answer of more than %d bytes", mostAnswered)
		}
		answer.Body = io.NopCloser(bytes.NewReader(text))
		shorten(answer.Header)
		return answer, nil
	}
	return &http.Client{Transport: asking(ask), Timeout: answerOfAuthority}
}

// shorten keeps an authority from having us wait for longer than mostPause.
func shorten(h http.Header) {
	const name = "Retry-After"
	if after := h.Get(name); after != "" {
		if s, err := strconv.Atoi(after); err != nil || s > int(mostPause.Seconds()) {
			h.Set(name, strconv.Itoa(int(mostPause.Seconds())))
		}
	}
}

// asking is a function that asks.
type asking func(*http.Request) (*http.Response, error)

// RoundTrip asks.
func (f asking) RoundTrip(q *http.Request) (*http.Response, error) { return f(q) }
