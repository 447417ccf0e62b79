package e2e_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// envelope is one end of a sealed conversation, written from the comment of web/app/seal.js: what
// a dishonest server would have to write to pose as the peer of each browser.
type envelope struct {
	room, me, peer string
	secret         *ecdh.PrivateKey
	send, receive  cipher.AEAD
	seq            uint64
}

const (
	sealVersion = 1
	keyBox      = 1
	sealedBox   = 2
)

func newEnvelope(room, me, peer string) (*envelope, error) {
	secret, err := ecdh.X25519().GenerateKey(rand.Reader)
	return &envelope{room: room, me: me, peer: peer, secret: secret}, err
}

// hello is the box that carries the public key.
func (e *envelope) hello() (seq uint64, box string) {
	e.seq++
	return e.seq, encodeBox(append([]byte{sealVersion, keyBox}, e.secret.PublicKey().Bytes()...))
}

// seal closes text for the peer.
func (e *envelope) seal(text string) (seq uint64, box string, err error) {
	if e.send == nil {
		return 0, "", errors.New("no key yet")
	}
	size := slices.IndexFunc([]int{512, 2048, 8192, 23000}, func(s int) bool { return len(text)+2 <= s })
	if size < 0 {
		return 0, "", errors.New("too long")
	}
	plain := make([]byte, []int{512, 2048, 8192, 23000}[size])
	binary.BigEndian.PutUint16(plain, uint16(len(text)))
	copy(plain[2:], text)
	e.seq++
	sealed := e.send.Seal(nil, sealNonce(e.seq), plain, e.bound(e.me, e.peer, e.seq))
	return e.seq, encodeBox(append([]byte{sealVersion, sealedBox}, sealed...)), nil
}

// open reads a box of the peer: its text, or "" when it was the peer's key.
func (e *envelope) open(seq uint64, box string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(box)
	if err != nil || len(raw) < 2 || raw[0] != sealVersion {
		return "", fmt.Errorf("bad box (%w)", err)
	}
	if raw[1] == keyBox {
		return "", e.meet(raw[2:])
	}
	if e.receive == nil {
		return "", errors.New("sealed before its key")
	}
	plain, err := e.receive.Open(nil, sealNonce(seq), raw[2:], e.bound(e.peer, e.me, seq))
	if err != nil {
		return "", err
	}
	return string(plain[2 : 2+binary.BigEndian.Uint16(plain)]), nil
}

// meet takes the peer's public key and derives one key for each direction.
func (e *envelope) meet(theirs []byte) error {
	public, err := ecdh.X25519().NewPublicKey(theirs)
	if err != nil {
		return err
	}
	secret, err := e.secret.ECDH(public)
	if err != nil {
		return err
	}
	mine := e.secret.PublicKey().Bytes()
	said := [][]byte{[]byte(e.room), []byte(e.me), []byte(e.peer), mine, theirs}
	if e.me > e.peer {
		said = [][]byte{[]byte(e.room), []byte(e.peer), []byte(e.me), theirs, mine}
	}
	transcript := sha256.Sum256(listed(said...))
	direction := func(from, to string) (cipher.AEAD, error) {
		info := listed([]byte("parley seal1"), []byte(from), []byte(to))
		key, err := hkdf.Key(sha256.New, secret, transcript[:], string(info), 32)
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		return cipher.NewGCM(block)
	}
	if e.send, err = direction(e.me, e.peer); err != nil {
		return err
	}
	e.receive, err = direction(e.peer, e.me)
	return err
}

func (e *envelope) bound(from, to string, seq uint64) []byte {
	return fmt.Appendf(nil, "parley seal1|%s|%s|%s|%d", e.room, from, to, seq)
}

func sealNonce(seq uint64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 4), seq)
}

func listed(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = binary.BigEndian.AppendUint16(b, uint16(len(p)))
		b = append(b, p...)
	}
	return b
}

func encodeBox(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
