package turn

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/pion/stun/v3"
)

// pion's nonces are good for whoever has one: with a credential of one's own and a nonce from
// one's own address one could make a relay in the name of a forged address, and have it sent a
// call's media. So a nonce leaves with a tag of the address that it is sent to (RFC 8656 section 5
// lets the server do so), and a request goes on to pion only with the tag of the address it came
// from. The tag is taken off and the request signed anew, because pion must not see it and the
// signature covers it.

// tagSize is the length of a tag in characters.
const tagSize = 16

// tagger makes the tags.
type tagger struct{ key [32]byte }

func newTagger() *tagger {
	t := &tagger{}
	rand.Read(t.key[:]) // never fails (crypto/rand)
	return t
}

func (t *tagger) tag(nonce string, c client) string {
	mac := hmac.New(sha256.New, t.key[:])
	addr := c.addr.Addr().As16()
	mac.Write(addr[:])
	mac.Write(binary.BigEndian.AppendUint16(nil, c.addr.Port()))
	if c.stream {
		mac.Write([]byte("stream"))
	}
	mac.Write([]byte(nonce))
	return hex.EncodeToString(mac.Sum(nil))[:tagSize]
}

// tagged adds the tag to the nonce of an answer, if it has one.
func (t *tagger) tagged(b []byte, to client) []byte {
	m := stun.New()
	if stun.Decode(b, m) != nil || !m.Contains(stun.AttrNonce) || m.Contains(stun.AttrMessageIntegrity) {
		return b
	}
	out := again(m)
	for _, a := range m.Attributes {
		if a.Type == stun.AttrNonce {
			a.Value = append(slices.Clip(a.Value), t.tag(string(a.Value), to)...)
		}
		out.Add(a.Type, a.Value)
	}
	return out.Raw
}

// again begins a message with the head of m.
func again(m *stun.Message) *stun.Message {
	out := stun.New()
	out.TransactionID, out.Type = m.TransactionID, m.Type
	out.WriteHeader()
	return out
}

// untag rewrites a signed request in place for pion. With the wrong tag its nonce becomes one that
// pion calls stale; with the right one it is signed anew if the signature was right, and else stays
// wrong. The length stays the same.
func (g *gate) untag(b []byte, live *relay) {
	m := stun.New()
	if stun.Decode(b, m) != nil {
		return
	}
	nonce, err := m.Get(stun.AttrNonce)
	if err != nil || len(nonce) <= tagSize {
		return // none, or none of ours
	}
	inner, tag := string(nonce[:len(nonce)-tagSize]), string(nonce[len(nonce)-tagSize:])
	var key []byte
	if !hmac.Equal([]byte(tag), []byte(g.server.tagger.tag(inner, g.from))) {
		inner = strings.Repeat("0", len(inner))
	} else if key = g.keyOf(live); key != nil && !verified(b, key) {
		key = nil
	}
	out, left := again(m), len(b)
	for _, a := range m.Attributes {
		if a.Type == stun.AttrMessageIntegrity {
			break
		}
		if a.Type == stun.AttrNonce {
			a.Value = []byte(inner)
		}
		out.Add(a.Type, a.Value)
	}
	const signature, head = 24, 4
	if left -= len(out.Raw) + signature; left >= head {
		out.Add(stun.AttrSoftware, make([]byte, left-head)) // as long as before
	}
	if key == nil {
		out.Add(stun.AttrMessageIntegrity, make([]byte, signature-head))
	} else if stun.MessageIntegrity(key).AddTo(out) != nil {
		return
	}
	if len(out.Raw) == len(b) {
		copy(b, out.Raw)
	}
}

// keyOf is the key with which the request at hand should be signed, nil if nobody may send it.
func (g *gate) keyOf(live *relay) []byte {
	if live != nil {
		return live.key
	}
	what, why := g.server.identify(g.now.user)
	if why != granted {
		return nil
	}
	return g.server.keyFor(g.now.user, what).key
}
