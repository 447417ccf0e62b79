package turn

import (
	"net/netip"
	"slices"
	"time"
)

// channel is a channel that a browser has bound.
type channel struct {
	number uint16
	peer   netip.AddrPort
}

// grants is what pion granted a relay. It is never changed, only replaced, so that packets read it
// without a lock. Both lists are short: going through them is faster than hashing.
type grants struct {
	permitted []netip.Addr // at most maxPermissions
	channels  []channel    // at most maxChannels
}

// change replaces what pion granted.
func (r *relay) change(f func(g *grants)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.granted.Load()
	next := &grants{slices.Clone(old.permitted), slices.Clone(old.channels)}
	f(next)
	r.granted.Store(next)
}

func (r *relay) permit(a netip.Addr) {
	r.change(func(g *grants) {
		if !slices.Contains(g.permitted, a) {
			g.permitted = append(g.permitted, a)
		}
	})
}

func (r *relay) forbid(a netip.Addr) {
	r.change(func(g *grants) {
		g.permitted = slices.DeleteFunc(g.permitted, func(p netip.Addr) bool { return p == a })
	})
}

func (r *relay) bind(number uint16, peer netip.AddrPort) {
	r.change(func(g *grants) { g.channels = append(g.channels, channel{number, peer}) })
}

func (r *relay) unbind(number uint16) {
	r.change(func(g *grants) {
		g.channels = slices.DeleteFunc(g.channels, func(c channel) bool { return c.number == number })
	})
}

func (r *relay) allows(a netip.Addr) bool {
	return slices.Contains(r.granted.Load().permitted, a)
}

func (r *relay) peerOf(number uint16) (netip.AddrPort, bool) {
	for _, c := range r.granted.Load().channels {
		if c.number == number {
			return c.peer, true
		}
	}
	return netip.AddrPort{}, false
}

func (r *relay) channelTo(peer netip.AddrPort) (number uint16, bound bool) {
	for _, c := range r.granted.Load().channels {
		if c.peer == peer {
			return c.number, true
		}
	}
	return 0, false
}

// room tells whether the permissions and the channel that a request wants still fit.
func (r *relay) room(want *request) bool {
	have := r.granted.Load()
	fresh := map[netip.Addr]struct{}{}
	for _, p := range want.peers {
		if a := p.Addr().Unmap(); !slices.Contains(have.permitted, a) {
			fresh[a] = struct{}{}
		}
	}
	_, bound := r.peerOf(want.channel)
	return len(have.permitted)+len(fresh) <= maxPermissions &&
		(want.channels == 0 || bound || len(have.channels) < maxChannels)
}

// addressee finds to whom ChannelData or a Send indication is, if r has a permission for them. A
// permission may lapse before the channel that was bound with it.
func (r *relay) addressee(said *request) (netip.AddrPort, bool) {
	t := &r.server.tally
	peer, bound := unmapped(said.to), true
	if said.data {
		peer, bound = r.peerOf(said.channel)
	}
	switch {
	case !bound:
		t.channel.Add(1)
	case !peer.IsValid() || !said.loaded: // RFC 8656 section 11.2: both attributes or nothing
		t.malformed.Add(1)
	case !r.allows(peer.Addr()):
		t.permission.Add(1)
	default:
		return peer, true
	}
	return netip.AddrPort{}, false
}

// outward judges a packet of r's browser to somebody it has a permission for: rate and way.
func (r *relay) outward(size int, to netip.AddrPort, now time.Time) (way, *relay) {
	s := r.server
	if !r.sent.take(size, r.rate(), burst, now) {
		s.tally.rate.Add(1)
		return nowhere, nil
	}
	how, other := s.route(r, to)
	if how == nowhere {
		s.tally.route.Add(1)
	} else {
		r.carried.count(size, 0)
	}
	return how, other
}

// hears judges where a packet from the network comes from. Our own address is served inside, and
// other nodes in frames: what comes from these through the network is not a relay.
func (r *relay) hears(from netip.AddrPort) bool {
	if r.server.peers.forbids(from) == "" && len(r.server.neighboursAt(from.Addr())) == 0 {
		return true
	}
	r.server.tally.route.Add(1)
	return false
}

// inward judges a packet for r's browser.
func (r *relay) inward(size int, from netip.AddrPort, now time.Time) bool {
	t := &r.server.tally
	switch {
	case !r.allows(from.Addr()):
		t.permission.Add(1)
	case size > maxPacket || !r.received.take(size, r.rate(), burst, now):
		t.rate.Add(1)
	default:
		r.carried.count(0, size)
		return true
	}
	return false
}

// address is the relayed address.
func (r *relay) address() netip.AddrPort { return netip.AddrPortFrom(r.site.external, r.port) }
