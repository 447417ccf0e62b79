package turn

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// path is the plane of UDP that carries packets itself, in batches. Every lane has a socket of the
// relay's port; the kernel spreads clients over them. It does not matter which lane gets a packet, as
// the tables are common and any lane may send to any client: pion sees requests only.
type path struct {
	plane
	here   *site
	family int // of the listeners
	lanes  []*lane
	loops  sync.WaitGroup
}

// newPath takes over the socket that conn has bound, and opens as many again as there are processors.
// conn is left alone when it fails.
func newPath(x *site, conn *net.UDPConn) (p *path, err error) {
	p = &path{here: x}
	p.plane = newPlane(gate{server: x.server, site: x.number, reply: p.send}, conn.LocalAddr(), datagramsWait)
	defer func() {
		if err != nil {
			p.free()
		}
	}()
	first, err := takeOver(conn)
	if err != nil {
		return nil, err
	}
	if p.family, err = unix.GetsockoptInt(first, unix.SOL_SOCKET, unix.SO_DOMAIN); err != nil {
		return nil, errors.Join(os.NewSyscallError("getsockopt", err), unix.Close(first))
	}
	for i := range runtime.GOMAXPROCS(0) {
		fd := first
		if i > 0 {
			if fd, err = listenAgain(first, p.family); err != nil {
				return nil, err
			}
		}
		l, err := newLane(p, fd)
		if err != nil {
			return nil, errors.Join(err, unix.Close(fd))
		}
		p.lanes = append(p.lanes, l)
	}
	for _, l := range p.lanes {
		p.loops.Go(l.run)
	}
	return p, conn.Close()
}

// takeOver returns another descriptor of conn's socket, which Go's poller does not watch. It was bound
// alone, so no other program has the port; from now on sockets of ours may join it.
func takeOver(conn *net.UDPConn) (fd int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return -1, err
	}
	fd = -1
	said := raw.Control(func(own uintptr) {
		if err = probe(int(own)); err != nil {
			return
		}
		if fd, err = unix.FcntlInt(own, unix.F_DUPFD_CLOEXEC, 0); err == nil {
			err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
		}
	})
	if err = errors.Join(said, err); err != nil {
		return -1, errors.Join(err, closeFD(fd))
	}
	return fd, nil
}

// listenAgain opens another socket at the address of fd.
func listenAgain(fd, family int) (int, error) {
	at, err := unix.Getsockname(fd)
	if err != nil {
		return -1, os.NewSyscallError("getsockname", err)
	}
	again, err := newSocket(family)
	if err != nil {
		return -1, err
	}
	err = unix.SetsockoptInt(again, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	if err == nil && family == unix.AF_INET6 {
		var only int
		if only, err = unix.GetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY); err == nil {
			err = unix.SetsockoptInt(again, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only)
		}
	}
	if err == nil {
		_ = unix.SetsockoptInt(again, unix.SOL_SOCKET, unix.SO_RCVBUF, listenBuffer) // as much as is granted
		err = unix.Bind(again, at)
	}
	if err != nil {
		return -1, errors.Join(fmt.Errorf("another socket of the relay's port: %w", err), unix.Close(again))
	}
	return again, nil
}

func newSocket(family int) (int, error) {
	fd, err := unix.Socket(family, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	return fd, os.NewSyscallError("socket", err)
}

func closeFD(fd int) error {
	if fd < 0 {
		return nil
	}
	return unix.Close(fd)
}

// watch is an epoll descriptor within Go's own poller: no thread waits for it alone. Nothing but
// readability is watched, while Go would also wake up for each packet that has left the socket.
type watch struct {
	ep   int
	file *os.File
	conn syscall.RawConn
}

func newWatch() (watch, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return watch{}, os.NewSyscallError("epoll_create1", err)
	}
	if err := unix.SetNonblock(ep, true); err != nil { // lets os.NewFile use the poller
		return watch{}, errors.Join(err, unix.Close(ep))
	}
	file := os.NewFile(uintptr(ep), "epoll")
	conn, err := file.SyscallConn()
	if err != nil {
		return watch{}, errors.Join(err, file.Close())
	}
	return watch{ep, file, conn}, nil
}

// add makes the watch ready whenever fd is; tag comes with the event.
func (w watch) add(fd int, events uint32, tag int32) error {
	return os.NewSyscallError("epoll_ctl",
		unix.EpollCtl(w.ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: tag}))
}

// each calls work whenever something became ready, until the watch is closed. work returns when
// nothing is left: what stays is not told again.
func (w watch) each(work func()) {
	_ = w.conn.Read(func(uintptr) bool { // says only that the watch was closed
		work()
		return false
	})
}

// name is a client as the listeners write it.
func (p *path) name(a netip.AddrPort) sockaddr { return sockaddrOf(a, p.family) }

// WriteTo sends what pion answers.
func (p *path) WriteTo(b []byte, to net.Addr) (int, error) {
	if b = p.answer(b, p.clientOf(to)); b == nil {
		return 0, nil
	}
	p.send(b, p.clientOf(to))
	return len(b), nil
}

func (p *path) send(b []byte, to client) {
	at := p.name(to.addr)
	p.sendTo(b, &at)
}

