package main

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// forwarder is the least that can pass packets on between pairs of clients: it knows nothing of TURN,
// asks nobody for permission and counts nothing. One thread waits in recvmmsg, writes the address of
// the other client into each packet's head, and sends them all with sendmmsg. What it costs is the
// kernel's, and nearly nothing else; a relay cannot be cheaper on the same sockets.
//
// Who sends "pair" and a number of four bytes belongs to the other one who sends that number, and has
// it sent back.
type forwarder struct {
	address netip.AddrPort
	fd      int
	ended   atomic.Bool

	other [1 << 16]unix.RawSockaddrInet4 // of the client with that port; all have one address
	first map[uint32]unix.RawSockaddrInet4
	msg   [64]bareMsg
	iov   [64]unix.Iovec
	name  [64]unix.RawSockaddrInet4
	buf   [64][2048]byte
}

// bareMsg is struct mmsghdr.
type bareMsg struct {
	hdr unix.Msghdr
	n   uint32
}

// bareHello begins what a client says first.
const bareHello = "pair"

func newForwarder() (*forwarder, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := &forwarder{fd: fd, first: map[uint32]unix.RawSockaddrInet4{}}
	patience := unix.Timeval{Usec: 100_000} // to see that it is to end
	err = errors.Join(
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 4<<20),
		unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}),
	)
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	at, err := unix.Getsockname(fd)
	here, is := at.(*unix.SockaddrInet4)
	if err != nil || !is {
		return nil, errors.Join(err, unix.Close(fd))
	}
	f.address = netip.AddrPortFrom(netip.AddrFrom4(here.Addr), uint16(here.Port)) //nolint:gosec // a port
	for i := range f.msg {
		f.iov[i].Base = &f.buf[i][0]
		h := &f.msg[i].hdr
		h.Iov, h.Name = &f.iov[i], (*byte)(unsafe.Pointer(&f.name[i])) //nolint:gosec // G103: what recvmmsg takes
		h.SetIovlen(1)
		h.Namelen = unix.SizeofSockaddrInet4
	}
	return f, nil
}

// serve forwards until stop. It waits in a system call that Go knows nothing of, as a program in C
// does; so another processor of Go's must be there for all else.
func (f *forwarder) serve() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for !f.ended.Load() {
		for i := range f.iov {
			f.iov[i].SetLen(len(f.buf[i]))
		}
		n, e := f.batch(unix.SYS_RECVMMSG, 0, len(f.msg), unix.MSG_WAITFORONE)
		if e != 0 {
			continue
		}
		for i := range n {
			f.turn(i)
		}
		for done := 0; done < n; {
			sent, e := f.batch(unix.SYS_SENDMMSG, done, n-done, 0)
			done += max(sent, 1)
			_ = e // the packet is lost
		}
	}
	_ = unix.Close(f.fd)
}

func (f *forwarder) batch(call uintptr, first, count, flags int) (int, unix.Errno) {
	n, _, e := unix.RawSyscall6(call, uintptr(f.fd), uintptr(unsafe.Pointer(&f.msg[first])), uintptr(count), uintptr(flags), 0, 0) //nolint:gosec // G103: what the calls take
	if e != 0 {
		return 0, e
	}
	return int(n), 0
}

// turn makes packet i go to the other client of its pair.
func (f *forwarder) turn(i int) {
	n := int(f.msg[i].n)
	f.iov[i].SetLen(n)
	if b := f.buf[i][:n]; n == len(bareHello)+4 && string(b[:len(bareHello)]) == bareHello {
		f.pair(f.name[i], binary.BigEndian.Uint32(b[len(bareHello):]))
		return // it goes back
	}
	f.name[i] = f.other[f.name[i].Port]
}

func (f *forwarder) pair(who unix.RawSockaddrInet4, number uint32) {
	one, known := f.first[number]
	if !known || one == who {
		f.first[number] = who
		return
	}
	f.other[one.Port], f.other[who.Port] = who, one
}

// stop ends serve within a tenth of a second.
func (f *forwarder) stop() { f.ended.Store(true) }

// openForwarder serves as a child.
func openForwarder(ctx context.Context) (service, error) {
	f, err := newForwarder()
	if err != nil {
		return service{}, err
	}
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	debug.SetGCPercent(-1) // it makes no garbage, and a collection would wait for it
	context.AfterFunc(ctx, f.stop)
	return service{at: f.address.String(), serve: func() error { f.serve(); return nil }}, nil
}

// startForwarder starts a bare forwarder on the servers' core.
func startForwarder(ctx context.Context) (*turnServer, error) {
	s, _, err := startOnCore(ctx, "forwarder")
	if err != nil {
		return nil, err
	}
	s.bare = true
	return s, nil
}

// callBare makes a pair at a bare forwarder. Its packets are as long as those of speaking.
func (p *party) callBare(i int) ([]flow, error) {
	var ends [2]int
	for k := range ends {
		fd, err := openSocket(unix.SOCK_DGRAM, callersAt, p.server.address)
		if err != nil {
			return nil, err
		}
		p.peers = append(p.peers, fd)
		hello := binary.BigEndian.AppendUint32([]byte(bareHello), uint32(i)) //nolint:gosec // some thousand
		if _, err := unix.Write(fd, hello); err != nil {
			return nil, err
		}
		if n, err := unix.Read(fd, make([]byte, 100)); err != nil || n != len(hello) {
			return nil, errors.Join(errors.New("the forwarder does not answer"), err)
		}
		ends[k] = fd
	}
	pass := func(from, to int) flow {
		b := make([]byte, 4+turnPayload)
		return flow{from: from, to: to, packet: b, at: 4, arrives: 4, size: len(b)}
	}
	return []flow{pass(ends[0], ends[1]), pass(ends[1], ends[0])}, nil
}
