// Package envelope seals what two browsers say to each other, as web/app/seal.js does: an X25519
// key for one call in a box of kind 1, then AES-256-GCM with a key for each direction from
// HKDF-SHA-256 over both public keys, the room and both member ids. The nonce is the number of the
// envelope, which with room, sender and receiver is authenticated too.
//
//	box    = version kind body, base64url
//	kind 1 = public key, 32 bytes
//	kind 2 = AES-GCM of: length (2 bytes) text zeros, padded to one of four sizes
package envelope

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

const (
	version   = 1
	keyBox    = 1
	sealedBox = 2
	tag       = 16
	window    = 64 // envelopes may overtake one another by so many
)

// sizes returns what plain texts are padded to.
func sizes() []int { return []int{512, 2048, 8192, 23000} }

// ErrRepeated is the error of an envelope that was opened before, or is too old to tell.
var ErrRepeated = errors.New("envelope repeated or too old")

// Seal is one end of a sealed conversation.
type Seal struct {
	room, me, peer string
	secret         *ecdh.PrivateKey
	theirs         []byte
	send, receive  cipher.AEAD
	seq            uint64
	newest         uint64
	opened         uint64 // bit i: newest-i was opened
}

// New begins a conversation with the secret of one call, 32 random bytes.
func New(room, me, peer string, secret []byte) (*Seal, error) {
	key, err := ecdh.X25519().NewPrivateKey(secret)
	if err != nil {
		return nil, fmt.Errorf("secret of an envelope: %w", err)
	}
	return &Seal{room: room, me: me, peer: peer, secret: key}, nil
}

// Ready tells whether the peer's key is known, so that Seal and Open work.
func (s *Seal) Ready() bool { return s.send != nil }

// Hello is the box with the public key. It may be sent again, always with a new number.
func (s *Seal) Hello() (seq uint64, box string) {
	s.seq++
	return s.seq, encode(append([]byte{version, keyBox}, s.secret.PublicKey().Bytes()...))
}

// Seal closes text for the peer.
func (s *Seal) Seal(text string) (seq uint64, box string, err error) {
	if s.send == nil {
		return 0, "", errors.New("the peer has sent no key yet")
	}
	all := sizes()
	at := slices.IndexFunc(all, func(size int) bool { return len(text)+2 <= size })
	if at < 0 {
		return 0, "", errors.New("too long for an envelope")
	}
	b := make([]byte, 2+all[at], 2+all[at]+tag)
	b[0], b[1] = version, sealedBox
	plain := b[2:]
	binary.BigEndian.PutUint16(plain, uint16(len(text))) //nolint:gosec // at most 23000
	copy(plain[2:], text)
	s.seq++
	sealed := s.send.Seal(plain[:0], nonce(s.seq), plain, s.bound(s.me, s.peer, s.seq))
	return s.seq, encode(b[:2+len(sealed)]), nil
}

// Early tells whether a box is sealed with a key that has not come yet: it was overtaken, and opens
// later.
func (s *Seal) Early(box string) bool {
	b, err := base64.RawURLEncoding.DecodeString(box)
	return s.receive == nil && err == nil && len(b) > 2 && b[0] == version && b[1] == sealedBox
}

// Open returns the text of a box of the peer, or "" when it held the peer's key.
func (s *Seal) Open(seq uint64, box string) (string, error) {
	b, err := base64.RawURLEncoding.DecodeString(box)
	if err != nil {
		return "", fmt.Errorf("envelope is not base64url: %w", err)
	}
	switch {
	case len(b) < 2 || b[0] != version:
		return "", errors.New("envelope of another version")
	case b[1] == keyBox:
		return "", s.meet(b[2:])
	case b[1] != sealedBox:
		return "", fmt.Errorf("envelope of kind %d", b[1])
	case s.receive == nil:
		return "", errors.New("sealed before its key")
	case !s.fresh(seq):
		return "", ErrRepeated
	}
	plain, err := s.receive.Open(b[2:2], nonce(seq), b[2:], s.bound(s.peer, s.me, seq))
	if err != nil {
		return "", fmt.Errorf("envelope %d: %w", seq, err)
	}
	s.note(seq)
	return unpad(plain)
}

func (s *Seal) fresh(seq uint64) bool {
	if seq == 0 || seq+window <= s.newest {
		return false
	}
	return seq > s.newest || s.opened>>(s.newest-seq)&1 == 0
}

func (s *Seal) note(seq uint64) {
	if seq > s.newest {
		s.opened <<= min(seq-s.newest, window)
		s.newest = seq
	}
	s.opened |= 1 << (s.newest - seq)
}

// meet takes the peer's public key and derives one key for each direction. The first one holds.
func (s *Seal) meet(theirs []byte) error {
	if s.theirs != nil {
		if !slices.Equal(s.theirs, theirs) {
			return errors.New("a second key of the same peer")
		}
		return nil
	}
	public, err := ecdh.X25519().NewPublicKey(theirs)
	if err != nil {
		return fmt.Errorf("key of the peer: %w", err)
	}
	shared, err := s.secret.ECDH(public)
	if err != nil {
		return fmt.Errorf("key of the peer: %w", err)
	}
	mine := s.secret.PublicKey().Bytes()
	said := [][]byte{[]byte(s.room), []byte(s.me), []byte(s.peer), mine, theirs}
	if s.me > s.peer {
		said = [][]byte{[]byte(s.room), []byte(s.peer), []byte(s.me), theirs, mine}
	}
	transcript := sha256.Sum256(listed(said...))
	send, err := direction(shared, transcript[:], s.me, s.peer)
	if err != nil {
		return err
	}
	receive, err := direction(shared, transcript[:], s.peer, s.me)
	if err != nil {
		return err
	}
	s.theirs, s.send, s.receive = slices.Clone(theirs), send, receive
	return nil
}

func direction(shared, salt []byte, from, to string) (cipher.AEAD, error) {
	info := listed([]byte("parley seal1"), []byte(from), []byte(to))
	key, err := hkdf.Key(sha256.New, shared, salt, string(info), 32)
	if err != nil {
		return nil, fmt.Errorf("key of a direction: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("key of a direction: %w", err)
	}
	return cipher.NewGCM(block)
}

func (s *Seal) bound(from, to string, seq uint64) []byte {
	return fmt.Appendf(nil, "parley seal1|%s|%s|%s|%d", s.room, from, to, seq)
}

func nonce(seq uint64) []byte { return binary.BigEndian.AppendUint64(make([]byte, 4, 12), seq) }

// listed joins parts so that no two lists give the same bytes.
func listed(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = binary.BigEndian.AppendUint16(b, uint16(len(p))) //nolint:gosec // ids and keys are short
		b = append(b, p...)
	}
	return b
}

func unpad(plain []byte) (string, error) {
	if !slices.Contains(sizes(), len(plain)) {
		return "", errors.New("badly padded envelope")
	}
	length := int(binary.BigEndian.Uint16(plain))
	if length > len(plain)-2 {
		return "", errors.New("badly padded envelope")
	}
	return string(plain[2 : 2+length]), nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
