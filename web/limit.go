package web

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// Limits bound what reaches signaling. The zero value of a field means its default.
type Limits struct {
	Sockets    int           // open at once on this node; default 50,000
	PerAddress int           // open at once from one address; default 64
	Burst      int           // handshakes of one address in a row; default 120
	Every      time.Duration // one more handshake of that address; default 500 ms
}

func (l Limits) filled() Limits {
	if l.Sockets == 0 {
		l.Sockets = 50_000
	}
	if l.PerAddress == 0 {
		l.PerAddress = 64
	}
	if l.Burst == 0 {
		l.Burst = 120
	}
	if l.Every == 0 {
		l.Every = 500 * time.Millisecond
	}
	return l
}

// slots is how many counters there are. Two addresses that fall on one slot share its limit, which
// is the price of a table that neither grows nor throws anybody out.
const slots = 1 << 16

// limiter counts sockets by IPv4 address or IPv6 /64. It keeps no address: the slot is chosen by a
// hash that is keyed anew in each process.
type limiter struct {
	limits Limits
	seed   maphash.Seed

	mu    sync.Mutex // guards the following fields
	total int
	slot  []slot
	away  Counts
}

// Counts is how many handshakes the limits refused since the start, and what proxies said of the
// others.
type Counts struct {
	TooMany   int64 // their address holds too many sockets
	TooOften  int64 // their address shakes hands too often
	HouseFull int64 // the node holds too many sockets

	// Handshakes that were let in, by what a proxy said of the visitor's address: one that is named in
	// trusted-proxies said it; somebody else did, so that it was not believed; one that is named said
	// nothing, so that all its visitors look like one; it named an address that is kept for
	// documentation, which can only be made up; or one of trusted-proxies, which is nobody but itself.
	Believed, Doubted, Missing, MadeUp, Inside int64
}

// counts returns what was refused so far.
func (l *limiter) counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.away
}

type slot struct {
	open int
	free time.Time // when the whole burst is available again
}

func newLimiter(l Limits) *limiter {
	return &limiter{limits: l.filled(), seed: maphash.MakeSeed(), slot: make([]slot, slots)}
}

// refusal says why a handshake was refused.
type refusal int

const (
	admitted  refusal = iota // release must be called when the socket ends
	tooMany                  // this address holds too many sockets
	tooOften                 // this address shakes hands too often
	houseFull                // this node holds too many sockets
)

// admit counts one handshake of address. Unless admitted it says how long to wait.
func (l *limiter) admit(address string, now time.Time) (why refusal, wait time.Duration) {
	at := l.find(address)
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &l.slot[at]
	if s.free.Before(now) {
		s.free = now
	}
	// The burst is spent when free lies Burst*Every ahead (GCRA with one timestamp).
	wait = s.free.Add(l.limits.Every).Sub(now) - time.Duration(l.limits.Burst)*l.limits.Every
	switch {
	case wait > 0:
		l.away.TooOften++
		return tooOften, wait
	case s.open >= l.limits.PerAddress:
		l.away.TooMany++
		return tooMany, 30 * time.Second
	case l.total >= l.limits.Sockets:
		l.away.HouseFull++
		return houseFull, 30 * time.Second
	}
	s.free = s.free.Add(l.limits.Every)
	s.open++
	l.total++
	return admitted, 0
}

// release gives back what admit counted.
func (l *limiter) release(address string) {
	at := l.find(address)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.slot[at].open--
	l.total--
}

// open is how many sockets are open on this node.
func (l *limiter) open() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}

// find returns the slot of an address.
func (l *limiter) find(address string) int { return slotOf(l.seed, address, slots) }

// slotOf returns the slot, of so many, of an IPv4 address or the /64 of an IPv6 one. Whatever is not
// an address shares one slot.
func slotOf(seed maphash.Seed, address string, many int) int {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return 0
	}
	ip = ip.Unmap().WithZone("")
	bits := 32
	if ip.Is6() {
		bits = 64 // what one subscriber gets
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return 0
	}
	b, err := p.MarshalBinary()
	if err != nil {
		return 0
	}
	return int(maphash.Bytes(seed, b) % uint64(many)) //nolint:gosec // many is a small number
}
