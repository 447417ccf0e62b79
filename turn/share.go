package turn

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"
)

// Share takes connections with TLS from l, which page and relay have in common: those that speak TURN
// are the relay's, all others come out of the listener that it returns. Networks that let nothing but
// 443 through so still carry calls.
//
// What a connection is for shows in its first byte after the handshake: a request of STUN begins with
// 0x00 (RFC 8489 section 5), HTTP with a letter. Browsers name no protocol for TURN (RFC 7443 would
// have them say stun.turn) and some no server either, so neither ALPN nor SNI decides; only who agreed
// on h2 is a browser that wants the page. cfg should offer "h2" and "http/1.1".
//
// The relay closes l when it is closed; closing what Share returned leaves l to the relay.
func (s *Server) Share(l net.Listener, cfg *tls.Config) net.Listener {
	d := &desk{addr: l.Addr(), conns: make(chan net.Conn), closed: make(chan struct{}), closing: s.closing}
	porch := newLobby(s.cfg.Quotas.Strangers, s.cfg.Quotas.StreamsPer)
	s.take(l, porch, func(conn net.Conn) {
		tcp, isTCP := conn.RemoteAddr().(*net.TCPAddr)
		if !isTCP {
			_ = conn.Close()
			return
		}
		in, out := porch.enter(conn, network64(unmapped(tcp.AddrPort()).Addr()))
		if out != nil {
			s.tally.evicted.Add(1)
			_ = out.conn.Close()
		}
		if in == nil || s.isClosing() { // from here on hangUp finds it
			s.tally.streamless.Add(1)
			_ = conn.Close()
			return
		}
		s.tasks.Go(func() {
			defer in.leave()
			s.usher(tls.Server(newEager(conn), cfg), d)
		})
	})
	return d
}

// take runs an accept loop of its own on l until the relay is closed.
func (s *Server) take(l net.Listener, porch *lobby, welcome func(net.Conn)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isClosing() {
		_ = l.Close()
		return
	}
	s.listeners = append(s.listeners, l)
	s.porches = append(s.porches, porch)
	s.tasks.Go(func() { s.accept(l, welcome) })
}

// usher brings a connection to whom it means.
func (s *Server) usher(conn *tls.Conn, d *desk) {
	defer s.survive()
	ctx, cancel := context.WithTimeout(context.Background(), firstFrame)
	defer cancel()
	if conn.HandshakeContext(ctx) != nil {
		s.tally.unshaken.Add(1)
		_ = underneath(conn).Close()
		return
	}
	if conn.ConnectionState().NegotiatedProtocol == "h2" {
		d.hand(conn)
		return
	}
	open := &opened{Conn: conn, in: bufio.NewReaderSize(conn, inSize)}
	_ = conn.SetReadDeadline(time.Now().Add(firstFrame)) // only fails when closed: the read says so
	first, err := open.in.Peek(1)
	if err != nil || conn.SetReadDeadline(time.Time{}) != nil {
		_ = conn.Close()
		return
	}
	if first[0] <= 1 {
		s.streams.welcome(open)
		return
	}
	d.hand(open)
}

// opened is a connection of which the first bytes have been looked at.
type opened struct {
	net.Conn

	in *bufio.Reader
}

// Read returns what was looked at first.
func (o *opened) Read(b []byte) (int, error) { return o.in.Read(b) }

// NetConn is the connection below TLS.
func (o *opened) NetConn() net.Conn { return underneath(o.Conn) }

// desk is the listener where connections for the page come out.
type desk struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once

	closing <-chan struct{} // of the relay
}

// hand waits until somebody accepts conn.
func (d *desk) hand(conn net.Conn) {
	select {
	case d.conns <- conn:
	case <-d.closed:
		_ = conn.Close()
	case <-d.closing:
		_ = conn.Close()
	}
}

// Accept returns the next connection, handshake done.
func (d *desk) Accept() (net.Conn, error) {
	select {
	case conn := <-d.conns:
		return conn, nil
	case <-d.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept; connections for the page are closed from now on.
func (d *desk) Close() error {
	d.once.Do(func() { close(d.closed) })
	return nil
}

// Addr is where the connections arrive.
func (d *desk) Addr() net.Addr { return d.addr }
