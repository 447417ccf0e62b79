package vtest

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// Door is a TCP proxy before servers, as a balancer is one: it leads each connection to one of them,
// can cut what is open, and be shut. It ends with the test, after all its goroutines.
type Door struct {
	Addr string // where clients connect
	t    testing.TB
	lead func() []string
	work sync.WaitGroup

	mu       sync.Mutex // guards the following fields
	listener net.Listener
	open     map[net.Conn]string // where each client was led
}

// NewDoor opens a door at addr. For each connection lead says where to, best first; whoever takes it
// first has it. It may be called at any time from any goroutine.
func NewDoor(t testing.TB, addr string, lead func() []string) *Door {
	t.Helper()
	d := &Door{Addr: addr, t: t, lead: lead, open: map[net.Conn]string{}}
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
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp4", d.Addr)
	if err != nil {
		d.t.Fatal(err)
	}
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
	for c, where := range d.open {
		if to == "" || to == where {
			_ = c.Close()
			cut++
		}
	}
	return cut
}

// enter notes a connection; false when the door was shut meanwhile.
func (d *Door) enter(c net.Conn, to string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.listener == nil {
		return false
	}
	d.open[c] = to
	return true
}

func (d *Door) carry(from net.Conn) {
	defer func() { _ = from.Close() }() // again, as a rule
	to, where := d.dial()
	if to == nil {
		return
	}
	defer func() { _ = to.Close() }()
	if !d.enter(from, where) {
		return
	}
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		both.Go(func() {
			_, _ = io.Copy(way[1], way[0]) // ends by an error when either is closed
			_ = from.Close()
			_ = to.Close()
		})
	}
	both.Wait()
	d.mu.Lock()
	delete(d.open, from)
	d.mu.Unlock()
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
