package turn

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Quotas bound what anybody can take. A zero value means the default beside it.
type Quotas struct {
	PerCredential int           // relays alive for one credential: 20, see perBrowser; in private rooms 8 times as many, like the next
	PerCall       int           // relays alive for one call, whatever credentials made them: 80 (those of two browsers, old and new ones side by side while they restart)
	PerNetwork    int           // relays alive for a /24 (IPv4) or /56 (IPv6): 256 (a school or a carrier may have all its people behind one address)
	Relays        int           // relays alive: 4096
	Streams       int           // TCP connections: 2048
	Strangers     int           // of these, connections without a relay: 512; with more, who waited longest goes
	StreamsPer    int           // TCP connections from one address (IPv4) or /64 (IPv6): 64
	VoiceRate     int           // bytes/s each way through all Veil relays of a credential: 16,000 (128 kbit/s)
	RoomRate      int           // bytes/s each way through an Open relay: 384 KiB (3 Mbit/s)
	CallTime      time.Duration // age at which a relay takes no more requests: 4 h
	Challenges    int           // unauthenticated answers/s for a /24 (IPv4) or /56 (IPv6): 50
}

// Bounds that no operator needs to turn.
const (
	burst          = 64 << 10 // bytes a relay may carry at once
	maxPermissions = 16       // peers of a relay
	maxChannels    = 8        // channels of a relay
	mesh           = 8        // connections that one browser of a private room may have, instead of one
)

// perBrowser is how many relays an honest browser may make with one credential. It makes one for each
// URL on each interface with an address of the URL's family: of our four URLs those by UDP, TCP and
// TLS over IPv4, those by UDP and TLS over IPv6, so 5 for an interface that has both. Two interfaces
// (a cable and Wi-Fi, or Wi-Fi and a VPN), and twice, as Firefox asks for RTCP too until it knows
// the answer. A browser with more gets its first ones, which are enough.
const perBrowser = 5 * 2 * 2

func (q Quotas) orDefaults() Quotas {
	set := func(v *int, otherwise int) {
		if *v == 0 {
			*v = otherwise
		}
	}
	set(&q.PerCredential, perBrowser)
	set(&q.PerCall, 4*perBrowser)
	set(&q.PerNetwork, 256)
	set(&q.Relays, 4096)
	set(&q.Streams, 2048)
	set(&q.Strangers, 512)
	set(&q.StreamsPer, 64)
	set(&q.VoiceRate, 16_000)
	set(&q.RoomRate, 384<<10)
	set(&q.Challenges, 50)
	if q.CallTime == 0 {
		q.CallTime = 4 * time.Hour
	}
	return q
}

// place is for whom a relay is counted. A browser gets a fresh credential whenever it asks, so its
// user name alone bounds nothing.
type place struct {
	user    string
	call    mark
	network netip.Prefix
	times   int // the quotas of credential and call: 1, or mesh in a private room
}

// placeOf is the place of a relay that u wants at from.
func placeOf(u user, from client) place {
	near, _ := neighbourhood(from.addr.Addr()) // whoever has no address shares the zero Prefix
	times := 1
	if u.grant.kind == Open {
		times = mesh
	}
	return place{user: u.name, call: u.grant.call, network: near, times: times}
}

// neighbourhood is the network that one subscriber may have whole: /24 of IPv4, /56 of IPv6.
func neighbourhood(a netip.Addr) (netip.Prefix, error) {
	bits := 56
	if a.Is4() {
		bits = 24
	}
	return a.WithZone("").Prefix(bits)
}

// verdict is what the ledger says of a place that is wanted.
type verdict int

const (
	taken verdict = iota
	userFull
	callFull
	networkFull
	allFull
)

// account is what the relays of one user name have in common.
type account struct {
	relays         int
	sent, received bucket
}

// ledger counts the relays of each user name, call and network. A place is taken before a relay is
// made and given back when it ends, or when it was not made after all.
type ledger struct {
	perUser, perCall, perNetwork, all int

	mu       sync.Mutex // guards the following fields
	users    map[string]*account
	calls    map[mark]int
	networks map[netip.Prefix]int
	total    int
}

func newLedger(q Quotas) *ledger {
	return &ledger{
		perUser: q.PerCredential, perCall: q.PerCall, perNetwork: q.PerNetwork, all: q.Relays,
		users: map[string]*account{}, calls: map[mark]int{}, networks: map[netip.Prefix]int{},
	}
}

// take takes p, or nothing and says what is full.
func (l *ledger) take(p place) verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	user := l.users[p.user]
	if user == nil {
		user = &account{}
	}
	switch {
	case user.relays >= l.perUser*p.times:
		return userFull
	case l.calls[p.call] >= l.perCall*p.times:
		return callFull
	case l.networks[p.network] >= l.perNetwork:
		return networkFull
	case l.total >= l.all:
		return allFull
	}
	l.total++
	user.relays++
	l.users[p.user] = user
	l.calls[p.call]++
	l.networks[p.network]++
	return taken
}

func (l *ledger) give(p place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total--
	user := l.users[p.user]
	if user.relays--; user.relays == 0 {
		delete(l.users, p.user)
	}
	release(l.calls, p.call)
	release(l.networks, p.network)
}

// buckets are those of a user name that has taken a place.
func (l *ledger) buckets(user string) (sent, received *bucket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.users[user]
	return &a.sent, &a.received
}

// release takes one off what is counted for key, and forgets a key that has nothing left.
func release[K comparable](counted map[K]int, key K) {
	if counted[key]--; counted[key] == 0 {
		delete(counted, key)
	}
}

// bucket is a token bucket without a lock. It keeps when it will be full again (the generic cell rate
// algorithm of ITU-T I.371), which is the same with one number; the zero value is full.
type bucket struct{ full atomic.Int64 } // Unix ns

// take takes n of what rate a second and size at once allow, or nothing.
func (b *bucket) take(n, rate, size int, now time.Time) bool {
	at := now.UnixNano()
	cost := func(n int) int64 { return int64(n) * int64(time.Second) / int64(rate) }
	for {
		old := b.full.Load()
		next := max(old, at) + cost(n)
		if next-at > cost(size) {
			return false
		}
		if b.full.CompareAndSwap(old, next) {
			return true
		}
	}
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
	near, err := neighbourhood(a)
	if err != nil {
		return false
	}
	slot := maphash.Comparable(t.seed, near) % uint64(len(t.buckets))
	return t.buckets[slot].take(1, t.rate, 2*t.rate, now)
}
