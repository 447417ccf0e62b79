package turn

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
	"time"
)

// A relay of another node of the installation is reached through that node: packets between two
// such relays go from one node's UDP port to the other's, in a frame of our own:
//
//	0   0x90, 1 byte           neither STUN nor ChannelData (RFC 7983 section 7)
//	1   number, 8 bytes        of all frames of the sending process, never used twice
//	9   port of the relay that sends, 2 bytes
//	11  port of the relay that is meant, 2 bytes
//	13  the packet, sealed with AES-256-GCM; the head and the call's mark are sealed with it
//
// The key follows from the secret and the names of both processes. So a frame that opens was made
// by the node whose address it comes from, for this one, and for a relay of the very call that its
// own relay belongs to: the same veil as inside one process. Frames may be lost, doubled or late
// like any datagram; what they carry is protected against that by the browsers.
const (
	frameMark = 0x90
	frameHead = 13
	frameTag  = 16
)

// neighbour is the relay of another node.
type neighbour struct {
	at      netip.AddrPort // where browsers, and we, reach it
	also    []netip.AddrPort
	life    string // the random name of its process
	urls    []string
	takes   bool        // new relays
	to, had cipher.AEAD // for what goes there, and for what comes
}

// neighbours are those that are known; never changed in place.
type neighbours struct {
	byAddr map[netip.AddrPort]*neighbour
	byHost map[netip.Addr][]*neighbour
}

// lifeSize is the length of a process's random name.
const lifeSize = 16

func newLife() string {
	b := make([]byte, lifeSize)
	rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}

// errAnnounced says that what was said of a relay is not understood.
var errAnnounced = errors.New("turn: what another node says of its relay is not understood")

// What a relay says of itself.
const (
	takesAll  = "open"
	takesNone = "draining"
)

// Announcement is what other nodes of the installation must know of this relay: lines with its
// addresses, the name of its process, whether it takes new calls, and its URLs; then the signature of
// all that. Browsers are sent where it says, and must not be sent to the relay of whoever can write
// to the store.
func (s *Server) Announcement() string {
	state := takesAll
	if s.Draining() {
		state = takesNone
	}
	var at []string
	for _, x := range s.sites {
		at = append(at, x.name())
	}
	return s.vouch(strings.Join(append([]string{strings.Join(at, ","), s.life, state}, s.urls()...), "\n"))
}

