package signaling

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"parley/internal/keyring"
	"parley/retention"
)

// The server remembers neither whom a browser has met nor where it stood: the browser carries that
// in sealed tokens, each of which opens for its own device only.
const (
	avoidPurpose = "avoid" // body: the tag of a device
	placePurpose = "place" // body: a place
	passPurpose  = "pass"  // body: a pass as JSON

	passTime  = 24 * time.Hour            // how long after its beginning a call can be come back to
	blockTime = 10 * 365 * 24 * time.Hour // "as long as the device's token stays": for ever, as far as anybody knows

	// placeTime is how long a place may be used after it was told: the grace of the session that is
	// lost with it, and a minute to come back.
	placeTime = Grace + time.Minute
	// placeRenew is how often a waiting browser is told a fresh one.
	placeRenew = 30 * time.Second

	maxAvoid = 128
)

// token is what a browser resumes with: whoever has it is that browser. It names the session and its
// node, so that any node knows where to bring the socket.
type token struct{ node, session, secret string }

func (t token) String() string { return t.node + t.session + t.secret }

func parseToken(s string) (t token, ok bool) {
	if len(s) != 3*idLength {
		return token{}, false
	}
	return token{s[:idLength], s[idLength : 2*idLength], s[2*idLength:]}, true
}

// place is a place in the queue, and whose it is: it counts in the session that was told of it, until
// that is in a call, and elsewhere once that session is gone.
type place struct {
	arrived time.Time
	session string // its id
	calls   uint32 // how many it has had
}

// tokens seals and opens them.
type tokens struct{ ring *keyring.Ring }

func (t tokens) sealAvoid(now time.Time, device, peerTag string, lasts time.Duration) string {
	return t.ring.Seal(avoidPurpose, device, now.Add(lasts), []byte(peerTag))
}

// openAvoid returns the tags of those tokens that are ours, this device's, and not expired. The
// others mean nothing and are no error: a browser may carry them for long.
func (t tokens) openAvoid(now time.Time, device string, sealed []string) []string {
	var tags []string
	for _, token := range sealed {
		if tag, err := t.ring.Open(avoidPurpose, device, now, token); err == nil {
			tags = append(tags, string(tag))
		}
	}
	return tags
}

// sealPlace and openPlace are told the time by the clock of the store, which all nodes share.
func (t tokens) sealPlace(now time.Time, device string, p place) string {
	body := binary.BigEndian.AppendUint64(nil, uint64(p.arrived.UnixMicro()))
	body = binary.BigEndian.AppendUint32(body, p.calls)
	expires := now.Add(placeTime)
	if last := p.arrived.Add(retention.LongestWait); last.Before(expires) {
		expires = last
	}
	return t.ring.Seal(placePurpose, device, expires, append(body, p.session...))
}

// openPlace returns no place for one that is not ours or over.
func (t tokens) openPlace(now time.Time, device, sealed string) place {
	body, err := t.ring.Open(placePurpose, device, now, sealed)
	if err != nil || len(body) < 12 {
		return place{}
	}
	return place{
		arrived: time.UnixMicro(int64(binary.BigEndian.Uint64(body))), //nolint:gosec // as it was sealed
		calls:   binary.BigEndian.Uint32(body[8:]), session: string(body[12:]),
	}
}

func (t tokens) sealPass(p pass) string {
	body, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("signaling: encode pass: %v", err)) // strings always marshal
	}
	return t.ring.Seal(passPurpose, p.Device.Token, p.until(), body)
}

// until is when p ends.
func (p pass) until() time.Time { return time.Unix(p.Until, 0) }

// began is when the call of p began.
func (p pass) began() time.Time { return p.until().Add(-passTime) }

// openPass returns nil for a pass that is not ours, not this device's, or too old.
func (t tokens) openPass(now time.Time, device, sealed string) *pass {
	body, err := t.ring.Open(passPurpose, device, now, sealed)
	if err != nil {
		return nil
	}
	p := new(pass)
	if json.Unmarshal(body, p) != nil {
		return nil
	}
	return p
}

// valid tells whether the fields of hello have the shape that the table says. An age ticket that is
// none is as good as no ticket.
func (m Hello) valid() bool {
	return isDevice(m.Device) && (m.Digest == "" || isDevice(m.Digest))
}

// isDevice tells whether s is a SHA-256 digest as base64url without padding.
func isDevice(s string) bool {
	digest, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(digest) == 32
}
