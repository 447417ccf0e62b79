// Package keyring holds the installation's secret, which never enters Redis, and what is derived
// from it: keyed marks (one way) and sealed tokens that a browser carries so that the server need
// not remember them.
//
// All keys come from one 32-byte root by HKDF-SHA256 (RFC 5869), one for each purpose, so that a
// token made for one purpose opens for no other.
package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"
)

const rootSize = 32

// Ring is the installation's secret. Safe for concurrent use.
type Ring struct {
	root    []byte
	markers sync.Map // of *marker by purpose; there are few purposes, and each has one key
}

// New returns a ring with a random root, for tests and for a trial that keeps no state.
func New() *Ring {
	root := make([]byte, rootSize)
	rand.Read(root) // never fails (crypto/rand)
	return &Ring{root: root}
}

// Derive returns a 32-byte key for one purpose, for example the relay's credential secret.
func (r *Ring) Derive(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, r.root, nil, "parley "+purpose, 32)
	if err != nil {
		panic(fmt.Sprintf("keyring: %v", err)) // only if 32 bytes were too many for SHA-256
	}
	return key
}

// Mark returns HMAC-SHA256 over parts under the key of purpose. Parts are length-prefixed, so
// ("ab","c") and ("a","bc") differ. A purpose is a word of the program, never made of what comes in:
// its key is remembered.
func (r *Ring) Mark(purpose string, parts ...string) []byte {
	m := r.marker(purpose)
	w := m.begin()
	defer m.end(w)
	w.add(parts...)
	return w.mark(nil)
}

// Tag is the first 9 bytes of Mark as 12 characters of base64url: short enough to stand in a
// record many times, long enough not to collide by chance.
func (r *Ring) Tag(purpose string, parts ...string) string {
	m := r.marker(purpose)
	w := m.begin()
	defer m.end(w)
	w.add(parts...)
	return w.tag(9)
}

func (r *Ring) marker(purpose string) *marker {
	if m, there := r.markers.Load(purpose); there {
		return m.(*marker) //nolint:forcetypeassert // there is nothing else
	}
	m, _ := r.markers.LoadOrStore(purpose, newMarker(r.Derive(purpose)))
	return m.(*marker) //nolint:forcetypeassert // there is nothing else
}

// ErrToken says that a token is not ours, was made for another purpose or owner, or was changed.
var ErrToken = errors.New("token is not valid here")

// ErrExpired says that a token was ours but its time is over.
var ErrExpired = errors.New("token has expired")

// Seal returns body as a token: AES-256-GCM under the key of purpose, a random nonce, base64url
// without padding. Only Open with the same purpose and owner reads it, until expires. The owner
// is not part of the token.
func (r *Ring) Seal(purpose, owner string, expires time.Time, body []byte) string {
	aead := r.aead(purpose)
	nonce := make([]byte, aead.NonceSize())
	rand.Read(nonce)
	plain := binary.BigEndian.AppendUint64(nil, uint64(expires.Unix())) //nolint:gosec // read back the same way
	plain = append(plain, body...)
	return base64.RawURLEncoding.EncodeToString(aead.Seal(nonce, nonce, plain, []byte(owner)))
}

// Open returns the body of a token made by Seal. Errors: ErrToken, ErrExpired.
func (r *Ring) Open(purpose, owner string, now time.Time, token string) ([]byte, error) {
	aead := r.aead(purpose)
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) < aead.NonceSize() {
		return nil, ErrToken
	}
	nonce, box := raw[:aead.NonceSize()], raw[aead.NonceSize():]
	plain, err := aead.Open(nil, nonce, box, []byte(owner))
	if err != nil || len(plain) < 8 {
		return nil, ErrToken
	}
	if expires := binary.BigEndian.Uint64(plain); now.Unix() >= int64(expires) { //nolint:gosec // sealed by us
		return nil, ErrExpired
	}
	return plain[8:], nil
}

func (r *Ring) aead(purpose string) cipher.AEAD {
	block, err := aes.NewCipher(r.Derive("token " + purpose))
	if err != nil {
		panic(fmt.Sprintf("keyring: %v", err)) // only if the key were not 32 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(fmt.Sprintf("keyring: %v", err))
	}
	return aead
}
