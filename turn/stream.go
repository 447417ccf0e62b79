package turn

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"
)

const (
	firstFrame  = 10 * time.Second // for the handshake of TLS, for the first frame, and for the rest of any frame
	strangerMay = 30 * time.Second // idle without a relay
	idleMay     = 2 * defaultLifetime
	writeMay    = 10 * time.Second
	outSize     = 64 // frames that wait for a slow reader; with more the oldest is dropped
	inSize      = 2 << 10
	atOnce      = 16 << 10 // bytes that one write takes from the queue at the most
)

// errFrame says that a stream does not carry TURN.
var errFrame = errors.New("not a TURN frame")

// stream is one TCP connection of a client, with TLS or without.
type stream struct {
	plane  *streams
	conn   net.Conn
	in     *bufio.Reader
	guest  *guest // in the lobby until it has a relay
	client client
	site   *site // that it came to
	out    chan []byte
	gone   chan struct{} // closed by the reader when it ends
}

// accept hands connections to welcome until the listener is closed. Any other error of Accept, such as
// too many open files, is waited out: clients that come afterwards are served.
func (s *Server) accept(l net.Listener, welcome func(net.Conn)) {
	const longest = time.Second
	wait := 5 * time.Millisecond
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			wait = 5 * time.Millisecond
			welcome(conn)
		case errors.Is(err, net.ErrClosed):
			return
		default:
			s.tally.acceptErrors.Add(1)
			t := time.NewTimer(wait)
			select {
			case <-t.C:
			case <-s.closing:
			}
			t.Stop()
			wait = min(2*wait, longest)
		}
	}
}

// welcome starts a connection, or closes it when there are too many.
func (p *streams) welcome(conn net.Conn) {
	tcp, isTCP := conn.RemoteAddr().(*net.TCPAddr)
	if !isTCP {
		_ = conn.Close()
		return
	}
	c := &stream{
		plane: p, conn: conn, in: bufio.NewReaderSize(conn, inSize), client: client{stream: true, addr: unmapped(tcp.AddrPort())},
		site: p.server.siteAt(conn.LocalAddr()), out: make(chan []byte, outSize), gone: make(chan struct{}),
	}
	if !p.add(c) {
		p.server.tally.streamless.Add(1)
		_ = underneath(conn).Close()
		return
	}
	p.server.tasks.Go(c.run)
}

// underneath is the connection below TLS. Closing that says goodbye to nobody and so never waits.
func underneath(conn net.Conn) net.Conn {
	if over, is := conn.(interface{ NetConn() net.Conn }); is {
		return over.NetConn()
	}
	return conn
}

// add lists c. One that has the address and port of another is refused: it may have come by another
// port of ours, and a client of this relay is known by where it comes from alone.
func (p *streams) add(c *stream) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	q, near := p.server.cfg.Quotas, network64(c.client.addr.Addr())
	_, twice := p.conns[c.client.addr]
	if twice || p.server.isClosing() || len(p.conns) >= q.Streams || p.from[near] >= q.StreamsPer {
		return false
	}
	in, out := p.lobby.enter(underneath(c.conn), near)
	if in == nil {
		return false
	}
	if out != nil {
		p.server.tally.evicted.Add(1)
		_ = out.conn.Close()
	}
	c.guest = in
	p.conns[c.client.addr] = c
	p.from[near]++
	p.server.tally.streams.Add(1)
	return true
}

func (p *streams) remove(c *stream) {
	c.guest.leave()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c.client.addr)
	release(p.from, network64(c.client.addr.Addr()))
	p.server.tally.streams.Add(-1)
}

// settled lets the stream of a client that has a relay leave the lobby.
func (p *streams) settled(from client) {
	p.mu.RLock()
	c := p.conns[from.addr]
	p.mu.RUnlock()
	if c != nil {
		c.guest.leave()
	}
}

// hangUp closes all connections; their readers end.
func (p *streams) hangUp() {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, c := range p.conns {
		_ = underneath(c.conn).Close()
	}
}

// run reads until the connection ends, then ends its relay. It owns the writer.
func (c *stream) run() {
	written := make(chan struct{})
	go func() {
		defer close(written)
		c.write()
	}()
	if c.shaken() {
		c.read()
	}
	close(c.gone)
	_ = c.conn.Close()
	<-written
	c.plane.remove(c)
	c.plane.post(frame{from: c.client})
}

