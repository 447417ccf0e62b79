package turn

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/pion/stun/v3"
	pionturn "github.com/pion/turn/v4"
)

const realm = "parley"

// shortestLifetime is the least that may be asked for: below, pion's timer would fire first.
const shortestLifetime = 30 * time.Second

// user is somebody whose user name was accepted for the request at hand.
type user struct {
	name  string
	key   []byte
	grant grant
}

// gate stands between a plane and pion. pion's hooks are told neither the request nor the relay
// that they are about; as each plane is one loop, the gate knows both. It is used by that loop
// only, and by the hooks while the loop is inside pion.
type gate struct {
	server *Server
	stream bool
	site   uint8
	reply  func(b []byte, to client) // sends to a client, through the plane
	made   func(client)              // hears who has got a relay; may be nil

	now      request
	from     client
	user     user
	place    place
	reserved bool // place is taken in the ledger and no relay has it yet
	paid     bool // the answer to a stranger was taken from the throttle
}

// settle ends the request at hand: pion has answered it.
func (g *gate) settle() {
	if g.reserved {
		g.server.ledger.give(g.place)
		g.reserved = false
	}
	g.now, g.user, g.place, g.paid = request{}, user{}, place{}, false
}

// answer returns what is sent for what pion wants to send, nil for nothing. An error to somebody
// without a relay may go to a forged address, whatever the request was signed with, so all of them
// come out of one throttle.
func (g *gate) answer(b []byte, to client) []byte {
	const classBits, failure = 0x0110, 0x0110 // RFC 8489 section 5
	if len(b) < headerSize || b[0]&0xC0 != 0 || binary.BigEndian.Uint16(b)&classBits != failure {
		return b
	}
	t := &g.server.tally
	if is(b, stun.CodeStaleNonce) {
		t.staleNonce.Add(1)
	}
	if g.paid || g.server.table.of(to) != nil || g.server.throttle.allow(to.addr.Addr(), time.Now()) {
		return g.server.tagger.tagged(b, to)
	}
	t.suppressed.Add(1)
	return nil
}

// is tells whether an answer of pion bears an error code.
func is(b []byte, code stun.ErrorCode) bool {
	m := stun.New()
	var have stun.ErrorCodeAttribute
	return stun.Decode(b, m) == nil && have.GetFrom(m) == nil && have.Code == code
}

// admit decides whether pion gets to see a packet. It answers what pion would answer wrongly.
func (g *gate) admit(b []byte, from client) (seen bool) {
	defer g.server.survive()
	r, whole := parse(b)
	if !whole {
		g.server.tally.malformed.Add(1)
		return false
	}
	g.now, g.from, g.paid = r, from, false
	live := g.server.table.of(from)
	if r.data || r.class == stun.ClassIndication {
		if live == nil {
			g.server.tally.stranger.Add(1)
			return false
		}
		_, known := live.addressee(&r)
		return known
	}
	if !r.signed {
		return g.challenge(live)
	}
	code := g.fault(live)
	switch {
	case code == silence:
		return false
	case code == 0:
		g.untag(b, live)
		return true
	case live != nil && code != stun.CodeWrongCredentials && !verified(b, live.key):
		g.untag(b, live)
		return true // not its owner: pion's to refuse
	case live == nil && !g.server.throttle.allow(from.addr.Addr(), time.Now()):
		g.server.tally.suppressed.Add(1) // the sender may be forged
		return false
	}
	g.server.tally.refusedOthers.Add(1)
	g.refuse(code, live)
	return false
}

// silence as a code means no answer.
const silence stun.ErrorCode = -1

// challenge decides on an unsigned request. Its answer may go to a forged address.
func (g *gate) challenge(live *relay) bool {
	t := &g.server.tally
	if live == nil && g.now.method != stun.MethodBinding && g.now.method != stun.MethodAllocate {
		t.stranger.Add(1)
		return false
	}
	if !g.server.throttle.allow(g.from.addr.Addr(), time.Now()) {
		t.suppressed.Add(1)
		return false
	}
	t.challenges.Add(1)
	g.paid = true
	return true
}

