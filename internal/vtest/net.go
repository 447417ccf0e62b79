package vtest

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// half is one direction of a buffered in-memory connection. A write never blocks and
// the buffer has no limit, so a test of what happens to a slow reader must add one.
type half struct {
	mu     sync.Mutex
	wake   chan struct{} // closed and replaced on every change
	buf    bytes.Buffer
	closed bool
	dl     time.Time
}

func (h *half) notify() { close(h.wake); h.wake = make(chan struct{}) }

func (h *half) Read(p []byte) (int, error) {
	for {
		h.mu.Lock()
		switch {
		case h.buf.Len() > 0:
			defer h.mu.Unlock()
			return h.buf.Read(p)
		case h.closed:
			h.mu.Unlock()
			return 0, io.EOF
		case !h.dl.IsZero() && !time.Now().Before(h.dl):
			h.mu.Unlock()
			return 0, os.ErrDeadlineExceeded
		}
		wake, dl := h.wake, h.dl
		h.mu.Unlock()
		if dl.IsZero() {
			<-wake
			continue
		}
		t := time.NewTimer(time.Until(dl))
		select {
		case <-wake:
		case <-t.C:
		}
		t.Stop()
	}
}

func (h *half) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return 0, net.ErrClosed
	}
	n, _ := h.buf.Write(p)
	h.notify()
	return n, nil
}

func (h *half) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.closed = true
		h.notify()
	}
}

func (h *half) deadline(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dl = t
	h.notify()
}

type memConn struct{ in, out *half }

// Pipe is net.Pipe with buffers: code that relies on a socket's buffer does not deadlock.
func Pipe() (client, server net.Conn) {
	a, b := &half{wake: make(chan struct{})}, &half{wake: make(chan struct{})}
	return memConn{a, b}, memConn{b, a}
}

func (c memConn) Read(p []byte) (int, error)        { return c.in.Read(p) }
func (c memConn) Write(p []byte) (int, error)       { return c.out.Write(p) }
func (c memConn) Close() error                      { c.in.close(); c.out.close(); return nil }
func (c memConn) LocalAddr() net.Addr               { return memAddr(1) }
func (c memConn) RemoteAddr() net.Addr              { return memAddr(2) }
func (c memConn) SetDeadline(t time.Time) error     { c.in.deadline(t); return nil }
func (c memConn) SetReadDeadline(t time.Time) error { c.in.deadline(t); return nil }
func (c memConn) SetWriteDeadline(time.Time) error  { return nil }

// memAddr is an address of TEST-NET-1 (RFC 5737), for code that parses RemoteAddr.
func memAddr(host byte) net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, host), Port: 1} }

// Listener is an in-memory net.Listener; Dial returns the other end of what Accept returns.
type Listener struct {
	ch   chan net.Conn
	done chan struct{}
}

// NewListener returns a listener without callers.
func NewListener() *Listener {
	return &Listener{ch: make(chan net.Conn), done: make(chan struct{})}
}

// Accept waits for the next Dial.
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.ch:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and refuses further calls of Dial.
func (l *Listener) Close() error { close(l.done); return nil }

// Addr is not used by anything; it fits net.Listener.
func (l *Listener) Addr() net.Addr { return &net.TCPAddr{} }

// Dial fits websocket.Dialer.NetDialContext.
func (l *Listener) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	c, s := Pipe()
	select {
	case l.ch <- s:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
