package turn

import (
	"errors"
	"net"
	"sync"
	"time"
)

// datagrams is the plain plane of UDP: one socket, one packet at a time, all of them through pion. It
// serves where the packet path does not run, and the tests compare the two.
type datagrams struct {
	gate
	conn   *net.UDPConn
	closed chan struct{}
	once   sync.Once
}

func newDatagrams(x *site, conn *net.UDPConn) *datagrams {
	p := &datagrams{conn: conn, closed: make(chan struct{})}
	p.gate = gate{server: x.server, site: x.number, reply: func(b []byte, to client) {
		if _, err := p.conn.WriteToUDPAddrPort(b, to.addr); err != nil { // lost like any datagram
			x.server.tally.send.Add(1)
		}
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
			if p.admit(b[:n], client{site: p.site, addr: from}) {
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
	if b = p.answer(b, p.clientOf(to)); b == nil {
		return 0, nil
	}
	n, err := p.conn.WriteToUDPAddrPort(b, p.clientOf(to).addr)
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
