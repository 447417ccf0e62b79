package moderation

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// Device is what is known of a browser while its session lasts. Nothing of it is stored as it is.
type Device struct {
	// Token names the installation: base64url(SHA-256(install token)), 43 characters.
	Token string
	// Digest names what browsers of its kind have in common, in the same shape; empty when the page
	// sends none, or when only tokens count.
	Digest string
	// Net is what the door makes of the address: a keyed mark of 16 characters of its /24 or /48,
	// never the address; empty when unknown.
	Net string
	// Fresh says that no good age ticket came with it, or one less than 24 hours old.
	Fresh bool
}

const (
	agePurpose = "age ticket"
	youth      = 24 * time.Hour
	ageSize    = 4 + 16 // hours since 1970, big-endian; the first half of a MAC
)

// Age opens the age ticket of a browser. Fresh is false when the ticket is ours, made for this
// token, and at least 24 hours old. A browser that brings none, or one that is not good, gets keep
// to store, and is fresh from now on; else keep is empty. Nothing is remembered here: the ticket
// holds the hour in which the token was first seen, and a MAC over both.
func (d *Desk) Age(token, ticket string, now time.Time) (fresh bool, keep string) {
	if hour, good := d.openAge(token, ticket); good {
		return now.Sub(time.Unix(int64(hour)*3600, 0)) < youth+time.Hour, ""
	}
	return true, d.sealAge(token, uint32(now.Unix()/3600)) //nolint:gosec // until the year 491,000
}

func (d *Desk) sealAge(token string, hour uint32) string {
	raw := binary.BigEndian.AppendUint32(make([]byte, 0, ageSize), hour)
	mac := d.ring.Mark(agePurpose, token, string(raw))
	return base64.RawURLEncoding.EncodeToString(append(raw, mac[:ageSize-len(raw)]...))
}

func (d *Desk) openAge(token, ticket string) (hour uint32, good bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(ticket)
	if err != nil || len(raw) != ageSize {
		return 0, false
	}
	mac := d.ring.Mark(agePurpose, token, string(raw[:4]))
	return binary.BigEndian.Uint32(raw), hmac.Equal(raw[4:], mac[:ageSize-4])
}
