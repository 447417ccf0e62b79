package turn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"

	pionturn "github.com/pion/turn/v4"
)

// Address is one more address at which a relay listens, by UDP and TCP.
type Address struct {
	Listen   netip.AddrPort // of IPv4, not all addresses of the machine
	External netip.Addr     // at which browsers reach it; none means that of Listen
}

// maxSites is at how many addresses a relay listens at the most.
const maxSites = 8

// site is one address at which the relay listens. A relay that a browser makes there has the site's
// address outside, and its packets leave from there: who came by one address and was answered from
// another would not know the answer for one. Tables and quotas are those of the server; pion keeps
// clients by where they come from and where they came to, so each site has a pion of its own. That of
// the first also serves streams.
type site struct {
	server   *Server
	number   uint8
	addr     netip.AddrPort // where it listens
	external netip.Addr
	bound    netip.Addr // IPv4 address of open relays' sockets
	udp      udpPlane   // path, if there is one
	path     *path      // nil on the plain path
	pion     *pionturn.Server
}

// listen opens every socket that the relay serves at.
func (s *Server) listen() error {
	for _, at := range append([]Address{{s.cfg.Listen, s.cfg.External}}, s.cfg.Also...) {
		if err := s.listenAt(at); err != nil {
			return err
		}
	}
	s.streams.addr = s.listeners[0].Addr()
	return s.listenTLS()
}

// listenAt opens the sockets of one address.
func (s *Server) listenAt(at Address) error {
	udp, tcp, err := listen(at.Listen)
	if err != nil {
		return err
	}
	x := &site{
		server: s, number: uint8(len(s.sites)), external: at.External, //nolint:gosec // below maxSites
		addr:  unmapped(udp.LocalAddr().(*net.UDPAddr).AddrPort()), // a UDPConn has no other
		bound: netip.IPv4Unspecified(),
	}
	if x.addr.Addr().Is4() {
		x.bound = x.addr.Addr()
	}
	x.udp = x.choosePath(udp)
	s.sites, s.listeners = append(s.sites, x), append(s.listeners, tcp)
	return nil
}

// choosePath takes the packet path where it runs, and the plain one elsewhere.
func (x *site) choosePath(udp *net.UDPConn) udpPlane {
	if x.server.cfg.Plain {
		return newDatagrams(x, udp)
	}
	path, err := newPath(x, udp)
	if err != nil {
		x.server.cfg.Log.LogAttrs(context.Background(), slog.LevelWarn,
			"this system has no batched packets: the relay works, at two to three times the cost", slog.Any("error", err))
		return newDatagrams(x, udp)
	}
	x.path = path
	return path
}

// serve starts the site's pion.
func (x *site) serve() (err error) {
	s := x.server
	planes := []pionturn.PacketConnConfig{
		{PacketConn: x.udp, RelayAddressGenerator: x.udp.guard(), PermissionHandler: x.permits},
	}
	if x.number == 0 {
		planes = append(planes, pionturn.PacketConnConfig{PacketConn: s.streams, RelayAddressGenerator: &s.streams.gate, PermissionHandler: x.permits})
	}
	x.pion, err = pionturn.NewServer(pionturn.ServerConfig{
		Realm:             realm,
		AuthHandler:       x.authenticate,
		QuotaHandler:      x.admitRelay,
		LoggerFactory:     quietLogger{log: s.cfg.Log, count: &s.tally.library},
		EventHandler:      x.events(),
		PacketConnConfigs: planes,
	})
	if err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	return nil
}

// gateOf returns the gate of the plane that a packet came through.
func (x *site) gateOf(src net.Addr) *gate {
	if _, isTCP := src.(*net.TCPAddr); isTCP {
		return &x.server.streams.gate
	}
	return x.udp.guard()
}

// name is the address at which browsers reach the site.
func (x *site) name() string { return netip.AddrPortFrom(x.external, x.addr.Port()).String() }

// close ends the loops; the sockets stay open, as others may still send.
func (x *site) close() error {
	err := x.udp.Close()
	if x.path != nil {
		x.path.stop()
	}
	return err
}

// await returns when pion has left the planes, so that it makes no more relays.
func (x *site) await() {
	if x.pion == nil {
		return
	}
	if x.number == 0 {
		<-x.server.streams.left
	}
	if x.path != nil {
		<-x.path.left
	}
}

// free closes the sockets, when nobody can send any more.
func (x *site) free() {
	if x.path != nil {
		x.path.free()
	}
}

// owns tells whether an address is that of a site.
func (s *Server) owns(a netip.Addr) bool {
	for _, x := range s.sites {
		if x.external == a {
			return true
		}
	}
	return false
}

// siteAt is the site that a connection came to, by its end on this side; the first for a port that
// belongs to none, such as that of the page.
func (s *Server) siteAt(local net.Addr) *site {
	if tcp, is := local.(*net.TCPAddr); is {
		at := unmapped(tcp.AddrPort()).Addr()
		for _, x := range s.sites {
			if x.bound == at || x.external == at {
				return x
			}
		}
	}
	return s.sites[0]
}

// siteOf is the site that a client came to.
func (s *Server) siteOf(c client) *site {
	if !c.stream {
		return s.sites[c.site]
	}
	s.streams.mu.RLock()
	defer s.streams.mu.RUnlock()
	if conn := s.streams.conns[c.addr]; conn != nil {
		return conn.site
	}
	return s.sites[0] // its relay ends at once
}

// checkAlso refuses addresses that cannot work beside the first.
func (c *Config) checkAlso() error {
	if len(c.Also) >= maxSites {
		return fmt.Errorf("relay: %d addresses are too many, %d are the most", len(c.Also)+1, maxSites)
	}
	used := map[netip.Addr]bool{c.External: true}
	c.Also = append([]Address(nil), c.Also...)
	for i := range c.Also {
		at := &c.Also[i]
		if !at.External.IsValid() {
			at.External = at.Listen.Addr()
		}
		at.External = at.External.Unmap()
		switch {
		case c.Listen.Addr().IsUnspecified():
			return errors.New("relay: who listens at all addresses cannot listen at one more")
		case !at.Listen.Addr().Is4() || at.Listen.Addr().IsUnspecified(), !at.External.Is4() || at.External.IsUnspecified():
			return fmt.Errorf("relay: beside the first address only single IPv4 addresses are served, %s, known as %s, is not", at.Listen, at.External)
		case used[at.External]:
			return fmt.Errorf("relay: %s is the external address of two", at.External)
		}
		used[at.External] = true
	}
	return nil
}
