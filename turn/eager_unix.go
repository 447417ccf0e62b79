//go:build unix

package turn

import (
	"errors"
	"net"
	"syscall"
)

// attempt writes to a socket what it takes at once. Not for two at the same time.
type attempt struct {
	raw  syscall.RawConn
	do   func(fd uintptr) bool // made once, as it would be allocated for each write
	b    []byte
	sent int
	err  error
}

// attemptOn returns that of a connection, or nil if it has no socket.
func attemptOn(conn net.Conn) *attempt {
	over, is := conn.(syscall.Conn)
	if !is {
		return nil
	}
	raw, err := over.SyscallConn()
	if err != nil {
		return nil
	}
	a := &attempt{raw: raw}
	a.do = func(fd uintptr) bool {
		a.sent, a.err = syscall.Write(int(fd), a.b)
		return true // never wait
	}
	return a
}

// write says how much of b was sent. That the socket is full is no error.
func (a *attempt) write(b []byte) (int, error) {
	a.b = b
	err := a.raw.Write(a.do)
	a.b = nil
	switch {
	case err != nil:
		return 0, err
	case errors.Is(a.err, syscall.EAGAIN), errors.Is(a.err, syscall.EINTR):
		return 0, nil
	}
	return max(a.sent, 0), a.err
}
