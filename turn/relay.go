package turn

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// parcel is a packet on its way to a relay's browser.
type parcel struct {
	buf  *buffer
	n    int
	from netip.AddrPort
}

// queueSize is how many packets wait for pion to wrap them; with more the newest is dropped.
const queueSize = 64

// portTries is how many ports an open relay tries.
const portTries = 8

// early is how long before pion's own timer the plane ends a relay.
const early = 2 * time.Second

// relay is one allocation: to pion the socket of a relayed address, to us all that is known of it.
type relay struct {
	server *Server
	site   *site // that the browser came to: its address is the relay's
	client client
	user   string
	key    []byte // of MESSAGE-INTEGRITY
	grant  grant
	place  place // in the ledger
	port   uint16
	made   time.Time    // by Config.Now
	ends   atomic.Int64 // Unix ns

	next           atomic.Pointer[relay] // in the table's chain
	granted        atomic.Pointer[grants]
	mu             sync.Mutex // held to replace granted
	sent, received *bucket    // of Veil those of the credential, so that several relays are worth no more than one
	indications    atomic.Uint64
	carried        *carried // nil: nobody wants to know

	// Of the packet path.
	at   sockaddr             // the client, as the listener writes it
	door atomic.Pointer[door] // Open only; listed first, as its port is found there

	// Of the plain path.
	socket *net.UDPConn // Open only
	pump   sync.WaitGroup
	in     chan parcel

	closed chan struct{}
	once   sync.Once // of the end
	left   sync.Once // of pion's reader going away
}

// newRelay lists a relay for c, which has taken p, and, if it is open, opens its socket.
func (s *Server) newRelay(c client, u user, p place, lifetime time.Duration) (*relay, error) {
	r := &relay{
		server: s, site: s.siteOf(c), client: c, user: u.name, key: u.key, grant: u.grant, place: p, made: s.cfg.Now(),
		closed: make(chan struct{}),
	}
	r.granted.Store(&grants{})
	if s.cfg.Ended != nil {
		r.carried = &carried{}
	}
	r.sent, r.received = new(bucket), new(bucket)
	if u.grant.kind == Veil {
		r.sent, r.received = s.ledger.buckets(u.name)
	}
	if r.site.path != nil {
		r.at = r.site.path.name(c.addr)
	} else {
		r.in = make(chan parcel, queueSize)
	}
	r.extend(lifetime)
	if err := r.settleDown(); err != nil {
		return nil, err
	}
	s.relays.Add(1)
	s.tally.relays.Add(1)
	s.tally.made.Add(1)
	return r, nil
}

// settleDown lists the relay under a free port and, if it is open, opens its socket there. A port
// that another program has rests like a used one, and the next is tried.
func (r *relay) settleDown() error {
	s := r.server
	var taken error
	for range portTries {
		if err := s.table.add(r, time.Now()); err != nil {
			return errors.Join(err, taken)
		}
		if r.grant.kind != Open {
			return nil
		}
		if taken = r.openDoor(netip.AddrPortFrom(r.site.bound, r.port)); taken == nil {
			return nil
		}
		s.table.remove(r, time.Now())
	}
	return taken
}

// openDoor opens the socket of an open relay.
func (r *relay) openDoor(at netip.AddrPort) (err error) {
	if r.site.path != nil {
		return r.site.path.open(r, at)
	}
	if r.socket, err = net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at)); err == nil {
		r.pump.Go(r.fromOutside)
	}
	return err
}

// extend sets the end to lifetime from now, a little before pion's.
func (r *relay) extend(lifetime time.Duration) {
	r.ends.Store(time.Now().Add(lifetime - early).UnixNano())
}

func (r *relay) expires() time.Time { return time.Unix(0, r.ends.Load()) }

// over tells that the relay has lived as long as a call may.
func (r *relay) over() bool { return r.server.cfg.Now().Sub(r.made) >= r.server.cfg.Quotas.CallTime }

// rate is how many bytes a second the relay carries each way.
func (r *relay) rate() int {
	if r.grant.kind == Open {
		return r.server.cfg.Quotas.RoomRate
	}
	return r.server.cfg.Quotas.VoiceRate
}