// sendTo sends to a client from any lane: they all have the relay's address.
func (p *path) sendTo(b []byte, to *sockaddr) {
	if !sendTo(p.lanes[0].fd, b, to) {
		p.server.tally.send.Add(1)
	}
}

// toBrowser sends what a stream or a socket of an open relay brought.
func (p *path) toBrowser(b []byte, r *relay) {
	if r.client.stream {
		p.server.streams.send(b, r.client)
		return
	}
	p.sendTo(b, &r.at)
}

// toPeer sends from the socket of an open relay.
func (p *path) toPeer(b []byte, st step) {
	if !st.relay.door.Load().send(b, st.peer) {
		p.server.tally.send.Add(1)
	}
}

// stop ends the loops. The sockets stay open, as others may still send.
func (p *path) stop() {
	for _, l := range p.lanes {
		_ = l.watch.file.Close() // wakes its loop; it cannot fail
	}
	p.loops.Wait()
}

// free closes the sockets, when nobody can send any more.
func (p *path) free() {
	for _, l := range p.lanes {
		_ = l.watch.file.Close()
		_ = unix.Close(l.fd)
	}
}

// lane is one socket of the relay's port, a share of the doors, and the loop that serves both.
type lane struct {
	path  *path
	fd    int
	watch watch // of fd and the doors
	in    *intake
	out   outgo
	yard  yard
	did   load
}

// load is what a loop has carried since it last told the tally.
type load struct{ packets, bytes, outPackets, outBytes, inPackets, inBytes int64 }

func newLane(p *path, fd int) (*lane, error) {
	w, err := newWatch()
	if err != nil {
		return nil, err
	}
	if err := w.add(fd, unix.EPOLLIN|unix.EPOLLET, noDoor); err != nil {
		return nil, errors.Join(err, w.file.Close())
	}
	l := &lane{path: p, fd: fd, watch: w, in: newIntake()}
	l.yard.in = newIntake()
	return l, nil
}

func (l *lane) run() { l.watch.each(l.drain) }

// drain carries what waits. The relay's port, which it found empty, is not asked again: what comes
// after that wakes the lane. Of doors the watch is asked until it knows of none.
func (l *lane) drain() {
	for {
		n := l.browsers()
		more := l.doors()
		if n < batchSize && !more {
			return
		}
		if n == batchSize {
			runtime.Gosched() // under a flood requests get their turn too
		}
	}
}

// browsers carries one batch from the relay's port and returns how many packets it had.
func (l *lane) browsers() int {
	n, err := l.in.receive(l.fd, 0, batchSize)
	for tries := 0; err != 0 && err != unix.EAGAIN && tries < 8; tries++ { // of an earlier packet
		n, err = l.in.receive(l.fd, 0, batchSize)
	}
	if n == 0 {
		return 0
	}
	now := time.Now()
	for i := range n {
		l.carry(i, now)
	}
	t := &l.path.server.tally
	t.batches.Add(1)
	t.batched.Add(int64(n))
	l.flush()
	return n
}

// flush sends what is gathered.
func (l *lane) flush() {
	t := &l.path.server.tally
	t.carried(&l.did)
	if l.out.n > 0 {
		t.send.Add(int64(l.out.send(l.fd)))
	}
}

// carry does with packet i what is to be done.
func (l *lane) carry(i int, now time.Time) {
	s := l.path.server
	n, whole := l.in.size(i)
	if !whole {
		s.tally.malformed.Add(1)
		return
	}
	b := &l.in.buf[i]
	from := client{site: l.path.site, addr: l.in.name[i].addrPort()}
	switch st := s.fromBrowser(b, n, from, now); st.do {
	case dropped:
	case forPion:
		l.path.post(b, n, from)
	case toBrowser:
		l.did.packets++
		l.did.bytes += int64(st.size)
		l.toBrowser(b[st.span.start:st.span.end], st.relay)
	case toPeer:
		l.did.outPackets++
		l.did.outBytes += int64(st.size)
		l.path.toPeer(b[st.span.start:st.span.end], st)
	}
}

// toBrowser sends with the rest of the batch, if it leaves from this lane's address.
func (l *lane) toBrowser(b []byte, r *relay) {
	if r.client.stream || r.site != l.path.here {
		r.site.path.toBrowser(b, r)
		return
	}
	l.out.add(b, &r.at)
}

// post copies a request for pion, or drops it when too many wait.
func (p *path) post(b *buffer, n int, from client) {
	f := frame{from: from, buf: p.server.buffer(), n: n}
	copy(f.buf.packet(n), b.packet(n))
	select {
	case p.inbox <- f:
	default:
		p.server.buffers.Put(f.buf)
		p.server.tally.queue.Add(1)
	}
}

// carried adds what a loop did.
func (t *tally) carried(did *load) {
	t.packets.Add(did.packets)
	t.bytes.Add(did.bytes)
	t.outPackets.Add(did.outPackets)
	t.outBytes.Add(did.outBytes)
	t.inPackets.Add(did.inPackets)
	t.inBytes.Add(did.inBytes)
	*did = load{}
}
