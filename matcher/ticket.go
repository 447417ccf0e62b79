package matcher

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/retention"
)

// Limits of a ticket.
const (
	MaxLanguages = 5
	MaxInterests = 5
	MaxAvoid     = 128
	maxBand      = 9

	idLength     = 22
	idBytes      = 16
	widensDigits = 8

	earliest, latest = 9e14, 1e16 - 1 // microseconds: 1998, before which no time can be stored, and 2286
	tagLength        = 12
	idAlphabet       = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
)

// Ticket is one search of one browser.
type Ticket struct {
	ID        string    // [NewID]; used for this search only
	Device    string    // keyed tag of the browser's device
	Languages []string  // 1 to 5, the preferred first
	Interests []string  // 0 to 5; none means anything
	Strict    bool      // keep to the first language and the chosen interests
	Band      int       // risk band of the device, 0 to 9
	Meets     []int     // bands it may meet, the preferred first
	Avoid     []string  // tags of devices not to meet
	Arrived   time.Time // zero: now; else the place kept from an earlier ticket, see [Waiting]
}

// NewID returns 128 random bits as 22 characters, for a ticket, a match or a node.
func NewID() string {
	var id [idBytes]byte
	rand.Read(id[:]) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(id[:])
}

// FieldError says which field of a ticket is not allowed, and what is.
type FieldError struct {
	Field   string // as in the protocol: "languages", "interests", ...
	Allowed string
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Allowed }

// Validate returns a [*FieldError] for the first field that is not allowed.
func (t Ticket) Validate() error {
	c := known()
	switch {
	case !isID(t.ID):
		return &FieldError{"id", "22 characters of base64url"}
	case !isTag(t.Device):
		return &FieldError{"device", "12 characters of base64url"}
	case len(t.Languages) == 0 || !chosen(t.Languages, c.tags, MaxLanguages):
		return &FieldError{"languages", fmt.Sprintf("1 to %d different tags of the catalogue, for example %q", MaxLanguages, "en")}
	case !chosen(t.Interests, c.slugs, MaxInterests):
		return &FieldError{"interests", fmt.Sprintf("0 to %d different words of the catalogue, for example %q", MaxInterests, "music")}
	case !isBand(t.Band):
		return &FieldError{"band", fmt.Sprintf("0 to %d", maxBand)}
	case !bands(t.Meets):
		return &FieldError{"meets", fmt.Sprintf("1 to %d different bands, 0 to %d", maxBand+1, maxBand)}
	case len(t.Avoid) > MaxAvoid:
		return &FieldError{"avoid", fmt.Sprintf("at most %d devices", MaxAvoid)}
	}
	for _, device := range t.Avoid {
		if !isTag(device) {
			return &FieldError{"avoid", "12 characters of base64url each"}
		}
	}
	return nil
}

func isID(s string) bool   { return len(s) == idLength && plain(s) }
func isTag(s string) bool  { return len(s) == tagLength && plain(s) }
func isBand(band int) bool { return band >= 0 && band <= maxBand }

// plain says that s cannot break a record or a key.
func plain(s string) bool { return strings.Trim(s, idAlphabet) == "" }

// chosen says that choices are at most limit different members of allowed.
func chosen(choices []string, allowed map[string]bool, limit int) bool {
	if len(choices) > limit {
		return false
	}
	for i, choice := range choices {
		if !allowed[choice] || slices.Contains(choices[:i], choice) {
			return false
		}
	}
	return true
}

func bands(meets []int) bool {
	for i, band := range meets {
		if !isBand(band) || slices.Contains(meets[:i], band) {
			return false
		}
	}
	return len(meets) > 0
}

// request is what join.lua is given of a ticket.
type request struct {
	keys        []string
	terms, wish string
}

func (t Ticket) request(node string, widens time.Duration) request {
	p := placesOf(t)
	pools := p.keys(t.Band)
	names := make([]string, len(pools))
	for i, key := range pools {
		names[i] = strings.TrimPrefix(key, beginning(retention.Pool))
	}
	meets := make([]string, len(t.Meets))
	for i, band := range t.Meets {
		meets[i] = strconv.Itoa(band)
	}
	wish := strings.Join([]string{
		fmt.Sprintf("%*d", widensDigits, widens.Microseconds()), t.Device, node,
		fmt.Sprintf("%-*s", MaxInterests, known().letters(t.Interests)),
		strings.TrimPrefix(t.sample(), beginning(retention.Waits)),
		strings.Join(names[:p.near], ","), strings.Join(names[p.near:p.first], ","), strings.Join(names[p.first:], ","),
		list(meets), list(t.Avoid),
	}, ";")
	terms := fmt.Sprintf("%d%d%d%d%2d", p.near, p.first, len(t.Interests), t.Band, len(pools))
	if !t.Arrived.IsZero() || len(t.Meets) > 1 || t.Meets[0] != t.Band {
		terms += strings.Join(meets, "")
	}
	if !t.Arrived.IsZero() {
		terms += fmt.Sprintf("%016d", min(max(earliest, t.Arrived.UnixMicro()), latest))
	}
	return request{append([]string{retention.Ticket.Key(t.ID)}, pools...), terms, wish}
}

// sample returns the key under which the wait is recorded: in the first language, for one of the
// interests chosen, picked by the random ID, so that each gets a fair sample at the cost of one.
func (t Ticket) sample() string {
	interest := everything
	if n := len(t.Interests); n > 0 {
		interest = t.Interests[int(t.ID[0])%n]
	}
	return retention.Waits.Key(t.Languages[0], interest)
}

// list writes ",a,b,", so that ",a," is found whatever its place; "," if there is none.
func list(parts []string) string {
	if len(parts) == 0 {
		return ","
	}
	return "," + strings.Join(parts, ",") + ","
}
