package turn

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// datagrams is the plane of UDP.
type datagrams struct {
	gate
	conn   *net.UDPConn
	closed chan struct{}
	once   sync.Once
}

func newDatagrams(s *Server, conn *net.UDPConn) *datagrams {
	p := &datagrams{conn: conn, closed: make(chan struct{})}
	p.gate = gate{server: s, reply: func(b []byte, to client) {
		_, _ = p.conn.WriteToUDPAddrPort(b, to.addr) // lost like any datagram
	}}
	return p
}

// ReadFrom hands pion the next packet that it may see.
func (p *datagrams) ReadFrom(b []byte) (int, net.Addr, error) {
	p.settle()
	for {
		n, from, err := p.conn.ReadFromUDPAddrPort(b)
		var timeout net.Error
		switch {
		case err == nil:
			from = unmapped(from)
			if p.server.fromNeighbour(b[:n], from) {
				continue
			}
			if p.admit(b[:n], client{addr: from}) {
				return n, net.UDPAddrFromAddrPort(from), nil
			}
		case errors.Is(err, net.ErrClosed):
			return 0, nil, err
		case errors.As(err, &timeout) && timeout.Timeout():
			_ = p.conn.SetReadDeadline(time.Time{}) // only fails when closed: the next read says so
			p.server.endDue(&p.gate)
		default:
			p.pause()
		}
	}
}

// pause keeps a socket that fails again and again from taking a whole processor.
func (p *datagrams) pause() {
	t := time.NewTimer(10 * time.Millisecond)
	defer t.Stop()
	select {
	case <-t.C:
	case <-p.closed:
	}
}

// wake makes the loop end what is due.
func (p *datagrams) wake() { _ = p.conn.SetReadDeadline(time.Unix(1, 0)) }

// WriteTo sends to a client.
func (p *datagrams) WriteTo(b []byte, to net.Addr) (int, error) {
	if !p.mayAnswer(b, clientOf(to)) {
		return len(b), nil
	}
	n, err := p.conn.WriteToUDPAddrPort(b, clientOf(to).addr)
	if err != nil {
		p.server.tally.send.Add(1)
	}
	return n, err
}

// Close ends the loop.
func (p *datagrams) Close() error {
	var err error
	p.once.Do(func() {
		close(p.closed)
		err = p.conn.Close()
	})
	return err
}

// LocalAddr is where the plane listens.
func (p *datagrams) LocalAddr() net.Addr { return p.conn.LocalAddr() }

// SetDeadline is not used by pion.
func (p *datagrams) SetDeadline(time.Time) error { return errors.ErrUnsupported }

// SetReadDeadline is not used by pion.
func (p *datagrams) SetReadDeadline(time.Time) error { return errors.ErrUnsupported }

// SetWriteDeadline is not used by pion.
func (p *datagrams) SetWriteDeadline(time.Time) error { return errors.ErrUnsupported }

// frame is one packet from a stream, or with n 0 the news that the stream is gone.
type frame struct {
	from *stream
	buf  *[maxPacket]byte
	n    int
}

// inboxSize is how many frames of all streams wait for the plane. Readers wait when it is full, so
// that TCP pushes back.
const inboxSize = 128

// streams is the plane of TCP.
type streams struct {
	gate
	addr   net.Addr
	inbox  chan frame
	tick   chan struct{}
	closed chan struct{}
	once   sync.Once
	lobby  *lobby

	mu    sync.RWMutex // guards the following fields
	conns map[netip.AddrPort]*stream
	from  map[netip.Addr]int // streams of one address or /64
}

func newStreams(s *Server, addr net.Addr) *streams {
	p := &streams{
		addr:   addr,
		inbox:  make(chan frame, inboxSize),
		tick:   make(chan struct{}, 1),
		closed: make(chan struct{}),
		lobby:  newLobby(s.cfg.Quotas.Strangers, s.cfg.Quotas.StreamsPer),
		conns:  map[netip.AddrPort]*stream{},
		from:   map[netip.Addr]int{},
	}
	p.gate = gate{server: s, stream: true, reply: p.send, made: p.settled}
	return p
}

// ReadFrom hands pion the next frame that it may see.
func (p *streams) ReadFrom(b []byte) (int, net.Addr, error) {
	p.settle()
	for {
		select {
		case f := <-p.inbox:
			if f.n == 0 {
				if live := p.server.table.of(f.from.client); live != nil {
					_ = live.Close() // always nil
				}
				continue
			}
			n := copy(b, f.buf[:f.n])
			p.server.buffers.Put(f.buf)
			if p.admit(b[:n], f.from.client) {
				return n, net.TCPAddrFromAddrPort(f.from.client.addr), nil
			}
		case <-p.tick:
			p.server.endDue(&p.gate)
		case <-p.closed:
			return 0, nil, net.ErrClosed
		}
	}
}

// wake makes the loop end what is due.
func (p *streams) wake() {
	select {
	case p.tick <- struct{}{}:
	default:
	}
}

// WriteTo queues for a client. A client that is gone takes nothing and is no error.
func (p *streams) WriteTo(b []byte, to net.Addr) (int, error) {
	if !p.mayAnswer(b, clientOf(to)) {
		return len(b), nil
	}
	p.send(b, clientOf(to))
	return len(b), nil
}

func (p *streams) send(b []byte, to client) {
	p.mu.RLock()
	c := p.conns[to.addr]
	p.mu.RUnlock()
	if c != nil {
		c.send(b)
	}
}

// Close ends the loop.
func (p *streams) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// LocalAddr is where the plane listens.
func (p *streams) LocalAddr() net.Addr { return p.addr }

// SetDeadline is not used by pion.
func (p *streams) SetDeadline(time.Time) error { return errors.ErrUnsupported }

// SetReadDeadline is not used by pion.
func (p *streams) SetReadDeadline(time.Time) error { return errors.ErrUnsupported }

// SetWriteDeadline is not used by pion.
func (p *streams) SetWriteDeadline(time.Time) error { return errors.ErrUnsupported }
