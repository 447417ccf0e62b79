package e2e_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// gate is a TCP proxy that a test can shut: connections through it are cut and new ones refused
// until it opens again.
type gate struct {
	Addr string // where browsers connect

	mu       sync.Mutex // guards the following fields
	to       string
	listener net.Listener
	open     map[net.Conn]bool

	wg sync.WaitGroup
}

// newGate listens on addr (a free port given by the caller) and forwards to another address.
func newGate(t testing.TB, addr, to string) *gate {
	t.Helper()
	g := &gate{Addr: addr, to: to, open: map[net.Conn]bool{}}
	g.Open(t)
	t.Cleanup(func() {
		g.Shut()
		g.wg.Wait()
	})
	return g
}

// Open lets connections through.
func (g *gate) Open(t testing.TB) {
	t.Helper()
	l, err := net.Listen("tcp4", g.Addr)
	if err != nil {
		t.Fatal(err)
	}
	g.mu.Lock()
	g.listener = l
	g.mu.Unlock()
	g.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			g.wg.Go(func() { g.carry(c) })
		}
	})
}

// Shut cuts every connection and refuses new ones.
func (g *gate) Shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.listener.Close()
	for c := range g.open {
		c.Close()
	}
}

// Turn leads new connections elsewhere and cuts the others, as a balancer does when a server dies.
func (g *gate) Turn(to string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.to = to
	for c := range g.open {
		c.Close()
	}
}

func (g *gate) carry(from net.Conn) {
	g.mu.Lock()
	where := g.to
	g.mu.Unlock()
	to, err := net.Dial("tcp4", where)
	if err != nil {
		from.Close()
		return
	}
	g.mu.Lock()
	g.open[from], g.open[to] = true, true
	g.mu.Unlock()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		both.Go(func() {
			_, _ = io.Copy(way[1], way[0]) // ends by an error when the gate shuts
			from.Close()
			to.Close()
		})
	}
	both.Wait()
	g.mu.Lock()
	delete(g.open, from)
	delete(g.open, to)
	g.mu.Unlock()
}
