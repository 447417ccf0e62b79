package turn

import (
	"encoding/binary"
	"net/netip"
	"time"
)

// This file decides what becomes of a packet on the packet path: it touches no socket. path_linux.go
// does what it says. pion's own code decides the same on the plain path; TestPlainPath holds both to
// one suite.

const (
	// headroom is what a payload may need in front of it: a channel header of 4 bytes becomes the
	// head of an indication, 48 bytes with an IPv6 peer.
	headroom = 48
	tailroom = 4 // padding behind a payload
)

// buffer holds one packet, which starts at headroom so that another header fits before it.
type buffer [headroom + maxPacket + tailroom]byte

// packet is the part of b that n received bytes fill.
func (b *buffer) packet(n int) []byte { return b[headroom : headroom+n] }

// span is a part of a buffer.
type span struct{ start, end int }

// verb is what is to be done with a packet.
type verb uint8

const (
	dropped   verb = iota // and counted
	forPion               // a request, or nothing that the path knows
	toBrowser             // span goes to the browser of relay
	toPeer                // span leaves from the socket of relay
)

// step says what becomes of one packet.
type step struct {
	do    verb
	relay *relay
	peer  netip.AddrPort
	span  span
	size  int // of the payload
}

const sendIndication = 0x0016 // RFC 8656 section 18: method Send, class indication

// fromBrowser decides on the n bytes that a client sent. A packet that makes it fail is dropped.
func (s *Server) fromBrowser(b *buffer, n int, from client, now time.Time) (st step) {
	defer s.survive()
	p := b.packet(n)
	isData := n >= 4 && p[0]&0xC0 == 0x40
	if !isData && (n < headerSize || binary.BigEndian.Uint16(p) != sendIndication) {
		if !from.stream && s.fromNeighbour(p, from.addr) {
			return step{}
		}
		return step{do: forPion}
	}
	said, whole := parse(p)
	if !whole {
		s.tally.malformed.Add(1)
		return step{}
	}
	r := s.table.of(from)
	if r == nil {
		s.tally.stranger.Add(1)
		return step{}
	}
	peer, known := r.addressee(&said)
	if !known {
		return step{}
	}
	load := span{headroom + said.load.start, headroom + said.load.end}
	return s.onward(b, load, r, peer, now)
}

// onward decides on a payload from r's browser to a peer. When the peer is another relay of ours, the
// packet would leave through one socket, come back through another and be wrapped again; instead it is
// wrapped at once for the browser behind that relay.
func (s *Server) onward(b *buffer, load span, r *relay, peer netip.AddrPort, now time.Time) step {
	size := load.end - load.start
	switch how, other := r.outward(size, peer, now); how {
	case inside:
		return other.inbound(b, load, r.address(), now)
	case outside:
		return step{do: toPeer, relay: r, peer: peer, span: load, size: size}
	case elsewhere:
		s.toNeighbours(r, b[load.start:load.end], peer)
	case nowhere:
	}
	return step{}
}

// fromPeer decides on n bytes that a host outside sent to r's socket.
func (r *relay) fromPeer(b *buffer, n int, from netip.AddrPort, now time.Time) (st step) {
	defer r.server.survive()
	if !r.hears(from) {
		return step{}
	}
	return r.inbound(b, span{headroom, headroom + n}, from, now)
}

// inbound decides on a payload for r's browser; packets from relays and from outside meet here.
func (r *relay) inbound(b *buffer, load span, from netip.AddrPort, now time.Time) step {
	size := load.end - load.start
	if !r.inward(size, from, now) {
		return step{}
	}
	return step{do: toBrowser, relay: r, span: r.wrap(b, load, from), size: size}
}

// wrap writes the header that the browser expects directly before the payload, which is not moved.
func (r *relay) wrap(b *buffer, load span, peer netip.AddrPort) span {
	size := load.end - load.start
	padded := (size + 3) &^ 3
	number, bound := r.channelTo(peer)
	if !bound {
		return r.wrapIndication(b, load, peer)
	}
	out := span{load.start - 4, load.end}
	binary.BigEndian.PutUint16(b[out.start:], number)
	binary.BigEndian.PutUint16(b[out.start+2:], uint16(size)) //nolint:gosec // at most maxPacket
	if r.client.stream {                                      // RFC 8656 section 12.5: padding over streams only
		out.end = load.start + padded
		clear(b[load.end:out.end]) // or it would carry bytes of another call
	}
	return out
}

// Attributes of a Data indication, RFC 8656 section 18.
const (
	dataIndication = 0x0017
	attrPeer       = 0x0012
	attrData       = 0x0013
)

// wrapIndication makes a Data indication: header, XOR-PEER-ADDRESS, DATA.
func (r *relay) wrapIndication(b *buffer, load span, peer netip.AddrPort) span {
	size := load.end - load.start
	padded := (size + 3) &^ 3
	addr, family := 4, byte(familyV4)
	if peer.Addr().Is6() {
		addr, family = 16, familyV6
	}
	head := headerSize + 4 + 4 + addr + 4
	out := span{load.start - head, load.start + padded}
	h := b[out.start:load.start]
	binary.BigEndian.PutUint16(h, dataIndication)
	binary.BigEndian.PutUint16(h[2:], uint16(head-headerSize+padded)) //nolint:gosec // at most a buffer
	binary.BigEndian.PutUint32(h[4:], cookie)
	binary.BigEndian.PutUint32(h[8:], uint32(r.port))
	binary.BigEndian.PutUint64(h[12:], r.indications.Add(1)) // it has no answer: unique is enough
	binary.BigEndian.PutUint16(h[20:], attrPeer)
	binary.BigEndian.PutUint16(h[22:], uint16(4+addr))
	h[24], h[25] = 0, family
	binary.BigEndian.PutUint16(h[26:], peer.Port()^cookieHigh)
	if ip := peer.Addr().As16(); addr == 16 {
		for i := range ip {
			h[28+i] = ip[i] ^ h[4+i] // RFC 8489 section 14.2: cookie and transaction
		}
	} else {
		binary.BigEndian.PutUint32(h[28:], binary.BigEndian.Uint32(ip[12:])^cookie)
	}
	binary.BigEndian.PutUint16(h[28+addr:], attrData)
	binary.BigEndian.PutUint16(h[30+addr:], uint16(size)) //nolint:gosec // at most maxPacket
	clear(b[load.end:out.end])
	return out
}
