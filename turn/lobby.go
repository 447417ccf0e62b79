package turn

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
)

// lobby holds the connections that have not yet shown what they are for. Who comes while it is full
// has room made by whoever has waited longest: an honest browser is through in a moment, and half-open
// connections, however many, only push each other out.
type lobby struct {
	size, per int // places, and those that one address (IPv4) or /64 (IPv6) may have

	mu      sync.Mutex // guards the following fields
	waiting list.List  // of *guest, the oldest first
	from    map[netip.Addr]int
}

// guest is a connection in a lobby. It is shown out by closing it.
type guest struct {
	lobby *lobby
	conn  net.Conn
	near  netip.Addr
	place *list.Element // nil once it has left
}

func newLobby(size, per int) *lobby { return &lobby{size: size, per: per, from: map[netip.Addr]int{}} }

// enter gives conn a place. It returns nil when those of its network are taken, and otherwise the
// guest who had to go for it, if anybody had to.
func (l *lobby) enter(conn net.Conn, near netip.Addr) (in, out *guest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.from[near] >= l.per {
		return nil, nil
	}
	if l.waiting.Len() >= l.size {
		out, _ = l.waiting.Front().Value.(*guest)
		l.drop(out)
	}
	in = &guest{lobby: l, conn: conn, near: near}
	in.place = l.waiting.PushBack(in)
	l.from[near]++
	return in, out
}

// leave gives the place back; it may be called again.
func (g *guest) leave() {
	g.lobby.mu.Lock()
	defer g.lobby.mu.Unlock()
	g.lobby.drop(g)
}

func (l *lobby) drop(g *guest) {
	if g.place == nil {
		return
	}
	l.waiting.Remove(g.place)
	g.place = nil
	release(l.from, g.near)
}

// hangUp closes everybody's connection; their readers end.
func (l *lobby) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for e := l.waiting.Front(); e != nil; e = e.Next() {
		if g, ok := e.Value.(*guest); ok {
			_ = g.conn.Close()
		}
	}
}

// network64 is what shares the limit of connections: an IPv4 address, or a /64 of IPv6.
func network64(a netip.Addr) netip.Addr {
	a = a.WithZone("")
	if a.Is4() {
		return a
	}
	p, _ := a.Prefix(64) // 64 bits always fit
	return p.Addr()
}
