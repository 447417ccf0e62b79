package turn

import (
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// door is the socket of an open relay. Packets of one call may come through any lane, so that it can
// be closed under a loop that is about to send: the descriptor may belong to another call by then.
type door struct {
	family int
	mu     sync.RWMutex // held to use fd
	fd     int          // -1 when closed
}

// open opens the socket of the open relay r and lets a yard listen to it.
func (p *path) open(r *relay, at netip.AddrPort) error {
	d := &door{family: unix.AF_INET}
	if at.Addr().Is6() {
		d.family = unix.AF_INET6
	}
	var err error
	if d.fd, err = newSocket(d.family); err != nil {
		return err
	}
	to := sockaddrOf(at, d.family)
	if err = to.bind(d.fd); err == nil {
		r.door.Store(d) // before the first packet comes
		err = p.lanes[int(at.Port())%len(p.lanes)].watchDoor(d.fd, at.Port())
	}
	if err != nil {
		r.door.Store(nil)
		d.close()
	}
	return err
}

// bind gives a socket this address.
func (s *sockaddr) bind(fd int) error {
	a := s.addrPort()
	var at unix.Sockaddr = &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
	if a.Addr().Is4() {
		at = &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return os.NewSyscallError("bind", unix.Bind(fd, at))
}

// send sends one packet. Each call has its own door, so there is nothing to batch.
func (d *door) send(b []byte, to netip.AddrPort) bool {
	at := sockaddrOf(to, d.family)
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.fd >= 0 && sendTo(d.fd, b, &at)
}

func (d *door) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	_ = closeFD(d.fd) // nobody can do anything about it
	d.fd = -1
}

// noDoor is the tag of the relay's port; doors have their own port.
const noDoor = -1

// yard is what a lane needs for its doors.
type yard struct {
	used   atomic.Bool // there has been a door
	events [batchSize]unix.EpollEvent
	in     *intake
	taken  int // buffers of in that hold packets to be sent
}

// watchDoor has a door told for as long as it has packets: most have one, and to ask whether there is
// another costs half as much as to read it.
func (l *lane) watchDoor(fd int, port uint16) error {
	l.yard.used.Store(true)
	return l.watch.add(fd, unix.EPOLLIN, int32(port))
}

// doors carries one packet from each door that has some, and tells whether there may be more, there or
// at the relay's port. That the port can be read is told once: who asks must act on it.
func (l *lane) doors() (more bool) {
	y := &l.yard
	if !y.used.Load() {
		return false
	}
	n := ready(l.watch.ep, y.events[:])
	if n == 0 {
		return false
	}
	now := time.Now()
	more, y.taken = n == len(y.events), 0
	for _, e := range y.events[:n] {
		// Of a door that is being closed nothing is read, and nobody waits for it here.
		if e.Fd == noDoor || l.take(uint16(e.Fd), now) { //nolint:gosec // the port that open has put there
			more = true
		}
	}
	l.flush()
	return more
}

// take carries a packet of the door at port, and tells whether the door could be asked for one.
func (l *lane) take(port uint16, now time.Time) bool {
	s, y := l.path.server, &l.yard
	r := s.table.at(port)
	if r == nil {
		return false // it has just been closed
	}
	d := r.door.Load()
	if d == nil {
		return false
	}
	i := y.taken // there is a buffer for each event
	asked, got := d.receive(y.in, i)
	if !got {
		return asked
	}
	size, whole := y.in.size(i)
	if !whole {
		s.tally.malformed.Add(1)
		return true
	}
	b := &y.in.buf[i]
	if st := r.fromPeer(b, size, y.in.name[i].addrPort(), now); st.do == toBrowser {
		y.taken++
		l.did.inPackets++
		l.did.inBytes += int64(size)
		l.toBrowser(b[st.span.start:st.span.end], r)
	}
	return true
}

// receive reads a packet into buffer i; asked is false when the door is closed.
func (d *door) receive(in *intake, i int) (asked, got bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.fd < 0 {
		return false, false
	}
	return true, in.receiveOne(d.fd, i)
}