// fault finds what is wrong with a signed request, 0 if nothing is.
func (g *gate) fault(live *relay) stun.ErrorCode {
	r := &g.now
	switch {
	case r.method == stun.MethodBinding:
		return 0
	case live != nil && r.user != live.user:
		g.server.tally.badOwner.Add(1)
		return stun.CodeWrongCredentials
	case len(r.unknown) > 0:
		return stun.CodeUnknownAttribute
	case r.method == stun.MethodAllocate:
		return g.allocateFault(live)
	case live == nil || live.over():
		return stun.CodeAllocMismatch
	case r.method == stun.MethodRefresh:
		if r.lifetime != 0 && r.lifetime < shortestLifetime {
			return stun.CodeBadRequest
		}
		return 0
	}
	return g.peerFault(live)
}

func (g *gate) allocateFault(live *relay) stun.ErrorCode {
	r := &g.now
	switch {
	case live != nil:
		return 0 // a repeat, which pion answers as before, or 437
	case g.server.table.rests(g.from, time.Now()):
		return silence // the repeat will find it rested
	case r.lifetime < shortestLifetime:
		return stun.CodeBadRequest
	case r.transports > 0 && r.transport != protocolUDP:
		return stun.CodeUnsupportedTransProto
	case r.family != 0 && r.family != familyV4:
		return stun.CodeAddrFamilyNotSupported
	case r.ports, g.server.draining.Load():
		return stun.CodeInsufficientCapacity
	}
	return 0
}

// peerFault judges CreatePermission and ChannelBind.
func (g *gate) peerFault(live *relay) stun.ErrorCode {
	r := &g.now
	bind := r.method == stun.MethodChannelBind
	if len(r.peers) == 0 || bind && (len(r.peers) != 1 || r.channels != 1 ||
		r.channel < firstChannel || r.channel > lastChannel) {
		return stun.CodeBadRequest
	}
	for _, p := range r.peers {
		switch {
		case p.Addr().Is6():
			return stun.CodePeerAddrFamilyMismatch
		case !g.server.admits(live.grant.kind, p.Addr()):
			g.server.tally.refusedPeer.Add(1)
			return stun.CodeForbidden
		}
	}
	if !live.room(r) {
		return stun.CodeInsufficientCapacity
	}
	return 0
}

// refuse answers the request at hand with an error, signed if its relay is known.
func (g *gate) refuse(code stun.ErrorCode, live *relay) {
	parts := []stun.Setter{
		stun.NewTransactionIDSetter(g.now.tx),
		stun.NewType(g.now.method, stun.ClassErrorResponse),
		&stun.ErrorCodeAttribute{Code: code},
	}
	if code == stun.CodeUnknownAttribute {
		parts = append(parts, stun.UnknownAttributes(g.now.unknown))
	}
	if live != nil && code != stun.CodeWrongCredentials {
		parts = append(parts, stun.MessageIntegrity(live.key))
	}
	if m, err := stun.Build(parts...); err == nil {
		g.reply(m.Raw, g.from)
	}
}

// verified tells whether a request is signed with key.
func verified(b, key []byte) bool {
	m := stun.New()
	return stun.Decode(b, m) == nil && stun.MessageIntegrity(key).Check(m) == nil
}

// authenticate is pion's AuthHandler. A relay obeys only the user name that made it, whose expiry
// does not matter any more.
func (x *site) authenticate(name, in string, src net.Addr) (key []byte, ok bool) {
	s, g := x.server, x.gateOf(src)
	defer s.survive()
	if live := s.table.of(g.clientOf(src)); live != nil {
		if live.user != name {
			s.tally.badOwner.Add(1)
		}
		return live.key, live.user == name && !live.over()
	}
	if g.now.method != stun.MethodAllocate || in != realm {
		return nil, false
	}
	what, why := s.identify(name)
	if why != granted {
		s.tally.refusedName(why)
		return nil, false
	}
	g.user = s.keyFor(name, what)
	return g.user.key, true
}

// keyFor is somebody with a user name that was accepted.
func (s *Server) keyFor(name string, what grant) user {
	return user{name: name, grant: what, key: pionturn.GenerateAuthKey(name, realm, s.mint.password(name))}
}

