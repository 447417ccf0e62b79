package keyring

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"sync"
)

// marker makes marks under one key: HMAC-SHA256 (RFC 2104) over parts, each length-prefixed, so that
// ("ab","c") and ("a","bc") differ. To take up a key costs more than to hash a short text, and each
// search marks a dozen, so keys that were taken up lie ready. Safe for concurrent use.
type marker struct {
	ready sync.Pool // of *marking
}

type marking struct {
	mac  hash.Hash
	text []byte // what is marked; empty between two marks

	sum, name []byte // what tag writes into
}

func newMarker(key []byte) *marker {
	return &marker{sync.Pool{New: func() any {
		w := &marking{mac: hmac.New(sha256.New, key)}
		w.mac.Reset() // from the second time on this wipes what was hashed, too
		return w
	}}}
}

// begin takes up the key. What it returns goes back by end.
func (m *marker) begin() *marking {
	return m.ready.Get().(*marking) //nolint:forcetypeassert // there is nothing else
}

func (m *marker) end(w *marking) { m.ready.Put(w) }

func (w *marking) add(parts ...string) {
	for _, p := range parts {
		w.text = binary.BigEndian.AppendUint32(w.text, uint32(len(p))) //nolint:gosec // parts are short
		w.text = append(w.text, p...)
	}
}

// mark appends the 32 bytes of the mark to b, and keeps nothing of the text.
func (w *marking) mark(b []byte) []byte {
	w.mac.Write(w.text)
	clear(w.text)
	w.text = w.text[:0]
	b = w.mac.Sum(b)
	w.mac.Reset()
	return b
}

// tag returns the first n bytes of the mark in base64url.
func (w *marking) tag(n int) string {
	w.sum = w.mark(w.sum[:0])
	w.name = base64.RawURLEncoding.AppendEncode(w.name[:0], w.sum[:n])
	return string(w.name)
}
