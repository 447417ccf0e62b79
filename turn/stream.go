package turn

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
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
	below  *eager // the connection, below TLS if there is TLS
	site   *site  // that it came to
	out    chan []byte
	gone   chan struct{} // closed by the reader when it ends

	waiting atomic.Int32 // frames in out and in the hands of the writer; while there are any, others wait too
	writing sync.Mutex   // held by who writes to conn
	until   time.Time    // reads end then; the reader's
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
	below, is := underneath(conn).(*eager)
	if !is {
		below = newEager(conn)
		conn = below
	}
	c := &stream{
		plane: p, conn: conn, in: bufio.NewReaderSize(conn, inSize), client: client{stream: true, addr: unmapped(tcp.AddrPort())},
		below: below, site: p.server.siteAt(conn.LocalAddr()), out: make(chan []byte, outSize), gone: make(chan struct{}),
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
		c.below.wait(false)
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
		if c.within(patience) != nil {
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
		if c.carry(f) {
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

// within lets reads take for that long, up to an eighth less: a timer is not set for each packet.
func (c *stream) within(patience time.Duration) error {
	now := time.Now()
	if left := c.until.Sub(now); left <= patience && left > patience-patience/8 {
		return nil
	}
	c.until = now.Add(patience)
	return c.conn.SetReadDeadline(c.until)
}

// carry takes a packet over the packet path, if there is one and the packet is for it. The reader
// does it all: pion and its two queues are not woken up. When more of the same client is there
// already, what goes to another stream waits for it, so that one write takes both.
func (c *stream) carry(f frame) bool {
	s := c.plane.server
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
		if c.in.Buffered() > 0 && st.relay.client.stream {
			c.plane.later(out, st.relay.client)
		} else {
			st.relay.site.path.toBrowser(out, st.relay)
		}
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
	if c.in.Buffered() < size-4+padding {
		if err := c.within(firstFrame); err != nil {
			return 0, err
		}
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

// send sends a frame at once if it can, else it queues it. It never waits.
func (c *stream) send(b []byte) {
	if !c.direct(b) {
		c.later(b)
	}
}

// direct writes a frame, if none is before it and nobody else writes.
func (c *stream) direct(b []byte) bool {
	if c.below == nil || !c.below.hasty() || c.waiting.Load() > 0 || !c.writing.TryLock() {
		return false
	}
	defer c.writing.Unlock()
	if c.waiting.Load() > 0 || c.below.behind() {
		return false
	}
	if _, err := c.conn.Write(b); err != nil {
		c.fail()
	} else if c.below.behind() {
		c.put(nil) // the writer sends the rest
	}
	return true
}

// later queues a frame; ChannelData is padded already. When the reader is slow the oldest frame goes,
// as late audio is worth nothing.
func (c *stream) later(b []byte) {
	b = append([]byte(nil), b...)
	for !c.put(b) {
		select {
		case <-c.out:
			c.waiting.Add(-1)
			c.plane.server.tally.queue.Add(1)
		default:
		}
	}
}

// put gives a frame to the writer, if there is room.
func (c *stream) put(b []byte) bool {
	c.waiting.Add(1)
	select {
	case c.out <- b:
		return true
	default:
		c.waiting.Add(-1)
		return false
	}
}

// fail ends the stream, as it cannot be written to; its reader ends, too.
func (c *stream) fail() {
	c.plane.server.tally.send.Add(1)
	_ = underneath(c.conn).Close()
}

// write sends what is queued, several frames in one piece when several wait: each piece costs a system
// call, and with TLS a record.
func (c *stream) write() {
	piece := make([]byte, 0, maxPacket)
	for {
		var taken int32
		select {
		case b := <-c.out:
			piece, taken = append(piece[:0], b...), 1
		case <-c.gone:
			return
		}
		for more := true; more && len(piece) < atOnce; {
			select {
			case b := <-c.out:
				piece = append(piece, b...)
				taken++
			default:
				more = false
			}
		}
		err := c.patiently(piece)
		c.waiting.Add(-taken)
		if err != nil {
			c.fail()
			return
		}
	}
}

// patiently writes what is left and then piece, for as long as a reader may take.
func (c *stream) patiently(piece []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := c.conn.SetWriteDeadline(time.Now().Add(writeMay)); err != nil {
		return err
	}
	c.below.wait(true)
	defer c.below.wait(false)
	if err := c.below.flush(); err != nil {
		return err
	}
	if len(piece) > 0 {
		if _, err := c.conn.Write(piece); err != nil {
			return err
		}
	}
	return c.conn.SetWriteDeadline(time.Time{}) // or direct writes would end with it
}
