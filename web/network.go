package web

import (
	"log/slog"
	"net/http"
	"net/netip"
	"slices"

	"parley/signaling"
)

// networkOf returns the part of an address that neighbours share: the /24 of an IPv4 address and
// the /48 of an IPv6 one. Whatever is not an address has none.
func networkOf(address string) (netip.Prefix, bool) {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}, false
	}
	ip = ip.Unmap().WithZone("")
	bits := 24
	if ip.Is6() {
		bits = 48
	}
	p, err := ip.Prefix(bits)
	return p, err == nil
}

// passedOn are the headers by which a proxy says for whom it asks.
func passedOn() []string { return []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded"} }

// doubt tells the log once when a request that somebody passed on comes from an address which the
// operator does not trust: behind a proxy that is not named all visitors look like one, with one
// limit.
func (s *Server) doubt(r *http.Request, address string) {
	named := slices.ContainsFunc(passedOn(), func(name string) bool { return r.Header.Get(name) != "" })
	switch {
	case within(r.RemoteAddr, s.proxies):
		s.heed(r, address)
		return
	case !named:
		return
	}
	s.said.doubted.Add(1)
	ctx := r.Context()
	s.proxied.Do(func() {
		s.log.LogAttrs(ctx, slog.LevelWarn, "a request names the visitor whom it was passed on for, and comes from an address that is not in trusted-proxies, so it is not believed: if parley is behind a proxy name that, or all visitors share the limits of one network; if not, somebody made it up")
	})
}

// heed counts what a proxy that is trusted said of a visitor.
func (s *Server) heed(r *http.Request, address string) {
	at, err := netip.ParseAddr(address)
	among := func(ranges []netip.Prefix) bool {
		return err == nil && slices.ContainsFunc(ranges, func(p netip.Prefix) bool { return p.Contains(at.Unmap()) })
	}
	switch {
	case r.Header.Get("X-Forwarded-For") == "":
		s.said.missing.Add(1)
	case among(examples()):
		s.said.madeUp.Add(1)
	case among(s.proxies):
		s.said.inside.Add(1)
	default:
		s.said.believed.Add(1)
	}
}

// examples are addresses that nobody has (RFC 5737).
func examples() []netip.Prefix {
	return []netip.Prefix{
		netip.PrefixFrom(netip.AddrFrom4([4]byte{192, 0, 2, 0}), 24),
		netip.PrefixFrom(netip.AddrFrom4([4]byte{198, 51, 100, 0}), 24),
		netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, 113, 0}), 24),
	}
}

// within tells whether the address of a connection is in one of some ranges.
func within(remote string, ranges []netip.Prefix) bool {
	at, err := netip.ParseAddrPort(remote)
	return err == nil && slices.ContainsFunc(ranges, func(p netip.Prefix) bool { return p.Contains(at.Addr().Unmap()) })
}

// strip is the last that is seen of an address: signaling gets the request with a keyed mark of the
// network in its place.
func (s *Server) strip(r *http.Request, address string) *http.Request {
	s.doubt(r, address)
	mark := ""
	if p, ok := networkOf(address); ok && s.network != nil {
		mark = s.network(p)
	}
	r = r.WithContext(signaling.WithNetwork(r.Context(), mark))
	r.RemoteAddr = ""
	r.Header = r.Header.Clone()
	for _, name := range passedOn() {
		r.Header.Del(name)
	}
	return r
}
