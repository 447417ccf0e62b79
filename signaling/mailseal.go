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
// could read it, or write some of their own. So it is sealed with AES-256-GCM under a key for each
// direction between two processes, derived from the installation's; the nonce counts up, and what
// was read once is not read again.

// seals are the keys of this node with the others. Safe for concurrent use. They stay when a node
// dies, since it may only have been frozen: a number that is used twice would give the key away.
type seals struct {
	ring *keyring.Ring
	node string

	mu   sync.Mutex // guards the following: one for each node that was ever met, sealsMost at most
	outs map[string]*outSeal
	ins  map[string]*inSeal
}

// sealsMost is how many other nodes a node can meet in its life. Each takes about a kilobyte; beyond
// it a node must be started again to meet more.
const sealsMost = 16384

// outSeal closes mail to one node. Its mutex keeps the numbers in the order of sending.
type outSeal struct {
	mu     sync.Mutex // guards the following field
	number uint64
	aead   cipher.AEAD
}

// inSeal opens mail of one node. The link brings it by one goroutine.
type inSeal struct {
	last uint64
	aead cipher.AEAD
}

// numberBytes stand before sealed mail.
const numberBytes = 8

func newSeals(ring *keyring.Ring, node string) *seals {
	return &seals{ring: ring, node: node, outs: map[string]*outSeal{}, ins: map[string]*inSeal{}}
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

func (s *seals) out(to string) *outSeal {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.outs[to]
	if o == nil && len(s.outs) < sealsMost {
		o = &outSeal{aead: s.key(s.node, to)}
		s.outs[to] = o
	}
	return o
}

func (s *seals) in(from string) *inSeal {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.ins[from]; i != nil {
		return i
	}
	return &inSeal{aead: s.key(from, s.node)}
}

// met keeps the key of a node that has proved to know it.
func (s *seals) met(from string, i *inSeal) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ins[from] == nil && len(s.ins) >= sealsMost {
		return false
	}
	s.ins[from] = i
	return true
}

// send closes mail and gives it to post, which must not block.
func (s *seals) send(to string, mail []byte, post func(to string, sealed []byte) bool) bool {
	o := s.out(to)
	if o == nil {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.number++ // also of what post refuses: no number closes two letters
	sealed := make([]byte, numberBytes, numberBytes+len(mail)+o.aead.Overhead())
	binary.BigEndian.PutUint64(sealed, o.number)
	return post(to, o.aead.Seal(sealed, nonce(o.number), mail, nil))
}

// open opens mail. Mail of another installation, of nobody, or that was here before is an error.
func (s *seals) open(from string, sealed []byte) ([]byte, error) {
	if len(sealed) < numberBytes {
		return nil, errMail
	}
	i, number := s.in(from), binary.BigEndian.Uint64(sealed)
	mail, err := i.aead.Open(nil, nonce(number), sealed[numberBytes:], nil)
	if err != nil || number <= i.last || (i.last == 0 && !s.met(from, i)) {
		return nil, errMail
	}
	i.last = number
	return mail, nil
}

// nonce is the number of mail as 96 bits: a key closes each number once.
func nonce(number uint64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 4, 12), number)
}
