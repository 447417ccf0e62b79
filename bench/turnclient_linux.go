package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"

	"github.com/pion/stun/v3"
	"golang.org/x/sys/unix"
)

// account is a user name with its password.
type account struct{ user, password string }

// caller is a client of a TURN server with one relay. It speaks STUN by hand on a descriptor of its
// own, so that ten thousand of them cost the load next to nothing.
type turnCaller struct {
	fd      int
	stream  bool
	secure  *tls.Conn // over fd, if it has TLS
	held    *fdConn   // below secure
	who     account
	realm   stun.Realm
	nonce   stun.Nonce
	relayed netip.AddrPort
}

// Addresses of the load; the server is at 127.0.0.1.
const (
	callersAt = "127.0.0.3"
	peersAt   = "127.0.0.2"
)

// dialTurn opens a socket to a TURN server and makes a relay there.
func dialTurn(server netip.AddrPort, network string, who account) (*turnCaller, error) {
	c := &turnCaller{who: who, stream: network != "udp"}
	kind := unix.SOCK_DGRAM
	if c.stream {
		kind = unix.SOCK_STREAM
	}
	var err error
	if c.fd, err = openSocket(kind, callersAt, server); err != nil {
		return nil, err
	}
	if network == "tls" {
		c.held = &fdConn{fd: c.fd}
		//nolint:gosec // G402: who signed is not what is measured
		c.secure = tls.Client(c.held, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12})
		err = c.secure.Handshake()
	}
	if err == nil {
		err = c.allocate()
	}
	if err != nil {
		return nil, errors.Join(err, unix.Close(c.fd))
	}
	if c.held != nil {
		c.held.eager = true
	}
	return c, nil
}

// openSocket opens a socket from an address of ours to another. Reads give up after half a second.
func openSocket(kind int, from string, to netip.AddrPort) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	patience := unix.Timeval{Usec: 500_000}
	err = errors.Join(
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience),
		unix.Bind(fd, &unix.SockaddrInet4{Addr: netip.MustParseAddr(from).As4()}),
	)
	if err == nil && kind == unix.SOCK_STREAM {
		err = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())})
	}
	if err != nil {
		return -1, errors.Join(err, unix.Close(fd))
	}
	return fd, nil
}

func (c *turnCaller) allocate() error {
	transport := stun.RawAttribute{Type: stun.AttrRequestedTransport, Value: []byte{17, 0, 0, 0}}
	challenge, err := c.exchange(stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), transport))
	if err != nil {
		return fmt.Errorf("challenge: %w", err)
	}
	if err := errors.Join(c.realm.GetFrom(challenge), c.nonce.GetFrom(challenge)); err != nil {
		return fmt.Errorf("challenge: %w", err)
	}
	made, err := c.ask(stun.MethodAllocate, transport)
	if err != nil {
		return err
	}
	var at stun.XORMappedAddress
	if err := at.GetFromAs(made, stun.AttrXORRelayedAddress); err != nil {
		return err
	}
	ip, ok := netip.AddrFromSlice(at.IP.To4())
	if !ok {
		return errors.New("no IPv4 relay")
	}
	c.relayed = netip.AddrPortFrom(ip, uint16(at.Port)) //nolint:gosec // a port
	return nil
}

// ask sends a signed request and returns its answer; an error answer is an error.
func (c *turnCaller) ask(method stun.Method, attributes ...stun.Setter) (*stun.Message, error) {
	parts := append([]stun.Setter{stun.TransactionID, stun.NewType(method, stun.ClassRequest)}, attributes...)
	parts = append(parts, stun.NewUsername(c.who.user), c.realm, c.nonce,
		stun.NewLongTermIntegrity(c.who.user, c.realm.String(), c.who.password))
	request, err := stun.Build(parts...)
	if err != nil {
		return nil, err
	}
	answer, err := c.exchange(request)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	if answer.Type.Class != stun.ClassSuccessResponse {
		var code stun.ErrorCodeAttribute
		_ = code.GetFrom(answer) // 0 says it too
		return nil, fmt.Errorf("%s is refused with %d", method, code.Code)
	}
	return answer, nil
}

