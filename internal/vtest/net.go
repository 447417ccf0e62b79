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

// half is one direction of a buffered in-memory connection. Without a limit a write never blocks.
type half struct {
	mu     sync.Mutex
	wake   chan struct{} // closed and replaced on every change
	buf    bytes.Buffer
	limit  int // a write waits while more than this is unread; 0 for no limit
	closed bool
	dl     time.Time // of reads
	wdl    time.Time // of writes
}

func (h *half) notify() { close(h.wake); h.wake = make(chan struct{}) }

func (h *half) Read(p []byte) (int, error) {
	for {
		h.mu.Lock()
		switch {
		case h.buf.Len() > 0:
			defer h.mu.Unlock()
			if h.limit > 0 {
				defer h.notify() // there is room for a writer
			}
			return h.buf.Read(p)
		case h.closed:
			h.mu.Unlock()
			return 0, io.EOF
		case !h.dl.IsZero() && !time.Now().Before(h.dl):
			h.mu.Unlock()
			return 0, os.ErrDeadlineExceeded
		}
		h.waitUnlock(h.dl)
	}
}

// waitUnlock releases mu and returns on the next change or at the deadline.
func (h *half) waitUnlock(deadline time.Time) {
	wake := h.wake
	h.mu.Unlock()
	if deadline.IsZero() {
		<-wake
		return
	}
	t := time.NewTimer(time.Until(deadline))
	defer t.Stop()
	select {
	case <-wake:
	case <-t.C:
	}
}

func (h *half) Write(p []byte) (int, error) {
	for {
		h.mu.Lock()
		switch {
		case h.closed:
			h.mu.Unlock()
			return 0, net.ErrClosed
		case h.limit == 0 || h.buf.Len() < h.limit:
			defer h.mu.Unlock()
			n, _ := h.buf.Write(p)
			h.notify()
			return n, nil
		case !h.wdl.IsZero() && !time.Now().Before(h.wdl):
			h.mu.Unlock()
			return 0, os.ErrDeadlineExceeded
		}
		h.waitUnlock(h.wdl)
	}
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

func (h *half) writeDeadline(t time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wdl = t
	h.notify()
}

type memConn struct{ in, out *half }

// Pipe is net.Pipe with buffers: code that relies on a socket's buffer does not deadlock.
func Pipe() (client, server net.Conn) {
	a, b := &half{wake: make(chan struct{})}, &half{wake: make(chan struct{})}
	return memConn{a, b}, memConn{b, a}
}

func (c memConn) Read(p []byte) (int, error)  { return c.in.Read(p) }
func (c memConn) Write(p []byte) (int, error) { return c.out.Write(p) }
func (c memConn) Close() error                { c.in.close(); c.out.close(); return nil }
func (c memConn) LocalAddr() net.Addr         { return memAddr(1) }
func (c memConn) RemoteAddr() net.Addr        { return memAddr(2) }
func (c memConn) SetDeadline(t time.Time) error {
	c.in.deadline(t)
	c.out.writeDeadline(t)
	return nil
}
func (c memConn) SetReadDeadline(t time.Time) error  { c.in.deadline(t); return nil }
func (c memConn) SetWriteDeadline(t time.Time) error { c.out.writeDeadline(t); return nil }

// NarrowPipe is Pipe with little room towards the client: the server's writes wait while the client
// has left limit bytes unread, as they do on a socket whose peer does not read.
func NarrowPipe(limit int) (client, server net.Conn) {
	a := &half{wake: make(chan struct{}), limit: limit}
	b := &half{wake: make(chan struct{})}
	return memConn{a, b}, memConn{b, a}
}

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
	return c, l.hand(ctx, s)
}

// DialNarrow is Dial over a NarrowPipe.
func (l *Listener) DialNarrow(ctx context.Context, limit int) (net.Conn, error) {
	c, s := NarrowPipe(limit)
	return c, l.hand(ctx, s)
}

// hand gives the server's end to Accept.
func (l *Listener) hand(ctx context.Context, s net.Conn) error {
	select {
	case l.ch <- s:
		return nil
	case <-l.done:
		return net.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}
