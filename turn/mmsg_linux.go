package turn

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// This file is the only one that makes raw system calls. They never wait (MSG_DONTWAIT), so that
// RawSyscall may leave out the bookkeeping of Go's scheduler; the longest, sendmmsg of 64 packets,
// holds up a collection of garbage by about 0.1 ms.

// batchSize is how many packets one system call may carry.
const batchSize = 64

// sockaddr is a struct sockaddr_in or sockaddr_in6.
type sockaddr struct {
	raw  [unix.SizeofSockaddrInet6]byte
	size uint32
}

// sockaddrOf is a as a socket of this family has it.
func sockaddrOf(a netip.AddrPort, family int) (s sockaddr) {
	binary.BigEndian.PutUint16(s.raw[2:], a.Port())
	if family == unix.AF_INET {
		binary.NativeEndian.PutUint16(s.raw[:], unix.AF_INET)
		ip := a.Addr().Unmap().As4()
		copy(s.raw[4:], ip[:])
		s.size = unix.SizeofSockaddrInet4
		return s
	}
	binary.NativeEndian.PutUint16(s.raw[:], unix.AF_INET6)
	ip := a.Addr().As16()
	copy(s.raw[8:], ip[:])
	if zone, err := strconv.ParseUint(a.Addr().Zone(), 10, 32); err == nil { // as addrPort writes it
		binary.NativeEndian.PutUint32(s.raw[24:], uint32(zone))
	}
	s.size = unix.SizeofSockaddrInet6
	return s
}

// addrPort reads what the kernel wrote. Mapped addresses come out as IPv4.
func (s *sockaddr) addrPort() netip.AddrPort {
	port := binary.BigEndian.Uint16(s.raw[2:])
	if binary.NativeEndian.Uint16(s.raw[:]) == unix.AF_INET {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(s.raw[4:8])), port)
	}
	ip := netip.AddrFrom16([16]byte(s.raw[8:24])).Unmap()
	if zone := binary.NativeEndian.Uint32(s.raw[24:]); zone != 0 { // link-local only
		ip = ip.WithZone(strconv.FormatUint(uint64(zone), 10))
	}
	return netip.AddrPortFrom(ip, port)
}

// mmsghdr is struct mmsghdr; Go's alignment supplies the padding behind n.
type mmsghdr struct {
	hdr unix.Msghdr
	n   uint32
}

// intake receives batches. Its vectors point into itself and are set up once: of what the kernel
// reads there it changes nothing, as the addresses of one socket have one length.
type intake struct {
	msg  [batchSize]mmsghdr
	iov  [batchSize]unix.Iovec
	name [batchSize]sockaddr
	buf  [batchSize]buffer
}

func newIntake() *intake {
	in := &intake{}
	for i := range in.msg {
		in.iov[i].Base = &in.buf[i][headroom]
		in.iov[i].SetLen(maxPacket)
		h := &in.msg[i].hdr
		h.Iov = &in.iov[i]
		h.SetIovlen(1)
		h.Name = &in.name[i].raw[0]
		h.Namelen = unix.SizeofSockaddrInet6
	}
	return in
}

// receive fills buffers from first on, at most limit, and returns how many; fewer than limit mean
// that the socket is empty. An error, which the kernel reports once, counts as no packet.
func (in *intake) receive(fd, first, limit int) (n int, err unix.Errno) {
	r, _, e := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&in.msg[first])), //nolint:gosec // G103: what recvmmsg takes
		uintptr(limit), unix.MSG_DONTWAIT, 0, 0)
	if e != 0 {
		return 0, e
	}
	return int(r), 0
}

// receiveOne fills buffer i, if a packet waits. Of one packet recvfrom has less to copy than recvmmsg.
func (in *intake) receiveOne(fd, i int) bool {
	m := &in.msg[i]
	m.hdr.Namelen = unix.SizeofSockaddrInet6
	n, _, e := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(m.hdr.Iov.Base)), maxPacket, //nolint:gosec // G103: what recvfrom takes
		unix.MSG_DONTWAIT|unix.MSG_TRUNC, uintptr(unsafe.Pointer(&in.name[i].raw[0])), uintptr(unsafe.Pointer(&m.hdr.Namelen))) //nolint:gosec // G103: likewise
	if e != 0 {
		return false
	}
	m.n = uint32(n) //nolint:gosec // G115: a packet is shorter than 64 KiB
	m.hdr.Flags = 0
	if n > maxPacket { // what it was, not what there was room for
		m.hdr.Flags = unix.MSG_TRUNC
	}
	return true
}

// size is the length of packet i; false if it was longer than a buffer.
func (in *intake) size(i int) (int, bool) {
	return int(in.msg[i].n), in.msg[i].hdr.Flags&unix.MSG_TRUNC == 0
}

// probe tells whether the system has the two calls: an old one, a sandbox or a filter may not. What
// the socket has is left in it.
func probe(fd int) error {
	_, _, in := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), 0, 0, unix.MSG_DONTWAIT, 0, 0)
	_, _, out := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(fd), 0, 0, unix.MSG_DONTWAIT, 0, 0)
	for _, e := range []unix.Errno{in, out} {
		if e != 0 && e != unix.EAGAIN {
			return fmt.Errorf("recvmmsg and sendmmsg: %w", e)
		}
	}
	return nil
}

// outgo gathers packets to send. They stay where they are: an outgo points at them.
type outgo struct {
	msg [batchSize]mmsghdr
	iov [batchSize]unix.Iovec
	n   int
}

// add appends a packet; the caller keeps at most batchSize and lets both live until send.
func (out *outgo) add(b []byte, to *sockaddr) {
	h := &out.msg[out.n].hdr
	point(h, &out.iov[out.n], b)
	h.Name, h.Namelen = &to.raw[0], to.size
	out.n++
}

func point(h *unix.Msghdr, v *unix.Iovec, b []byte) {
	v.Base = unsafe.SliceData(b) //nolint:gosec // G103: an empty datagram is legal, so that b[0] may not exist
	v.SetLen(len(b))
	h.Iov = v
	h.SetIovlen(1)
}

// send hands all to the kernel and returns how many it would not take. sendmmsg stops at the first
// that fails; it is skipped, as late audio is worth nothing.
func (out *outgo) send(fd int) (failed int) {
	for done := 0; done < out.n; {
		n, _, e := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&out.msg[done])), //nolint:gosec // G103: what sendmmsg takes
			uintptr(out.n-done), unix.MSG_DONTWAIT, 0, 0)
		switch {
		case e == unix.EINTR:
		case e != 0:
			failed++
			done++
		default:
			done += int(n)
		}
	}
	out.n = 0
	return failed
}

// sendTo sends one packet.
func sendTo(fd int, b []byte, to *sockaddr) bool {
	_, _, e := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), //nolint:gosec // G103: what sendto takes
		unix.MSG_DONTWAIT, uintptr(unsafe.Pointer(&to.raw[0])), uintptr(to.size)) //nolint:gosec // G103: likewise
	return e == 0
}

// ready asks an epoll descriptor which of its sockets can be read.
func ready(ep int, events []unix.EpollEvent) int {
	n, _, e := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(ep), uintptr(unsafe.Pointer(&events[0])), //nolint:gosec // G103: what epoll_pwait takes
		uintptr(len(events)), 0, 0, 0)
	if e != 0 {
		return 0
	}
	return int(n)
}
