package signaling

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"sync"

	"parley/internal/keyring"
)

// Mail carries tokens and the digests of devices, and whoever can read or write Redis
// could read it, or write some of their own. So each packet of the link, with the mail in it, its
// acknowledgements and its probes, is sealed with AES-256-GCM under a key for each direction between
// two processes, derived from the installation's; the nonce counts up, and what was read once is not
// read again.

// seals are the keys of this node with the others. Safe for concurrent use, but each pair of nodes
// has one goroutine that seals and one that opens. They stay when a node dies, since it may only have
// been frozen: a number that is used twice would give the key away.
type seals struct {
	ring *keyring.Ring
	node string

	mu   sync.Mutex // guards the following: one for each node that was ever met, sealsMost at most
	outs map[string]*seal
	ins  map[string]*seal
}

// sealsMost is how many other nodes a node can meet in its life. Each takes about a kilobyte; beyond
// it a node must be started again to meet more.
const sealsMost = 16384

// seal is one direction between two nodes. The link uses it by one goroutine.
type seal struct {
	number uint64 // the last
	aead   cipher.AEAD
}

// What the link leaves before the body of a packet: its head, and a number.
const (
	sealHead  = 24
	sealStart = sealHead + 8
)

func newSeals(ring *keyring.Ring, node string) *seals {
	return &seals{ring: ring, node: node, outs: map[string]*seal{}, ins: map[string]*seal{}}
}

func (s *seals) key(from, to string) cipher.AEAD {
	block, err := aes.NewCipher(s.ring.Derive("mail from " + from + " to " + to))
	if err != nil {
		panic(fmt.Sprintf("signaling: mail: %v", err)) // only if the key were not 32 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(fmt.Sprintf("signaling: mail: %v", err))
	}
	return aead
}

// out returns the seal for what goes to a node; nil when there are too many.
func (s *seals) out(to string) *seal {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.outs[to]
	if o == nil && len(s.outs) < sealsMost {
		o = &seal{aead: s.key(s.node, to)}
		s.outs[to] = o
	}
	return o
}

func (s *seals) in(from string) *seal {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.ins[from]; i != nil {
		return i
	}
	return &seal{aead: s.key(from, s.node)}
}

// met keeps the seal of a node that has proved to know it.
func (s *seals) met(from string, i *seal) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ins[from] == nil && len(s.ins) >= sealsMost {
		return false
	}
	s.ins[from] = i
	return true
}

// knows tells whether mail to a node can be sealed.
func (s *seals) knows(to string) bool { return s.out(to) != nil }

// seal seals the packet that b ends with: see [link.Config]. One that cannot be sealed is left out.
func (s *seals) seal(to string, b []byte, at int) []byte {
	o := s.out(to)
	if o == nil {
		return b[:at]
	}
	o.number++
	binary.BigEndian.PutUint64(b[at+sealHead:], o.number)
	body := at + sealStart
	return o.aead.Seal(b[:body], nonce(o.number), b[body:], b[at:at+sealHead])
}

// open opens a packet, in its place. One of another installation, of nobody, or that was here before
// is none.
func (s *seals) open(from string, packet []byte) (body []byte, ok bool) {
	if len(packet) < sealStart {
		return nil, false
	}
	i, number := s.in(from), binary.BigEndian.Uint64(packet[sealHead:])
	body, err := i.aead.Open(packet[sealStart:sealStart], nonce(number), packet[sealStart:], packet[:sealHead])
	if err != nil || number <= i.number || (i.number == 0 && !s.met(from, i)) {
		return nil, false
	}
	i.number = number
	return body, true
}

// nonce is the number of a packet as 96 bits: a key closes each number once.
func nonce(number uint64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 4, 12), number)
}