// WriteTo carries a packet of the browser to a peer. pion calls it; a packet that may not go where
// it wants is dropped without a word, as RFC 8656 section 11.2 has it.
func (r *relay) WriteTo(b []byte, to net.Addr) (n int, err error) {
	defer r.server.survive()
	peer, isUDP := to.(*net.UDPAddr)
	if !isUDP {
		return len(b), nil
	}
	s := r.server
	at := unmapped(peer.AddrPort())
	switch how, other := r.outward(len(b), at, time.Now()); how {
	case inside:
		if other.inward(len(b), r.address(), time.Now()) {
			s.tally.packets.Add(1)
			s.tally.bytes.Add(int64(len(b)))
			other.deliver(b, r.address())
		}
	case outside:
		s.tally.outPackets.Add(1)
		s.tally.outBytes.Add(int64(len(b)))
		if _, err := r.socket.WriteToUDPAddrPort(b, at); err != nil {
			s.tally.send.Add(1) // the next packet may get through
		}
	case elsewhere:
		s.toNeighbours(r, b, at)
	case nowhere:
	}
	return len(b), nil
}

// deliver brings a packet to the relay's browser; on the plain path it waits for pion to wrap it.
func (r *relay) deliver(b []byte, from netip.AddrPort) {
	s := r.server
	if path := r.site.path; path != nil {
		buf := s.buffer()
		out := r.wrap(buf, span{headroom, headroom + copy(buf[headroom:headroom+maxPacket], b)}, from)
		path.toBrowser(buf[out.start:out.end], r)
		s.buffers.Put(buf)
		return
	}
	p := parcel{buf: s.buffer(), from: from}
	p.n = copy(p.buf[:], b)
	select {
	case r.in <- p:
	default:
		s.buffers.Put(p.buf)
		s.tally.queue.Add(1)
	}
}

// fromOutside takes packets from the network until the socket is closed.
func (r *relay) fromOutside() {
	var b [maxPacket + 1]byte
	for {
		n, from, err := r.socket.ReadFromUDPAddrPort(b[:])
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil || n > maxPacket:
			continue
		}
		if from = unmapped(from); !r.hears(from) || !r.inward(n, from, time.Now()) {
			continue
		}
		r.server.tally.inPackets.Add(1)
		r.server.tally.inBytes.Add(int64(n))
		r.deliver(b[:n], from)
	}
}

// ReadFrom hands pion the next packet for the browser. The packet path brings pion none; there each
// relay has a goroutine that waits for its end, as pion will have it, and needs no deeper stack.
func (r *relay) ReadFrom(b []byte) (int, net.Addr, error) {
	if r.in != nil {
		return r.receive(b)
	}
	<-r.closed
	r.left.Do(r.server.relays.Done)
	return 0, nil, net.ErrClosed
}

// receive hands pion the next packet of the plain path.
func (r *relay) receive(b []byte) (int, net.Addr, error) {
	select {
	case p := <-r.in:
		n := copy(b, p.buf[:p.n])
		r.server.buffers.Put(p.buf)
		return n, net.UDPAddrFromAddrPort(p.from), nil
	case <-r.closed:
		r.left.Do(r.server.relays.Done)
		return 0, nil, net.ErrClosed
	}
}

// Close ends the relay and gives back what it held, however it came to its end.
func (r *relay) Close() error {
	r.once.Do(func() {
		s := r.server
		s.table.remove(r, time.Now())
		if r.socket != nil {
			_ = r.socket.Close() // nobody can do anything about it
			r.pump.Wait()
		}
		if d := r.door.Load(); d != nil {
			d.close()
		}
		s.ledger.give(r.place)
		s.tally.relays.Add(-1)
		r.tellEnd()
		close(r.closed) // last: Server.Close waits for pion to see it
	})
	return nil
}

// LocalAddr is the relayed address.
func (r *relay) LocalAddr() net.Addr {
	return net.UDPAddrFromAddrPort(r.address())
}

// SetDeadline, SetReadDeadline and SetWriteDeadline are not used by pion.
func (r *relay) SetDeadline(time.Time) error { return errors.ErrUnsupported }

// SetReadDeadline is not used by pion.
func (r *relay) SetReadDeadline(time.Time) error { return errors.ErrUnsupported }

// SetWriteDeadline is not used by pion.
func (r *relay) SetWriteDeadline(time.Time) error { return errors.ErrUnsupported }
