package turn

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"time"
)

const (
	firstFrame  = 10 * time.Second // for the first frame, and for the rest of any frame
	strangerMay = 30 * time.Second // idle without a relay
	idleMay     = 2 * defaultLifetime
	writeMay    = 10 * time.Second
	outSize     = 64 // frames that wait for a slow reader; with more the oldest is dropped
)

// errFrame says that a stream does not carry TURN.
var errFrame = errors.New("not a TURN frame")

// stream is one TCP connection of a client.
type stream struct {
	plane  *streams
	conn   net.Conn
	client client
	out    chan []byte
	gone   chan struct{} // closed by the reader when it ends
}

// accept takes connections until the listener is closed. Any other error of Accept, such as too
// many open files, is waited out: clients that come afterwards are served.
func (p *streams) accept(l net.Listener) {
	const longest = time.Second
	wait := 5 * time.Millisecond
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			wait = 5 * time.Millisecond
			p.welcome(conn)
		case errors.Is(err, net.ErrClosed):
			return
		default:
			p.server.tally.acceptErrors.Add(1)
			t := time.NewTimer(wait)
			select {
			case <-t.C:
			case <-p.server.closing:
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
		plane: p, conn: conn, client: client{stream: true, addr: unmapped(tcp.AddrPort())},
		out: make(chan []byte, outSize), gone: make(chan struct{}),
	}
	if !p.add(c) {
		p.server.tally.streamless.Add(1)
		_ = conn.Close()
		return
	}
	p.server.tasks.Go(c.run)
}

// network is what shares the limit of connections.
func (c *stream) network() netip.Addr {
	a := c.client.addr.Addr().WithZone("")
	if a.Is4() {
		return a
	}
	p, _ := a.Prefix(64) // 64 bits always fit
	return p.Addr()
}

func (p *streams) add(c *stream) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	q := p.server.cfg.Quotas
	if p.server.isClosing() || len(p.conns) >= q.Streams || p.from[c.network()] >= q.StreamsPer {
		return false
	}
	p.conns[c.client.addr] = c
	p.from[c.network()]++
	p.server.tally.streams.Add(1)
	return true
}

func (p *streams) remove(c *stream) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c.client.addr)
	if p.from[c.network()]--; p.from[c.network()] == 0 {
		delete(p.from, c.network())
	}
	p.server.tally.streams.Add(-1)
}

// hangUp closes all connections; their readers end.
func (p *streams) hangUp() {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, c := range p.conns {
		_ = c.conn.Close()
	}
}

// run reads until the connection ends, then ends its relay. It owns the writer.
func (c *stream) run() {
	written := make(chan struct{})
	go func() {
		defer close(written)
		c.write()
	}()
	c.read()
	close(c.gone)
	_ = c.conn.Close()
	<-written
	c.plane.remove(c)
	c.plane.post(frame{from: c.client})
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
	if s.path == nil {
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
		s.path.toBrowser(out, st.relay)
	case toPeer:
		s.tally.outPackets.Add(1)
		s.tally.outBytes.Add(int64(st.size))
		s.path.toPeer(out, st)
	}
	return true
}

// next reads exactly one frame, without its padding. The rest of a frame must follow its first
// bytes soon.
func (c *stream) next(to *buffer) (int, error) {
	buf := to.packet(maxPacket)
	if _, err := io.ReadFull(c.conn, buf[:4]); err != nil {
		return 0, err
	}
	size, padding, ok := frameSize(buf[:4])
	if !ok {
		return 0, errFrame
	}
	if err := c.conn.SetReadDeadline(time.Now().Add(firstFrame)); err != nil {
		return 0, err
	}
	if _, err := io.ReadFull(c.conn, buf[4:size]); err != nil {
		return 0, err
	}
	var pad [3]byte
	_, err := io.ReadFull(c.conn, pad[:padding])
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

func (c *stream) write() {
	for {
		select {
		case b := <-c.out:
			if c.conn.SetWriteDeadline(time.Now().Add(writeMay)) != nil {
				return
			}
			if _, err := c.conn.Write(b); err != nil {
				c.plane.server.tally.send.Add(1)
				_ = c.conn.Close() // ends the reader, too
				return
			}
		case <-c.gone:
			return
		}
	}
}