// exchange sends a request until it is answered.
func (c *turnCaller) exchange(request *stun.Message) (*stun.Message, error) {
	var buf [1500]byte
	for range 10 {
		if err := c.write(request.Raw); err != nil {
			return nil, err
		}
		for {
			n, err := c.read(buf[:])
			if err != nil {
				break // in time: ask again
			}
			m := &stun.Message{Raw: buf[:n]}
			if m.Decode() == nil && m.TransactionID == request.TransactionID {
				return m, nil
			}
		}
	}
	return nil, errors.New("the TURN server does not answer")
}

func (c *turnCaller) write(b []byte) (err error) {
	if c.secure != nil {
		_, err = c.secure.Write(b)
	} else {
		_, err = unix.Write(c.fd, b)
	}
	return err
}

// read reads one STUN message.
func (c *turnCaller) read(b []byte) (int, error) {
	if !c.stream {
		return unix.Read(c.fd, b)
	}
	var from io.Reader = fdReader(c.fd)
	if c.secure != nil {
		c.held.eager = false
		defer func() { c.held.eager = true }()
		from = c.secure
	}
	if _, err := io.ReadFull(from, b[:20]); err != nil {
		return 0, err
	}
	size := 20 + int(b[2])<<8 + int(b[3])
	if size > len(b) {
		return 0, fmt.Errorf("a message of %d bytes", size)
	}
	_, err := io.ReadFull(from, b[20:size])
	return size, err
}

type fdReader int

func (r fdReader) Read(b []byte) (int, error) {
	n, err := unix.Read(int(r), b)
	if n == 0 && err == nil {
		return 0, io.EOF
	}
	return max(n, 0), err
}

// fdConn is a descriptor as crypto/tls wants it. An eager one does not wait for what there is not:
// that is an error which passes, and crypto/tls goes on after it.
type fdConn struct {
	net.Conn // nil: the rest is not used

	fd    int
	eager bool
}

func (c *fdConn) Read(b []byte) (int, error) {
	flags := 0
	if c.eager {
		flags = unix.MSG_DONTWAIT
	}
	n, _, err := unix.Recvfrom(c.fd, b, flags)
	for errors.Is(err, unix.EINTR) {
		n, _, err = unix.Recvfrom(c.fd, b, flags)
	}
	if n == 0 && err == nil {
		return 0, io.EOF
	}
	return max(n, 0), err
}

func (c *fdConn) Write(b []byte) (int, error) {
	for done := 0; done < len(b); {
		n, err := unix.Write(c.fd, b[done:])
		if err != nil && !errors.Is(err, unix.EINTR) {
			return done, err
		}
		done += max(n, 0)
	}
	return len(b), nil
}

func peerAddress(a netip.AddrPort) stun.Setter {
	return peerAttribute{stun.XORMappedAddress{IP: net.IP(a.Addr().AsSlice()), Port: int(a.Port())}}
}

type peerAttribute struct{ at stun.XORMappedAddress }

func (p peerAttribute) AddTo(m *stun.Message) error { return p.at.AddToAs(m, stun.AttrXORPeerAddress) }

// firstChannel is the only channel that a caller binds.
const firstChannel = 0x4000

func (c *turnCaller) bind(peer netip.AddrPort) error {
	number := stun.RawAttribute{Type: stun.AttrChannelNumber, Value: []byte{firstChannel >> 8, 0, 0, 0}}
	_, err := c.ask(stun.MethodChannelBind, number, peerAddress(peer))
	return err
}

func (c *turnCaller) permit(peer netip.AddrPort) error {
	_, err := c.ask(stun.MethodCreatePermission, peerAddress(peer))
	return err
}

// hangUp ends the relay.
func (c *turnCaller) hangUp() error { return errors.Join(c.giveUp(), unix.Close(c.fd)) }

// giveUp ends the relay and keeps the socket.
func (c *turnCaller) giveUp() error {
	_, err := c.ask(stun.MethodRefresh, stun.RawAttribute{Type: stun.AttrLifetime, Value: make([]byte, 4)})
	return err
}