// vouch returns lines with their signature: HMAC-SHA256 under a key of the installation.
func (s *Server) vouch(lines string) string {
	mac := hmac.New(sha256.New, derive(s.cfg.Secret, "announcement"))
	mac.Write([]byte(lines))
	return lines + "\n" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// verify reads an announcement that was made with our secret.
func (s *Server) verify(text string) (*neighbour, error) {
	end := strings.LastIndexByte(text, '\n')
	if end < 0 || !hmac.Equal([]byte(s.vouch(text[:end])), []byte(text)) {
		return nil, errAnnounced
	}
	return readAnnouncement(text[:end])
}

// readAnnouncement reads the lines of an announcement.
func readAnnouncement(text string) (*neighbour, error) {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || len(text) > 4096 || lines[2] != takesAll && lines[2] != takesNone {
		return nil, errAnnounced
	}
	n := &neighbour{life: lines[1], takes: lines[2] == takesAll, urls: lines[3:]}
	for one := range strings.SplitSeq(lines[0], ",") {
		at, err := netip.ParseAddrPort(one)
		if err != nil || at.Port() == 0 || lines[1] == "" || len(n.also) > maxSites {
			return nil, errAnnounced
		}
		n.also = append(n.also, unmapped(at))
	}
	n.at, n.also = n.also[0], n.also[1:]
	return n, nil
}

// Meet tells the relay of all others of the installation, by their announcements. It serves calls
// together with these and keeps open relays from them. What it cannot read it leaves out, and
// counts.
func (s *Server) Meet(announced []string) {
	all := &neighbours{byAddr: map[netip.AddrPort]*neighbour{}, byHost: map[netip.Addr][]*neighbour{}}
	for _, text := range announced {
		n, err := s.verify(text)
		if err != nil {
			s.tally.strangeNodes.Add(1)
			continue
		}
		n.to = sealer(derive(s.cfg.Secret, "from "+s.life+" to "+n.life))
		n.had = sealer(derive(s.cfg.Secret, "from "+n.life+" to "+s.life))
		all.add(n)
	}
	s.near.Store(all)
}

// add lists a neighbour under each of its addresses. A relay there has the address that its browser
// came in by, so frames for it go to that one and come from it.
func (all *neighbours) add(n *neighbour) {
	for _, at := range append([]netip.AddrPort{n.at}, n.also...) {
		here := *n
		here.at = at
		all.byAddr[at] = &here
		all.byHost[at.Addr()] = append(all.byHost[at.Addr()], &here)
	}
}

// CredentialThere returns a fresh credential of kind for call at another relay of the installation.
// It has no URLs when that takes nobody.
func (s *Server) CredentialThere(announced string, kind Kind, call string) (Credential, error) {
	n, err := s.verify(announced)
	if err != nil || !n.takes {
		return Credential{}, err
	}
	return s.credentialAt(kind, call, n.at.String(), n.urls), nil
}

// neighboursAt returns those that have an address.
func (s *Server) neighboursAt(a netip.Addr) []*neighbour {
	if near := s.near.Load(); near != nil {
		return near.byHost[a]
	}
	return nil
}

// hop is between which relays of a call a frame goes.
type hop struct {
	call     mark
	from, to uint16 // their ports
}

// framing is what sealing or opening a frame needs. It is kept for the next one: what an AEAD is
// handed would otherwise have to be made for each packet.
type framing struct {
	nonce [12]byte
	with  [frameHead + len(mark{})]byte // sealed with a packet and not sent
	out   [maxPacket]byte
}

// about sets what follows from the head of a frame.
func (f *framing) about(head []byte, call mark) {
	copy(f.nonce[len(f.nonce)-8:], head[1:9])
	copy(f.with[:frameHead], head)
	copy(f.with[frameHead:], call[:])
}

func (s *Server) framing() *framing { return s.framings.Get().(*framing) } // the pool holds nothing else

// toNeighbours sends a packet of r to the relay that has an address on another node. Several nodes
// may share a host; only one of them has a relay of the call there.
func (s *Server) toNeighbours(r *relay, b []byte, to netip.AddrPort) {
	if len(b) > maxPacket-frameHead-frameTag {
		s.tally.route.Add(1)
		return
	}
	f := s.framing()
	defer s.framings.Put(f)
	for _, n := range s.neighboursAt(to.Addr()) {
		frame := s.frameFor(f, n, hop{r.grant.call, r.port, to.Port()}, b)
		r.site.udp.guard().reply(frame, client{addr: n.at})
		s.tally.nodePackets.Add(1)
		s.tally.nodeBytes.Add(int64(len(b)))
	}
}

// frameFor makes the frame for a packet in f.
func (s *Server) frameFor(f *framing, n *neighbour, h hop, packet []byte) []byte {
	head := append(f.out[:0], frameMark)
	head = binary.BigEndian.AppendUint64(head, s.frames.Add(1))
	head = binary.BigEndian.AppendUint16(head, h.from)
	head = binary.BigEndian.AppendUint16(head, h.to)
	f.about(head, h.call)
	return n.to.Seal(head, f.nonce[:], packet, f.with[:])
}

// fromNeighbour takes a datagram that may be a frame of another node, and says whether it was one.
// It is delivered if the relay that is meant belongs to the call that it was sealed for; whether
// that relay's browser has a permission for the sender is asked like for any packet.
func (s *Server) fromNeighbour(b []byte, from netip.AddrPort) bool {
	if len(b) == 0 || b[0] != frameMark {
		return false
	}
	near := s.near.Load()
	if near == nil || len(b) < frameHead+frameTag || len(b) > maxPacket {
		s.tally.foreign.Add(1)
		return true
	}
	n, r := near.byAddr[from], s.table.at(binary.BigEndian.Uint16(b[11:]))
	if n == nil || r == nil {
		s.tally.foreign.Add(1)
		return true
	}
	f := s.framing()
	defer s.framings.Put(f)
	f.about(b[:frameHead], r.grant.call)
	packet, err := n.had.Open(b[frameHead:frameHead], f.nonce[:], b[frameHead:], f.with[:])
	if err != nil {
		s.tally.foreign.Add(1)
		return true
	}
	s.tally.nodePackets.Add(1)
	s.tally.nodeBytes.Add(int64(len(packet)))
	peer := netip.AddrPortFrom(n.at.Addr(), binary.BigEndian.Uint16(b[9:]))
	if r.inward(len(packet), peer, time.Now()) {
		r.deliver(packet, peer)
	}
	return true
}
