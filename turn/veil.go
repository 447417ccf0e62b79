package turn

import "net/netip"

// way is where a packet from a browser goes.
type way int

const (
	nowhere   way = iota
	inside        // to another relay of this process
	outside       // to the network
	elsewhere     // to another node of the installation, if it has a relay of the same call
)

// route decides what becomes of a packet that the browser of from sends to a peer. It is the only
// place that does. The relay's own address is served inside or not at all, and only between relays
// of one call: a packet for it never reaches the kernel, or a permission for one relay would open
// every UDP port of this host. The same holds for the other nodes of the installation.
func (s *Server) route(from *relay, to netip.AddrPort) (way, *relay) {
	to = unmapped(to)
	own := s.owns(to.Addr())
	if own {
		if r := s.table.at(to.Port()); r != nil && r.grant.call == from.grant.call && r != from && r.site.external == to.Addr() {
			return inside, r
		}
	}
	switch {
	case len(s.neighboursAt(to.Addr())) > 0: // one may share our address
		return elsewhere, nil
	case !own && from.grant.kind == Open && to.Addr().Is4() && s.peers.forbids(to) == "":
		return outside, nil
	}
	return nowhere, nil
}

// admits tells whether a relay of kind may have a permission for an address. That is for an
// address and every port of it, so route judges each packet again.
func (s *Server) admits(kind Kind, peer netip.Addr) bool {
	peer = peer.Unmap()
	if s.owns(peer) || len(s.neighboursAt(peer)) > 0 {
		return true
	}
	return kind == Open && peer.Is4() && s.peers.forbidsAddr(peer) == ""
}
