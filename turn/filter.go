package turn

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"time"

	"github.com/pion/stun/v3"
)

const (
	maxPacket  = 1500 // whole packet, TURN header included
	headerSize = 20   // of STUN
	cookie     = 0x2112A442
	cookieHigh = cookie >> 16

	firstChannel, lastChannel = 0x4000, 0x4FFF // RFC 8656 section 12

	familyV4, familyV6 = 1, 2
	protocolUDP        = 17

	defaultLifetime = 10 * time.Minute // pion's, also for what is an hour or longer
	longestLifetime = time.Hour
)

// request is what the filter learns of one packet.
type request struct {
	data    bool // ChannelData
	class   stun.MessageClass
	method  stun.Method
	tx      [stun.TransactionIDSize]byte
	signed  bool // has MESSAGE-INTEGRITY; whether it is right only pion and the gate know
	user    string
	peers   []netip.AddrPort // of CreatePermission and ChannelBind
	to      netip.AddrPort   // of a Send indication
	load    span             // payload of ChannelData or of a Send indication, within the packet
	loaded  bool             // has a payload, which may be empty
	channel uint16           // also of ChannelData
	channels,
	transports int // how many CHANNEL-NUMBER and REQUESTED-TRANSPORT
	transport byte
	family    byte // REQUESTED-ADDRESS-FAMILY, 0 without
	lifetime  time.Duration
	ports     bool // EVEN-PORT or RESERVATION-TOKEN
	unknown   []stun.AttrType
}

// parse reads one packet; whole tells that it is well formed and of a kind that the relay serves.
// It is stricter than pion's parser: what it accepts, pion can read.
func parse(b []byte) (r request, whole bool) {
	switch {
	case len(b) < 4 || len(b) > maxPacket:
		return r, false
	case b[0]&0xC0 == 0x40:
		size := int(binary.BigEndian.Uint16(b[2:]))
		r.data, r.channel = true, binary.BigEndian.Uint16(b)
		r.load, r.loaded = span{4, 4 + size}, true
		return r, r.channel <= lastChannel && r.load.end <= len(b)
	case b[0]&0xC0 != 0 || len(b) < headerSize:
		return r, false
	}
	size := int(binary.BigEndian.Uint16(b[2:]))
	if size%4 != 0 || headerSize+size != len(b) || binary.BigEndian.Uint32(b[4:]) != cookie {
		return r, false
	}
	var kind stun.MessageType
	kind.ReadValue(binary.BigEndian.Uint16(b))
	r.class, r.method = kind.Class, kind.Method
	copy(r.tx[:], b[8:headerSize])
	r.lifetime = defaultLifetime
	return r, r.served() && r.walk(b)
}

// served tells whether class and method are ours to answer.
func (r *request) served() bool {
	if r.class == stun.ClassIndication {
		return r.method == stun.MethodSend
	}
	return r.class == stun.ClassRequest && slices.Contains([]stun.Method{
		stun.MethodBinding, stun.MethodAllocate, stun.MethodRefresh, stun.MethodCreatePermission, stun.MethodChannelBind,
	}, r.method)
}

// walk reads the attributes of the packet b.
func (r *request) walk(b []byte) bool {
	for at := headerSize; at < len(b); {
		if len(b) < at+4 {
			return false
		}
		kind, n := stun.AttrType(binary.BigEndian.Uint16(b[at:])), int(binary.BigEndian.Uint16(b[at+2:]))
		next := at + 4 + (n+3)&^3
		if next > len(b) {
			return false
		}
		if r.signed {
			// RFC 8489 section 14.5: what follows is not covered by the signature.
			if kind != stun.AttrFingerprint && kind != stun.AttrMessageIntegritySHA256 {
				return false
			}
		} else if !r.attribute(kind, b[at+4:at+4+n]) {
			return false
		}
		if kind == stun.AttrData && !r.loaded { // of repeated ones the first counts
			r.load, r.loaded = span{at + 4, at + 4 + n}, true
		}
		at = next
	}
	return true
}

// attribute takes in one attribute; false means that it is malformed.
func (r *request) attribute(kind stun.AttrType, v []byte) bool {
	switch { // without a tag: there are many more attributes than we know
	case kind == stun.AttrMessageIntegrity:
		r.signed = true
		return len(v) == 20
	case kind == stun.AttrUsername:
		if r.user == "" {
			r.user = string(v)
		}
		return len(v) <= 512
	case kind == stun.AttrXORPeerAddress:
		return r.peer(v)
	case kind == stun.AttrFingerprint, kind == stun.AttrLifetime, kind == stun.AttrChannelNumber,
		kind == stun.AttrRequestedTransport, kind == stun.AttrRequestedAddressFamily:
		if len(v) != 4 {
			return false
		}
		r.word(kind, v)
	case kind == stun.AttrEvenPort, kind == stun.AttrReservationToken:
		r.ports = true
	case kind == stun.AttrRealm, kind == stun.AttrNonce, kind == stun.AttrSoftware:
		return len(v) <= 763
	case kind == stun.AttrData, kind == stun.AttrDontFragment, kind == stun.AttrMessageIntegritySHA256:
	case kind < 0x8000: // comprehension required
		r.unknown = append(r.unknown, kind)
	}
	return true
}

// word takes in an attribute of four bytes.
func (r *request) word(kind stun.AttrType, v []byte) {
	if kind == stun.AttrLifetime {
		r.lifetime = time.Duration(binary.BigEndian.Uint32(v)) * time.Second
		if r.lifetime >= longestLifetime {
			r.lifetime = defaultLifetime
		}
	}
	if kind == stun.AttrChannelNumber {
		r.channel = binary.BigEndian.Uint16(v)
		r.channels++
	}
	if kind == stun.AttrRequestedTransport {
		r.transport = v[0]
		r.transports++
	}
	if kind == stun.AttrRequestedAddressFamily {
		r.family = v[0]
	}
}

// peer takes in an XOR-PEER-ADDRESS. Addresses of Send indications are judged where they are used.
func (r *request) peer(v []byte) bool {
	if len(v) < 4 || v[0] != 0 { // pion refuses what RFC 8489 would have it ignore
		return false
	}
	port := binary.BigEndian.Uint16(v[2:]) ^ cookieHigh
	var a netip.Addr
	switch {
	case v[1] == familyV4 && len(v) == 8:
		var ip [4]byte
		binary.BigEndian.PutUint32(ip[:], binary.BigEndian.Uint32(v[4:])^cookie)
		a = netip.AddrFrom4(ip)
	case v[1] == familyV6 && len(v) == 20:
		var ip [16]byte
		binary.BigEndian.PutUint32(ip[:], binary.BigEndian.Uint32(v[4:])^cookie)
		for i := range r.tx {
			ip[4+i] = v[8+i] ^ r.tx[i]
		}
		a = netip.AddrFrom16(ip)
	default:
		return false
	}
	if r.class == stun.ClassRequest {
		r.peers = append(r.peers, netip.AddrPortFrom(a, port))
	} else if !r.to.IsValid() { // of repeated ones the first counts
		r.to = netip.AddrPortFrom(a, port)
	}
	return true
}
