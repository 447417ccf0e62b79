package turn

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// Quotas bound what anybody can take. A zero value means the default beside it.
type Quotas struct {
	PerCredential int           // relays alive for one credential: 8 (a browser makes one for each URL and interface)
	Relays        int           // relays alive: 4096
	Streams       int           // TCP connections: 2048
	StreamsPer    int           // TCP connections from one address (IPv4) or /64 (IPv6): 64
	VoiceRate     int           // bytes/s each way through a Veil relay: 32 KiB (256 kbit/s)
	RoomRate      int           // bytes/s each way through an Open relay: 384 KiB (3 Mbit/s)
	CallTime      time.Duration // age at which a relay takes no more requests: 4 h
	Challenges    int           // unauthenticated answers/s for a /24 (IPv4) or /56 (IPv6): 50
}

// Bounds that no operator needs to turn.
const (
	burst          = 64 << 10 // bytes a relay may carry at once
	maxPermissions = 16       // peers of a relay
	maxChannels    = 8        // channels of a relay
)

func (q Quotas) orDefaults() Quotas {
	set := func(v *int, otherwise int) {
		if *v == 0 {
			*v = otherwise
		}
	}
	set(&q.PerCredential, 8)
	set(&q.Relays, 4096)
	set(&q.Streams, 2048)
	set(&q.StreamsPer, 64)
	set(&q.VoiceRate, 32<<10)
	set(&q.RoomRate, 384<<10)
	set(&q.Challenges, 50)
	if q.CallTime == 0 {
		q.CallTime = 4 * time.Hour
	}
	return q
}

// ledger counts the relays of each user name. A place is taken before a relay is made and given
// back when it ends, or when it was not made after all.
type ledger struct {
	each, all int

	mu    sync.Mutex // guards the following fields
	users map[string]int
	total int
}

func (l *ledger) take(user string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.total >= l.all || l.users[user] >= l.each {
		return false
	}
	l.total++
	l.users[user]++
	return true
}

func (l *ledger) give(user string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	if l.users[user]--; l.users[user] == 0 {
		delete(l.users, user)
	}
}

// bucket is a token bucket.
type bucket struct {
	mu   sync.Mutex // guards the following fields
	left float64
	at   time.Time
}

// take takes n of what rate a second and size at once allow, or nothing.
func (b *bucket) take(n, rate, size int, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.at.IsZero() {
		b.left = float64(size)
	} else {
		b.left = min(float64(size), b.left+now.Sub(b.at).Seconds()*float64(rate))
	}
	b.at = now
	if b.left < float64(n) {
		return false
	}
	b.left -= float64(n)
	return true
}

// throttle bounds what strangers are answered, by network. Networks share buckets by a keyed hash:
// its size never changes, whoever knocks.
type throttle struct {
	rate    int
	seed    maphash.Seed
	buckets [4096]bucket
}

func newThrottle(rate int) *throttle { return &throttle{rate: rate, seed: maphash.MakeSeed()} }

func (t *throttle) allow(a netip.Addr, now time.Time) bool {
	bits := 56
	if a.Is4() {
		bits = 24
	}
	network, err := a.WithZone("").Prefix(bits)
	if err != nil {
		return false
	}
	slot := maphash.Comparable(t.seed, network) % uint64(len(t.buckets))
	return t.buckets[slot].take(1, t.rate, 2*t.rate, now)
}
