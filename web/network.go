package web

import (
	"net/http"
	"net/netip"

	"parley/signaling"
)

// networkOf returns the part of an address that neighbours share: the /24 of an IPv4 address and the
// /48 of an IPv6 one. Whatever is not an address has none.
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

// strip is the last that is seen of an address: signaling gets the request with a keyed mark of the
// network in its place.
func (s *Server) strip(r *http.Request, address string) *http.Request {
	mark := ""
	if p, ok := networkOf(address); ok && s.network != nil {
		mark = s.network(p)
	}
	r = r.WithContext(signaling.WithNetwork(r.Context(), mark))
	r.RemoteAddr = ""
	r.Header = r.Header.Clone()
	for _, name := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded"} {
		r.Header.Del(name)
	}
	return r
}
