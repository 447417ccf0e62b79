// Package puzzle makes small pieces of work for browsers, and checks them: a search then costs whoever
// sends many of them more than it costs one person. It is pure: no clock, no store, no goroutine.
//
// A challenge is base64url of what it promises (until when it is good, its number, how many bits,
// random bytes) and an HMAC-SHA256 over that and over the session that it was made for. The browser
// looks for a nonce such that SHA-256(challenge "." nonce) begins with as many zero bits.
//
// Nothing is stored: a session makes one challenge after the other, counts them, and takes a proof
// only of the last one, once. A session lives on one node whichever the browser comes to, so no two
// nodes need to agree on what was solved.
package puzzle

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"math/bits"
	"strings"
	"time"
)

// Within is how long a challenge is good.
const Within = 2 * time.Minute

const (
	randomBytes = 8
	bodyBytes   = 8 + 4 + 1 + randomBytes // until, number, bits, random
	macBytes    = 16
	nonceMost   = 32
)

// Press makes challenges and checks proofs.
type Press struct{ key []byte }

// NewPress returns one; those with the same key understand each other.
func NewPress(key []byte) Press { return Press{key} }

// Make returns the number-th challenge of a session, counted from 1.
func (p Press) Make(session string, number uint32, zeros int, now time.Time) string {
	body := binary.BigEndian.AppendUint64(make([]byte, 0, bodyBytes+macBytes), uint64(now.Add(Within).UnixMilli()))
	body = binary.BigEndian.AppendUint32(body, number)
	body = append(body, byte(zeros)) //nolint:gosec // a Rule has at most 32
	body = body[:bodyBytes]
	_, _ = rand.Read(body[bodyBytes-randomBytes:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(append(body, p.mac([]byte(session), body)...))
}

// Solved returns which challenge of a session proof solves: its number, which the caller takes once at
// the most; 0 when it solves none.
func (p Press) Solved(session, proof string, now time.Time) (number uint32) {
	challenge, nonce, _ := strings.Cut(proof, ".")
	raw, err := base64.RawURLEncoding.Strict().DecodeString(challenge)
	if err != nil || len(raw) != bodyBytes+macBytes || nonce == "" || len(nonce) > nonceMost {
		return 0
	}
	body, mac := raw[:bodyBytes], raw[bodyBytes:]
	if !hmac.Equal(mac, p.mac([]byte(session), body)) {
		return 0
	}
	until := time.UnixMilli(int64(binary.BigEndian.Uint64(body))) //nolint:gosec // made above
	if !now.Before(until) || zerosOf(proof) < int(body[12]) {
		return 0
	}
	return binary.BigEndian.Uint32(body[8:])
}

// mac is over length-prefixed fields, so that no byte of one can pass for one of another.
func (p Press) mac(fields ...[]byte) []byte {
	mac := hmac.New(sha256.New, p.key)
	for _, f := range fields {
		mac.Write(binary.BigEndian.AppendUint32(nil, uint32(len(f)))) //nolint:gosec // fields are short
		mac.Write(f)
	}
	return mac.Sum(nil)[:macBytes]
}

// zerosOf counts the zero bits at the beginning of SHA-256(text).
func zerosOf(text string) (zeros int) {
	for _, b := range sha256.Sum256([]byte(text)) {
		zeros += bits.LeadingZeros8(b)
		if b != 0 {
			break
		}
	}
	return zeros
}
