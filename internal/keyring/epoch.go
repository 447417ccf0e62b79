package keyring

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"time"
)

const (
	// Week is how long one epoch lasts. Weeks are counted from 1 January 1970, 0:00 UTC.
	Week = 7 * 24 * time.Hour
	// KeptFor is how long after its week a key is kept: until nothing made under it is left.
	KeptFor = 30 * 24 * time.Hour
	// MaxEpochs is how many keys there are at a time, the one that is made ahead included.
	MaxEpochs = 6
)

// WeekOf returns the number of the week of t.
func WeekOf(t time.Time) int64 { return floor(t.Unix(), int64(Week/time.Second)) }

// DayOf returns the number of the day of t, counted in the same way. A day lies in one week.
func DayOf(t time.Time) int64 { return floor(t.Unix(), 24*3600) }

func floor(n, by int64) int64 {
	if n < 0 {
		n -= by - 1
	}
	return n / by
}

// Epoch is the key of one week. It is random and follows from nothing, so that once it is destroyed
// nobody can tell what was named under it.
type Epoch struct {
	Week   int64
	key    []byte
	marker *marker
}

func epochOf(week int64, key []byte) Epoch { return Epoch{week, key, newMarker(key)} }

// newEpoch makes the key of a week.
func newEpoch(week int64) Epoch {
	key := make([]byte, rootSize)
	rand.Read(key) // never fails (crypto/rand)
	return epochOf(week, key)
}

// Due is when the key must be destroyed.
func (e Epoch) Due() time.Time { return time.Unix((e.Week+1)*int64(Week/time.Second), 0).Add(KeptFor) }

// Begins is when the first thing may be named under it.
func (e Epoch) Begins() time.Time { return time.Unix(e.Week*int64(Week/time.Second), 0) }

// Mark returns HMAC-SHA256 over a purpose and parts, each length-prefixed.
func (e Epoch) Mark(purpose string, parts ...string) []byte {
	w := e.marker.begin()
	defer e.marker.end(w)
	w.add(purpose)
	w.add(parts...)
	return w.mark(nil)
}

// Name is the first 12 bytes of Mark as 16 characters of base64url, for a key in Redis.
func (e Epoch) Name(purpose string, parts ...string) string {
	w := e.marker.begin()
	defer e.marker.end(w)
	w.add(purpose)
	w.add(parts...)
	return w.tag(12)
}

// Fingerprint tells two keys apart and says nothing about either.
func (e Epoch) Fingerprint() string {
	return base64.RawURLEncoding.EncodeToString(e.Mark("fingerprint")[:9])
}

// Day returns the key of one day, derived from that of its week: it is gone when that is.
func (e Epoch) Day(number int64) Epoch {
	key, err := hkdf.Key(sha256.New, e.key, nil, "parley day "+strconv.FormatInt(number, 10), rootSize)
	if err != nil {
		panic(fmt.Sprintf("keyring: %v", err)) // only if 32 bytes were too many for SHA-256
	}
	return epochOf(e.Week, key)
}

// Ring returns the ring that seals and opens under this key, for what must be unreadable once it is
// destroyed.
func (e Epoch) Ring() *Ring { return &Ring{root: e.key} }

// Live are the epochs that count at one time: those whose keys are not due, the newest first. The
// first may be that of the week to come.
type Live []Epoch

// Current returns the epoch under which new things are named at t: that of its week, or the newest
// before it when that is missing. False when there is none.
func (l Live) Current(t time.Time) (Epoch, bool) {
	week := WeekOf(t)
	for _, e := range l {
		if e.Week <= week {
			return e, true
		}
	}
	return Epoch{}, false
}

// Week returns the epoch of that week.
func (l Live) Week(week int64) (Epoch, bool) {
	i := slices.IndexFunc(l, func(e Epoch) bool { return e.Week == week })
	if i < 0 {
		return Epoch{}, false
	}
	return l[i], true
}

// at returns those that are not due at t.
func (l Live) at(t time.Time) Live {
	n := len(l)
	for n > 0 && !t.Before(l[n-1].Due()) {
		n--
	}
	return l[:n:n]
}

// tend returns what the ring should be at t: without keys that are due, with that of this week, and
// with that of the next as soon as there is room. It answers itself when nothing is to be done.
func (l Live) tend(t time.Time) Live {
	kept, week := l.at(t), WeekOf(t)
	for _, want := range []int64{week, week + 1} {
		if _, there := kept.Week(want); !there && (want == week || len(kept) < MaxEpochs) {
			kept = append(slices.Clone(kept), newEpoch(want))
			slices.SortFunc(kept, func(a, b Epoch) int { return int(b.Week - a.Week) })
		}
	}
	return kept
}

// same tells whether two rings have the same keys.
func (l Live) same(other Live) bool {
	return slices.EqualFunc(l, other, func(a, b Epoch) bool { return a.Week == b.Week && hmac.Equal(a.key, b.key) })
}
