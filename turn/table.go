package turn

import (
	"errors"
	"hash/maphash"
	"math"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// client is where a browser's packets come from, and to which site: a browser may reach several from
// one port. Of streams there is one for an address and port, whatever site it came to.
type client struct {
	stream bool
	site   uint8
	addr   netip.AddrPort
}

// PortRange is the ports that relays may have.
type PortRange struct{ First, Last uint16 }

const (
	portRest   = time.Minute // how long a port stays unused, so that nobody gets an old peer's packets
	clientRest = time.Second // how long a client waits after its relay ended: pion may still be clearing up
)

// errPorts says that every port of the range is in use or rests.
var errPorts = errors.New("no relay port is free")

// table finds relays by client and by port. Packets find them without a lock.
type table struct {
	first    uint16
	open     PortRange // of open relays; when it is a part only, those of calls keep out of it
	byPort   []atomic.Pointer[relay]
	seed     maphash.Seed            // so that nobody can choose addresses that share a chain
	byClient []atomic.Pointer[relay] // heads of chains, linked by relay.next

	mu      sync.RWMutex // guards the following fields, and is held to change the former
	free    []int64      // by port: Unix ns from when on it is free, MaxInt64 while in use
	resting map[client]time.Time
}

// newTable is for about that many relays.
func newTable(ports, open PortRange, relays int) *table {
	n := int(ports.Last) - int(ports.First) + 1
	return &table{
		first:    ports.First,
		open:     open,
		byPort:   make([]atomic.Pointer[relay], n),
		seed:     maphash.MakeSeed(),
		byClient: make([]atomic.Pointer[relay], relays),
		free:     make([]int64, n),
		resting:  map[client]time.Time{},
	}
}

// chain returns where the relays are that c may be among.
func (t *table) chain(c client) *atomic.Pointer[relay] {
	key := struct {
		ip     [16]byte
		port   uint16
		stream bool
		site   uint8
	}{c.addr.Addr().As16(), c.addr.Port(), c.stream, c.site}
	return &t.byClient[maphash.Comparable(t.seed, key)%uint64(len(t.byClient))]
}

// add gives r a random free port and lists it.
func (t *table) add(r *relay, now time.Time) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	from, n := t.span(r.grant.kind)
	at := rand.IntN(n) //nolint:gosec // which port is no secret
	for i := range n {
		slot := from + (at+i)%n
		if t.free[slot] > now.UnixNano() || r.grant.kind != Open && t.keepsOut(slot) {
			continue
		}
		t.free[slot] = math.MaxInt64
		r.port = t.first + uint16(slot) //nolint:gosec // a slot is below 65536
		t.byPort[slot].Store(r)
		head := t.chain(r.client)
		r.next.Store(head.Load())
		head.Store(r)
		return nil
	}
	return errPorts
}

// span is where relays of a kind may be: the first slot, and how many.
func (t *table) span(kind Kind) (from, n int) {
	if kind == Open {
		return int(t.open.First - t.first), int(t.open.Last) - int(t.open.First) + 1
	}
	return 0, len(t.free)
}

// keepsOut tells whether a slot is for open relays alone.
func (t *table) keepsOut(slot int) bool {
	from, n := t.span(Open)
	return n < len(t.free) && slot >= from && slot < from+n
}

// remove unlists r.
func (t *table) remove(r *relay, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	slot := r.port - t.first
	t.byPort[slot].Store(nil)
	t.free[slot] = now.Add(portRest).UnixNano()
	if t.of(r.client) == r {
		t.resting[r.client] = now.Add(clientRest)
	}
	at := t.chain(r.client)
	for at.Load() != nil && at.Load() != r {
		at = &at.Load().next
	}
	at.Store(r.next.Load()) // r keeps its next: who stands on r finds the way on
}

// of returns the relay of c, nil without one.
func (t *table) of(c client) *relay {
	r := t.chain(c).Load()
	for r != nil && r.client != c {
		r = r.next.Load()
	}
	return r
}

// each calls f for every relay. The caller holds mu.
func (t *table) each(f func(*relay)) {
	for i := range t.byPort {
		if r := t.byPort[i].Load(); r != nil {
			f(r)
		}
	}
}

// rests tells whether c must wait before it gets another relay.
func (t *table) rests(c client, now time.Time) bool {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return now.Before(t.resting[c])
}

// at returns the relay that has a port, nil without one.
func (t *table) at(port uint16) *relay {
	if port < t.first || int(port-t.first) >= len(t.byPort) {
		return nil
	}
	return t.byPort[port-t.first].Load()
}

// due returns the relays of one plane that end now, and forgets who has rested.
func (t *table) due(of *gate, now time.Time) []*relay {
	t.mu.Lock()
	defer t.mu.Unlock()
	for c, until := range t.resting {
		if !now.Before(until) {
			delete(t.resting, c)
		}
	}
	var due []*relay
	t.each(func(r *relay) {
		if r.client.stream == of.stream && r.client.site == of.site && !now.Before(r.expires()) {
			due = append(due, r)
		}
	})
	return due
}
