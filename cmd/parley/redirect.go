package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	// redirectTime is how long who comes without TLS may take over anything.
	redirectTime = 5 * time.Second
	// mostRedirected is how many may be there at once; the next is hung up on, and its browser tries
	// again.
	mostRedirected = 256
	// mostOfOne is how many of them one address may have, or one /64; a proxy of trusted-proxies may
	// have all.
	mostOfOne = 16
)

// redirectFrom is where redirect-listen is unless it is set.
func redirectFrom(cfg config) string {
	host, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil || port != "443" || cfg.TLS == tlsOff {
		return off
	}
	return net.JoinHostPort(host, "80")
}

// off is the value of settings that may be without one.
const off = "off"

// unlessOff reads a value that may be off, which is "".
func unlessOff(v string, read func(string) (string, error)) (string, error) {
	if v == off {
		return "", nil
	}
	return read(v)
}

// openTLS reads or prepares certificates, and opens the port for who comes without TLS.
func openTLS(ctx context.Context, h *house, cfg config, log *slog.Logger) (*certificates, error) {
	certs, err := openCertificates(cfg, log) //nolint:contextcheck // each handshake brings its own
	if err != nil {
		return nil, err
	}
	return certs, openRedirect(ctx, h, cfg, certs)
}

// openRedirect leads browsers that come without TLS to the page, and answers the authority that signs.
func openRedirect(ctx context.Context, h *house, cfg config, certs *certificates) error {
	if cfg.Redirect == "" {
		return nil
	}
	l, err := listen(ctx, h, "redirect-listen", cfg.Redirect)
	if err != nil {
		return err
	}
	var handler http.Handler = redirect(cfg.PublicURL)
	if certs.challenged != nil {
		handler = certs.challenged(handler)
	}
	who := &crowd{of: map[netip.Prefix]int{}, in: map[net.Conn]netip.Prefix{}, proxies: cfg.TrustedProxies}
	server := &http.Server{
		Handler:     handler,
		ReadTimeout: redirectTime, WriteTimeout: redirectTime, MaxHeaderBytes: 8 << 10,
		ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo), // it would name visitors
		ConnState: func(conn net.Conn, state http.ConnState) {
			switch {
			case state == http.StateNew && !who.enters(conn):
				_ = conn.Close()
			case state == http.StateClosed:
				who.leaves(conn)
			}
		},
	}
	server.SetKeepAlivesEnabled(false)
	h.run(ctx, "redirect", func(ctx context.Context) error {
		end := context.AfterFunc(ctx, func() { _ = server.Close() }) // nobody has anything to lose there
		defer end()
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return ctx.Err()
	})
	return nil
}

// crowd is who is there without TLS. Addresses are in it only as long as their connection.
type crowd struct {
	proxies []netip.Prefix
	mu      sync.Mutex // guards both
	of      map[netip.Prefix]int
	in      map[net.Conn]netip.Prefix // who was let in; at most [mostRedirected]
}

// enters lets a connection in if there is room for it.
func (c *crowd) enters(conn net.Conn) bool {
	at, most := c.place(conn)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.in) >= mostRedirected || c.of[at] >= most {
		return false
	}
	c.in[conn] = at
	c.of[at]++
	return true
}

// leaves makes room, if the connection had been let in.
func (c *crowd) leaves(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, there := c.in[conn]
	if !there {
		return
	}
	delete(c.in, conn)
	if c.of[at]--; c.of[at] == 0 {
		delete(c.of, at)
	}
}

// place is under what a connection counts, and how many may be there.
func (c *crowd) place(conn net.Conn) (at netip.Prefix, most int) {
	from, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Prefix{}, mostOfOne
	}
	addr := from.Addr().Unmap().WithZone("")
	for _, p := range c.proxies {
		if p.Contains(addr) {
			return netip.PrefixFrom(addr, addr.BitLen()), mostRedirected
		}
	}
	return netip.PrefixFrom(addr, min(addr.BitLen(), 64)).Masked(), mostOfOne
}

// redirect leads to the page under the name that was asked for, if it is one of the page's, and else
// under its first: nobody can use it to lead elsewhere.
type redirect []string

func (origins redirect) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "Use https.", http.StatusMethodNotAllowed)
		return
	}
	to := origins[0]
	asked := &url.URL{Host: strings.ToLower(r.Host)}
	for _, one := range origins {
		if hostOf([]string{one}) == asked.Hostname() {
			to = one
			break
		}
	}
	where := r.URL.RequestURI()
	if !strings.HasPrefix(where, "/") {
		where = "/"
	}
	w.Header().Set("Location", to+where)
	w.WriteHeader(http.StatusMovedPermanently)
}
