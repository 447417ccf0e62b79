package turn

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// udpPlane is how UDP reaches pion: datagrams, one packet at a time, or path, whose packets mostly
// do not.
type udpPlane interface {
	net.PacketConn
	wake() // makes the loop end what is due
	guard() *gate
}

// frame is one packet for pion, or with n 0 the news that a client is gone.
type frame struct {
	from client
	buf  *buffer
	n    int
}

// How many packets wait for pion. When it is too much, readers of streams wait, so that TCP pushes
// back, and datagrams are dropped: their senders repeat requests.
const (
	framesWait    = 128
	datagramsWait = 1024
)

// plane is the loop of pion that has its packets brought to it.
type plane struct {
	gate
	addr   net.Addr // of streams known once they listen
	inbox  chan frame
	tick   chan struct{}
	closed chan struct{}
	left   chan struct{} // closed when pion has left the loop
	once   sync.Once
}

func newPlane(g gate, addr net.Addr, inbox int) plane {
	return plane{
		gate:   g,
		addr:   addr,
		inbox:  make(chan frame, inbox),
		tick:   make(chan struct{}, 1),
		closed: make(chan struct{}),
		left:   make(chan struct{}),
	}
}

// ReadFrom hands pion the next packet that it may see.
func (p *plane) ReadFrom(b []byte) (int, net.Addr, error) {
	p.settle()
	for {
		select {
		case f := <-p.inbox:
			if f.n == 0 {
				if live := p.server.table.of(f.from); live != nil {
					_ = live.Close() // always nil
				}
				continue
			}
			n := copy(b, f.buf.packet(f.n))
			p.server.buffers.Put(f.buf)
			if p.admit(b[:n], f.from) {
				return n, f.from.netAddr(), nil
			}
		case <-p.tick:
			p.server.endDue(&p.gate)
		case <-p.closed:
			close(p.left)
			return 0, nil, net.ErrClosed
		}
	}
}

// netAddr is c as pion knows it; clientOf is the way back.
func (c client) netAddr() net.Addr {
	if c.stream {
		return net.TCPAddrFromAddrPort(c.addr)
	}
	return net.UDPAddrFromAddrPort(c.addr)
}

// wake makes the loop end what is due.
func (p *plane) wake() {
	select {
	case p.tick <- struct{}{}:
	default:
	}
}

func (g *gate) guard() *gate { return g }

// Close ends the loop.
func (p *plane) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// LocalAddr is where the plane listens.
func (p *plane) LocalAddr() net.Addr { return p.addr }

// SetDeadline is not used by pion.
func (p *plane) SetDeadline(time.Time) error { return errors.ErrUnsupported }

// SetReadDeadline is not used by pion.
func (p *plane) SetReadDeadline(time.Time) error { return errors.ErrUnsupported }

// SetWriteDeadline is not used by pion.
func (p *plane) SetWriteDeadline(time.Time) error { return errors.ErrUnsupported }

// streams is the plane of TCP.
type streams struct {
	plane
	lobby *lobby

	mu    sync.RWMutex // guards the following fields
	conns map[netip.AddrPort]*stream
	from  map[netip.Addr]int // streams of one address or /64
}

func newStreams(s *Server) *streams {
	p := &streams{
		lobby: newLobby(s.cfg.Quotas.Strangers, s.cfg.Quotas.StreamsPer),
		conns: map[netip.AddrPort]*stream{},
		from:  map[netip.Addr]int{},
	}
	p.plane = newPlane(gate{server: s, stream: true, reply: p.send, made: p.settled}, nil, framesWait)
	return p
}

// WriteTo queues for a client. A client that is gone takes nothing and is no error.
func (p *streams) WriteTo(b []byte, to net.Addr) (int, error) {
	if b = p.answer(b, p.clientOf(to)); b == nil {
		return 0, nil
	}
	p.send(b, p.clientOf(to))
	return len(b), nil
}

func (p *streams) send(b []byte, to client) {
	if c := p.of(to); c != nil {
		c.send(b)
	}
}

// later sends with what comes next.
func (p *streams) later(b []byte, to client) {
	if c := p.of(to); c != nil {
		c.later(b)
	}
}

// of returns the stream of a client, or nil.
func (p *streams) of(c client) *stream {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.conns[c.addr]
}
