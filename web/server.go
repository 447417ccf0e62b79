package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"parley/retention"
)

// Config is what a server needs.
type Config struct {
	Socket  http.Handler                // signaling, served at /ws
	Ready   func(context.Context) error // whether the store accepts a write
	Proxies []netip.Prefix              // whose X-Forwarded-For is believed; none: nobody's
	Network func(netip.Prefix) string   // the keyed mark of a network, for signaling; nil tells it nothing
	Limits  Limits
	// Base is the path below which everything is that browsers ask for, such as "/talk"; "" for none.
	Base string
	// Contact is a mailto: or https: address of whoever runs the server, for people in need; "" for none.
	Contact string
	// TokenOnly spares browsers to say what kind they are of: nobody asks.
	TokenOnly bool
	// Relay makes what the page /check tries the relay with; nil: there is no such page.
	Relay   func() Relay
	Console *Console // what operators use on their listener; nil: there is none
	// Origin is where visitors find the page, like https://talk.example.org; feeds are named by it.
	Origin string
	// Processors are those who touch data of visitors besides whoever runs the server.
	Processors []Processor
	// Noted are changes of that list that it does not tell itself, the newest first: see [Compare].
	Noted []Noted
	// RelayLog tells that the addresses of those who use the relay are written down.
	RelayLog bool
	// Counted is what is known of how much is remembered, from memory; nil: nothing.
	Counted func() (retention.Outline, bool)
	Metrics http.Handler // /metrics on the operators' listener; nil: there is none
	Log     *slog.Logger
}

// Server serves the page, the socket and health.
type Server struct {
	socket    http.Handler
	ready     func(context.Context) error
	address   echo.IPExtractor
	network   func(netip.Prefix) string
	limit     *limiter
	log       *slog.Logger
	site      *site
	catalogue *remade[day]
	privacy   *file
	counted   func() (retention.Outline, bool)
	now       *remade[time.Time]
	// who else touches data, as a page and as a feed
	processors *remade[day]
	feed       *file
	// the sums of the files, as a page and as a text
	integrity, sums *file
	relay           func() Relay
	check           *file
	missing         *file // what a wrong address shows
	console         *console
	metrics         http.Handler
	draining        atomic.Bool
	proxies         []netip.Prefix
	proxied         sync.Once                                                         // the log has heard of a proxy that is not named
	said            struct{ believed, doubted, missing, madeUp, inside atomic.Int64 } // see [Counts]
}

// New reads the embedded page. It fails only if the program was built from a broken tree.
func New(cfg Config) (*Server, error) {
	site, err := pageBelow(cfg.Base)
	if err != nil {
		return nil, err
	}
	s := &Server{
		socket: cfg.Socket, ready: cfg.Ready, log: cfg.Log,
		address: addressOf(cfg.Proxies), proxies: cfg.Proxies, network: cfg.Network, relay: cfg.Relay, metrics: cfg.Metrics,
		limit: newLimiter(cfg.Limits), site: site,
	}
	if err := s.makePages(cfg); err != nil {
		return nil, err
	}
	if cfg.Console != nil {
		if s.console, err = newConsole(cfg); err != nil {
			return nil, fmt.Errorf("console: %w", err)
		}
	}
	return s, nil
}

// makePages makes the pages of text, and what the page must know of this server. Those that change
// with the day are made once here too, so that what cannot be made is known at the start.
func (s *Server) makePages(cfg Config) (err error) {
	if s.counted = cfg.Counted; s.counted == nil {
		s.counted = nobodyCounts
	}
	all := sortProcessors(cfg.Processors)
	list := changes(all, cfg.Noted)
	written := relayLogOff
	if cfg.RelayLog {
		written = relayLogOn
	}
	s.catalogue, s.processors, s.now = newCatalogue(cfg), newProcessors(s.site, all, list), newNow(s.site, written, s.counted)
	today := dayOf(time.Now())
	for _, p := range []struct {
		name string
		make func() error
	}{
		{"catalogue", func() error { _, err := s.catalogue.at(today); return err }},
		{"page of who else touches data", func() error { _, err := s.processors.at(today); return err }},
		{"feed of who else touches data", func() error { s.feed, err = newFeed(cfg.Origin, list); return err }},
		{"page of what is remembered now", func() error { _, err := s.now.at(time.Time{}); return err }},
		{"privacy page", func() error { s.privacy, err = newPrivacy(s.site); return err }},
		{"check", func() error { s.check, err = newCheck(s.site); return err }},
		{"page of a wrong address", func() error { s.missing, err = newMissing(s.site); return err }},
		{"page of sums", func() error { s.integrity, s.sums, err = newIntegrity(s.site); return err }},
	} {
		if err := p.make(); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// addressOf returns how the address of a visitor is found: from the connection, or from
// X-Forwarded-For as far as it was written by the proxies that the operator named.
func addressOf(proxies []netip.Prefix) echo.IPExtractor {
	if len(proxies) == 0 {
		return echo.ExtractIPDirect()
	}
	trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range proxies {
		trust = append(trust, echo.TrustIPRange(&net.IPNet{
			IP:   p.Masked().Addr().AsSlice(),
			Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen()),
		}))
	}
	return echo.ExtractIPFromXFFHeader(trust...)
}

// Counts returns how many handshakes the limits refused so far, and what proxies said of the others.
func (s *Server) Counts() Counts {
	all := s.limit.counts()
	all.Believed, all.Doubted, all.Missing = s.said.believed.Load(), s.said.doubted.Load(), s.said.missing.Load()
	all.MadeUp, all.Inside = s.said.madeUp.Load(), s.said.inside.Load()
	return all
}

// Drain makes the node answer that it is not ready. Visitors who are here stay.
func (s *Server) Drain() { s.draining.Store(true) }

// stopWithin is how long answers that are under way may take after the end was asked for. A page
// is a few kilobytes from memory; who needs longer has gone.
const stopWithin = 2 * time.Second

// Serve answers on both listeners until ctx ends, then lets answers under way finish. Sockets are
// signaling's to close.
func (s *Server) Serve(ctx context.Context, public, operator net.Listener) error {
	errs := make(chan error, 2)
	servers := []*http.Server{s.httpServer(s.Public()), s.httpServer(s.Operator())}
	for i, l := range []net.Listener{public, operator} {
		go func() { errs <- servers[i].Serve(l) }()
	}
	var failed error
	running := 2
	select {
	case <-ctx.Done():
	case failed = <-errs:
		running--
	}
	for _, h := range servers {
		failed = errors.Join(failed, stop(ctx, h))
	}
	for range running {
		if err := <-errs; !errors.Is(err, http.ErrServerClosed) {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

func stop(ctx context.Context, h *http.Server) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWithin)
	defer cancel()
	err := h.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		return h.Close()
	}
	return err
}

// httpServer bounds what a slow or greedy client can hold. The framework's own server would leave
// every one of these at zero.
func (s *Server) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    8 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}
