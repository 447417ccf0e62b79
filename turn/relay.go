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
	buf  *[maxPacket]byte
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
	client client
	user   string
	key    []byte // of MESSAGE-INTEGRITY
	grant  grant
	place  place // in the ledger
	port   uint16
	made   time.Time    // by Config.Now
	ends   atomic.Int64 // Unix ns

	socket *net.UDPConn // Open only
	pump   sync.WaitGroup
	in     chan parcel
	closed chan struct{}
	once   sync.Once // of the end
	left   sync.Once // of pion's reader going away

	sent, received bucket

	mu        sync.Mutex // guards the following fields
	permitted map[netip.Addr]struct{}
	channels  map[uint16]struct{}
}

// newRelay lists a relay for c, which has taken p, and, if it is open, opens its socket.
func (s *Server) newRelay(c client, u user, p place, lifetime time.Duration) (*relay, error) {
	r := &relay{
		server: s, client: c, user: u.name, key: u.key, grant: u.grant, place: p, made: s.cfg.Now(),
		in:        make(chan parcel, queueSize),
		closed:    make(chan struct{}),
		permitted: map[netip.Addr]struct{}{},
		channels:  map[uint16]struct{}{},
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
		at := net.UDPAddrFromAddrPort(netip.AddrPortFrom(s.bound, r.port))
		if r.socket, taken = net.ListenUDP("udp4", at); taken == nil {
			r.pump.Go(r.fromOutside)
			return nil
		}
		s.table.remove(r, time.Now())
	}
	return taken
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
	if !r.sent.take(len(b), r.rate(), burst, time.Now()) {
		s.tally.rate.Add(1)
		return len(b), nil
	}
	at := peer.AddrPort()
	switch how, other := s.route(r, at); how {
	case inside:
		s.tally.packets.Add(1)
		s.tally.bytes.Add(int64(len(b)))
		other.deliver(b, netip.AddrPortFrom(s.cfg.External, r.port))
	case outside:
		s.tally.outPackets.Add(1)
		s.tally.outBytes.Add(int64(len(b)))
		if _, err := r.socket.WriteToUDPAddrPort(b, unmapped(at)); err != nil {
			s.tally.send.Add(1) // the next packet may get through
		}
	case elsewhere:
		s.toNeighbours(r, b, unmapped(at))
	case nowhere:
		s.tally.route.Add(1)
	}
	return len(b), nil
}

// deliver queues a packet for the relay's browser.
func (r *relay) deliver(b []byte, from netip.AddrPort) {
	s := r.server
	if len(b) > maxPacket || !r.received.take(len(b), r.rate(), burst, time.Now()) {
		s.tally.rate.Add(1)
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
		// Our own address is served inside, and other nodes in frames: what comes from these through the
		// network is not a relay.
		from = unmapped(from)
		if r.server.peers.forbids(from) != "" || len(r.server.neighboursAt(from.Addr())) > 0 {
			r.server.tally.route.Add(1)
			continue
		}
		r.server.tally.inPackets.Add(1)
		r.server.tally.inBytes.Add(int64(n))
		r.deliver(b[:n], from)
	}
}

// ReadFrom hands pion the next packet for the browser.
func (r *relay) ReadFrom(b []byte) (int, net.Addr, error) {
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
		s.ledger.give(r.place)
		s.tally.relays.Add(-1)
		close(r.closed) // last: Server.Close waits for pion to see it
	})
	return nil
}

// LocalAddr is the relayed address.
func (r *relay) LocalAddr() net.Addr {
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(r.server.cfg.External, r.port))
}

// SetDeadline, SetReadDeadline and SetWriteDeadline are not used by pion.
func (r *relay) SetDeadline(time.Time) error { return errors.ErrUnsupported }

// SetReadDeadline is not used by pion.
func (r *relay) SetReadDeadline(time.Time) error { return errors.ErrUnsupported }

// SetWriteDeadline is not used by pion.
func (r *relay) SetWriteDeadline(time.Time) error { return errors.ErrUnsupported }

// change counts what pion granted or took back.
func (r *relay) change(f func(permitted map[netip.Addr]struct{}, channels map[uint16]struct{})) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f(r.permitted, r.channels)
}

// room tells whether the permissions and the channel that a request wants still fit.
func (r *relay) room(want *request) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	fresh := map[netip.Addr]struct{}{}
	for _, p := range want.peers {
		if _, have := r.permitted[p.Addr().Unmap()]; !have {
			fresh[p.Addr().Unmap()] = struct{}{}
		}
	}
	_, bound := r.channels[want.channel]
	return len(r.permitted)+len(fresh) <= maxPermissions && (want.channels == 0 || bound || len(r.channels) < maxChannels)
}
