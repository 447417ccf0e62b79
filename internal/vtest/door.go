package vtest

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Door is a TCP proxy before servers, as a balancer is one: it leads each connection to one of
// them, can cut what is open, hold what is said, and be shut. It ends with the test, after all its
// goroutines.
type Door struct {
	Addr string // where clients connect
	t    testing.TB
	lead func() []string
	work sync.WaitGroup

	mu       sync.Mutex // guards the following fields
	listener net.Listener
	open     map[*passage]struct{}
	holds    func(client net.Addr) bool // nil: nobody is held; slow, so never called under the mutex
	changes  int                        // of holds
	changed  chan struct{}              // closed and replaced when those who are held have changed
}

// passage is one connection through a door.
type passage struct {
	client net.Conn
	server net.Conn
	to     string // where it was led
	once   sync.Once
	done   chan struct{} // closed by cut
	held   bool          // guarded by the door's mutex
}

func (p *passage) cut() {
	p.once.Do(func() {
		close(p.done)
		_ = p.client.Close()
		_ = p.server.Close()
	})
}

// NewDoor opens a door at addr. For each connection lead says where to, best first; whoever takes it
// first has it. It may be called at any time from any goroutine.
func NewDoor(t testing.TB, addr string, lead func() []string) *Door {
	t.Helper()
	d := &Door{Addr: addr, t: t, lead: lead, open: map[*passage]struct{}{}, changed: make(chan struct{})}
	d.Open()
	t.Cleanup(func() {
		d.Shut()
		d.work.Wait()
	})
	return d
}

// Open lets connections through again.
func (d *Door) Open() {
	d.t.Helper()
	var l net.Listener
	// A process that is being started in this moment holds what we have just closed until its exec.
	until(d.t, "nobody can listen at "+d.Addr, func(ctx context.Context) (open bool) {
		var err error
		l, err = new(net.ListenConfig).Listen(ctx, "tcp4", d.Addr)
		return err == nil
	})
	d.mu.Lock()
	d.listener = l
	d.mu.Unlock()
	d.work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // shut
			}
			d.work.Go(func() { d.carry(c) })
		}
	})
}

// Shut cuts every connection and refuses new ones until Open.
func (d *Door) Shut() {
	d.mu.Lock()
	if d.listener != nil {
		_ = d.listener.Close()
	}
	d.listener = nil
	d.mu.Unlock()
	d.Cut("")
}

// Cut closes the connections that were led to an address, or all for "", and returns how many.
func (d *Door) Cut(to string) (cut int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for p := range d.open {
		if to == "" || to == p.to {
			p.cut()
			cut++
		}
	}
	return cut
}

// Hold lets nothing pass between the servers and some clients, as a network that is torn: what
// they say is held until Hold(nil), even that they have gone. Who connects meanwhile is let in and
// hears nothing.
func (d *Door) Hold(client func(net.Addr) bool) {
	d.mu.Lock()
	d.holds = client
	d.changes++
	var entered []*passage
	for p := range d.open {
		entered = append(entered, p)
	}
	d.mu.Unlock()
	held := make([]bool, len(entered))
	for i, p := range entered {
		held[i] = client != nil && client(p.client.RemoteAddr())
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for i, p := range entered {
		p.held = held[i]
	}
	close(d.changed)
	d.changed = make(chan struct{})
}

// enter notes a connection; false when the door was shut meanwhile.
func (d *Door) enter(p *passage) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for {
		holds, changes := d.holds, d.changes
		d.mu.Unlock()
		held := holds != nil && holds(p.client.RemoteAddr())
		d.mu.Lock()
		switch {
		case d.listener == nil:
			return false
		case d.changes == changes:
			d.open[p] = struct{}{}
			p.held = held
			return true
		}
	}
}

func (d *Door) leave(p *passage) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.open, p)
}

func (d *Door) carry(client net.Conn) {
	server, where := d.dial()
	if server == nil {
		_ = client.Close()
		return
	}
	p := &passage{client: client, server: server, to: where, done: make(chan struct{})}
	defer p.cut()
	if !d.enter(p) {
		return
	}
	defer d.leave(p)
	var both sync.WaitGroup
	both.Go(func() { d.pump(p, server, client) })
	both.Go(func() { d.pump(p, client, server) })
	both.Wait()
}

// pump copies one direction until either end closes.
func (d *Door) pump(p *passage, to io.Writer, from io.Reader) {
	defer p.cut()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if !d.passes(p) {
			return
		}
		if _, failed := to.Write(buf[:n]); err != nil || failed != nil {
			return
		}
	}
}

// passes waits while the connection is held; false when it was cut meanwhile.
func (d *Door) passes(p *passage) bool {
	for {
		d.mu.Lock()
		held, changed := p.held, d.changed
		d.mu.Unlock()
		if !held {
			return true
		}
		select {
		case <-changed:
		case <-p.done:
			return false
		}
	}
}

func (d *Door) dial() (net.Conn, string) {
	dialer := net.Dialer{Timeout: time.Second}
	for _, where := range d.lead() {
		if c, err := dialer.Dial("tcp4", where); err == nil {
			return c, where
		}
	}
	return nil, ""
}