// identify reads the user name of somebody who wants a relay.
func (s *Server) identify(name string) (grant, refusal) {
	what, why := s.mint.open(name, s.name(), s.cfg.Now())
	if why == granted && s.ended.has(what.call) {
		return grant{}, over
	}
	return what, why
}

// admitRelay is pion's QuotaHandler; the signature was right.
func (x *site) admitRelay(name, _ string, src net.Addr) bool {
	s, g := x.server, x.gateOf(src)
	if g.user.name != name {
		return false
	}
	g.place = placeOf(g.user, g.from)
	said := s.ledger.take(g.place)
	s.tally.refusedPlace(said)
	g.reserved = said == taken
	return g.reserved
}

// signed is what pion's OnAuth brings: a request of a known relay was signed well.
func (x *site) signed(src net.Addr, method string) {
	g := x.gateOf(src)
	live := x.server.table.of(g.clientOf(src))
	if live != nil && method == stun.MethodRefresh.String() && g.now.lifetime != 0 {
		live.extend(g.now.lifetime)
	}
}

// errNobody says that pion asks for a relay that nobody was granted.
var errNobody = errors.New("no relay was granted")

// Validate implements pion's RelayAddressGenerator.
func (g *gate) Validate() error { return nil }

// AllocatePacketConn makes the relay for the request at hand.
func (g *gate) AllocatePacketConn(string, int) (net.PacketConn, net.Addr, error) {
	if !g.reserved {
		return nil, nil, errNobody
	}
	r, err := g.server.newRelay(g.from, g.user, g.place, g.now.lifetime)
	if err != nil {
		g.server.tally.refusedPorts.Add(1)
		return nil, nil, err
	}
	g.reserved = false // now the relay's to give back
	if g.made != nil {
		g.made(g.from)
	}
	return r, r.LocalAddr(), nil
}

// AllocateConn would be for relays over TCP, which there are none of.
func (g *gate) AllocateConn(string, int) (net.Conn, net.Addr, error) {
	return nil, nil, errors.ErrUnsupported
}

// permits is pion's PermissionHandler, behind the gate's own check.
func (x *site) permits(src net.Addr, peer net.IP) bool {
	live := x.server.table.of(x.gateOf(src).clientOf(src))
	return live != nil && x.server.admits(live.grant.kind, addrOf(peer))
}

// clientOf reads the address that the gate's plane gave pion.
func (g *gate) clientOf(a net.Addr) client {
	switch a := a.(type) {
	case *net.UDPAddr:
		return client{site: g.site, addr: unmapped(a.AddrPort())}
	case *net.TCPAddr:
		return client{stream: true, addr: unmapped(a.AddrPort())}
	}
	return client{}
}

// events keeps our tables in step with pion's.
func (x *site) events() pionturn.EventHandler {
	on := func(src net.Addr, do func(live *relay)) {
		if live := x.server.table.of(x.gateOf(src).clientOf(src)); live != nil {
			do(live)
		}
	}
	return pionturn.EventHandler{
		OnAuth: func(src, _ net.Addr, _, _, _, method string, verdict bool) {
			if verdict {
				x.signed(src, method)
			} else {
				x.server.tally.badPassword.Add(1)
			}
		},
		OnPermissionCreated: func(src, _ net.Addr, _, _, _ string, _ net.Addr, peer net.IP) {
			on(src, func(live *relay) { live.permit(addrOf(peer)) })
		},
		OnPermissionDeleted: func(src, _ net.Addr, _, _, _ string, _ net.Addr, peer net.IP) {
			on(src, func(live *relay) { live.forbid(addrOf(peer)) })
		},
		OnChannelCreated: func(src, _ net.Addr, _, _, _ string, _, peer net.Addr, number uint16) {
			on(src, func(live *relay) { live.bind(number, x.gateOf(src).clientOf(peer).addr) })
		},
		OnChannelDeleted: func(src, _ net.Addr, _, _, _ string, _, _ net.Addr, number uint16) {
			on(src, func(live *relay) { live.unbind(number) })
		},
	}
}

// addrOf is ip in its plain form; the zero Addr, which no peer has, if it is none.
func addrOf(ip net.IP) netip.Addr {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap()
}