// shaken does what TLS does before the first byte, if the connection has TLS.
func (c *stream) shaken() bool {
	secure, is := c.conn.(*tls.Conn)
	if !is {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), firstFrame)
	defer cancel()
	if secure.HandshakeContext(ctx) != nil {
		c.plane.server.tally.unshaken.Add(1)
		return false
	}
	return true
}

// post hands a frame to the plane; false when the plane is closed.
func (p *streams) post(f frame) bool {
	select {
	case p.inbox <- f:
		return true
	case <-p.closed:
		return false
	}
}

func (c *stream) read() {
	defer c.plane.server.survive()
	patience := firstFrame
	for {
		f := frame{from: c.client, buf: c.plane.server.buffer()}
		if c.conn.SetReadDeadline(time.Now().Add(patience)) != nil {
			return
		}
		var err error
		if f.n, err = c.next(f.buf); err != nil {
			c.plane.server.buffers.Put(f.buf)
			if errors.Is(err, errFrame) {
				c.plane.server.tally.malformed.Add(1)
			}
			return
		}
		if c.plane.carry(f) {
			c.plane.server.buffers.Put(f.buf)
		} else if !c.plane.post(f) {
			return
		}
		patience = strangerMay
		if c.plane.server.table.of(c.client) != nil {
			patience = idleMay
		}
	}
}

// carry takes a packet over the packet path, if there is one and the packet is for it. The reader
// does it all: pion and its two queues are not woken up.
func (p *streams) carry(f frame) bool {
	s := p.server
	if s.sites[0].path == nil {
		return false
	}
	st := s.fromBrowser(f.buf, f.n, f.from, time.Now())
	switch out := f.buf[st.span.start:st.span.end]; st.do {
	case dropped:
	case forPion:
		return false
	case toBrowser:
		s.tally.packets.Add(1)
		s.tally.bytes.Add(int64(st.size))
		st.relay.site.path.toBrowser(out, st.relay)
	case toPeer:
		s.tally.outPackets.Add(1)
		s.tally.outBytes.Add(int64(st.size))
		st.relay.site.path.toPeer(out, st)
	}
	return true
}

// next reads exactly one frame, without its padding. The rest of a frame must follow its first
// bytes soon.
func (c *stream) next(to *buffer) (int, error) {
	buf := to.packet(maxPacket)
	if _, err := io.ReadFull(c.in, buf[:4]); err != nil {
		return 0, err
	}
	size, padding, ok := frameSize(buf[:4])
	if !ok {
		return 0, errFrame
	}
	if err := c.conn.SetReadDeadline(time.Now().Add(firstFrame)); err != nil {
		return 0, err
	}
	if _, err := io.ReadFull(c.in, buf[4:size]); err != nil {
		return 0, err
	}
	var pad [3]byte
	_, err := io.ReadFull(c.in, pad[:padding])
	return size, err
}

// frameSize reads the first four bytes of a frame: its size without padding, and how many bytes of
// padding follow. Only STUN and ChannelData of at most maxPacket bytes are frames.
func frameSize(b []byte) (size, padding int, ok bool) {
	n := int(binary.BigEndian.Uint16(b[2:]))
	switch {
	case b[0]&0xC0 == 0:
		size = headerSize + n
		return size, 0, n%4 == 0 && size <= maxPacket
	case b[0]&0xF0 == 0x40:
		size = 4 + n
		return size, -n & 3, size <= maxPacket
	}
	return 0, 0, false
}

// send queues a frame that pion made; ChannelData is padded already. It never waits: when the
// reader is slow the oldest frame goes, as late audio is worth nothing.
func (c *stream) send(b []byte) {
	b = append([]byte(nil), b...)
	for {
		select {
		case c.out <- b:
			return
		default:
		}
		select {
		case <-c.out:
			c.plane.server.tally.queue.Add(1)
		default:
		}
	}
}

// write sends what is queued, several frames in one piece when several wait: each piece costs a system
// call, and with TLS a record.
func (c *stream) write() {
	piece := make([]byte, 0, maxPacket)
	for {
		select {
		case b := <-c.out:
			piece = append(piece[:0], b...)
		case <-c.gone:
			return
		}
		for more := true; more && len(piece) < atOnce; {
			select {
			case b := <-c.out:
				piece = append(piece, b...)
			default:
				more = false
			}
		}
		if c.conn.SetWriteDeadline(time.Now().Add(writeMay)) != nil {
			return
		}
		if _, err := c.conn.Write(piece); err != nil {
			c.plane.server.tally.send.Add(1)
			_ = underneath(c.conn).Close() // ends the reader, too
			return
		}
	}
}
