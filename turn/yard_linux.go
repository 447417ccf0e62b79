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

// takeFrom is how many packets one door may bring before the next has its turn. Most bring one.
const takeFrom = 8

// noDoor is the tag of the relay's port; doors have their own port.
const noDoor = -1

// yard is what a lane needs for its doors.
type yard struct {
	used   atomic.Bool // there has been a door
	events [batchSize]unix.EpollEvent
	in     *intake
	taken  int      // buffers of in that hold packets to be sent
	late   []uint16 // doors that may have more
	spare  []uint16 // to gather the next
}

func (l *lane) watchDoor(fd int, port uint16) error {
	l.yard.used.Store(true)
	return l.watch.add(fd, unix.EPOLLIN|unix.EPOLLET, int32(port))
}

// doors carries what waits at the doors and tells whether there may be more, there or at the relay's
// port. That the port can be read is told once: who asks must act on it.
func (l *lane) doors() bool {
	y := &l.yard
	if !y.used.Load() {
		return false
	}
	n := ready(l.watch.ep, y.events[:])
	late := y.late
	y.late, y.spare = y.spare[:0], late
	if n == 0 && len(late) == 0 {
		return false
	}
	now, more := time.Now(), n == len(y.events)
	for _, e := range y.events[:n] {
		if e.Fd == noDoor {
			more = true
			continue
		}
		l.take(uint16(e.Fd), now) //nolint:gosec // the port that open has put there
	}
	for _, port := range late {
		l.take(port, now)
	}
	l.flush()
	y.taken = 0
	return more || len(y.late) > 0
}

// take carries the packets of the door at port.
func (l *lane) take(port uint16, now time.Time) {
	s, y := l.path.server, &l.yard
	r := s.table.at(port)
	if r == nil {
		return // it has just been closed
	}
	d := r.door.Load()
	if d == nil {
		return
	}
	if y.taken > batchSize-takeFrom || l.out.n > batchSize-takeFrom {
		l.flush()
		y.taken = 0
	}
	first := y.taken
	n, more := d.receive(y.in, first)
	if more {
		y.late = append(y.late, port)
	}
	y.taken += n
	for i := first; i < first+n; i++ {
		size, whole := y.in.size(i)
		if !whole {
			s.tally.malformed.Add(1)
			continue
		}
		b := &y.in.buf[i]
		st := r.fromPeer(b, size, y.in.name[i].addrPort(), now)
		if st.do != toBrowser {
			continue
		}
		l.did.inPackets++
		l.did.inBytes += int64(size)
		l.toBrowser(b[st.span.start:st.span.end], r)
	}
}

// receive reads at most takeFrom packets, and tells whether there may be more.
func (d *door) receive(in *intake, first int) (n int, more bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.fd < 0 {
		return 0, false
	}
	n, err := in.receive(d.fd, first, takeFrom)
	return n, n == takeFrom || err != 0 && err != unix.EAGAIN
}
