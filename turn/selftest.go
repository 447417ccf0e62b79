package turn

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	pionturn "github.com/pion/turn/v4"
)

// Way is one way in which browsers reach the relay.
type Way struct {
	Name string         // "UDP", "TCP" or "TLS"
	At   netip.AddrPort // where
	Host string         // for TLS, the name that is asked for
}

// Ways are those that the relay opened itself. A shared port is not among them.
func (s *Server) Ways() []Way {
	var ways []Way
	for _, x := range s.sites {
		ways = append(ways, Way{Name: "UDP", At: Dialable(x.addr)}, Way{Name: "TCP", At: Dialable(x.addr)})
	}
	if s.cfg.ListenTLS.IsValid() {
		host, _, _ := net.SplitHostPort(s.cfg.Secure) // without one the relay shows whatever it has
		ways = append(ways, Way{Name: "TLS", At: Dialable(s.secure), Host: host})
	}
	return ways
}

// Dialable is where this machine reaches what listens at a.
func Dialable(a netip.AddrPort) netip.AddrPort {
	if !a.Addr().IsUnspecified() {
		return a
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), a.Port()) // IPv4 comes to [::] too
}

// SelfTest does over one way what two browsers do: each makes a relay and gives the other a
// permission, and a packet goes there and back. It tells whether the relay works, not whether a
// firewall further out lets browsers come to it.
func (s *Server) SelfTest(ctx context.Context, way Way) error {
	call := "self-test " + rand.Text()
	var ends [2]*visitor
	for i := range ends {
		v, err := s.visit(ctx, way, s.Credential(call))
		if err != nil {
			return fmt.Errorf("over %s: %w", way.Name, err)
		}
		defer v.leave()
		ends[i] = v
	}
	for i, v := range ends {
		if err := v.CreatePermission(ends[1-i].relay.LocalAddr()); err != nil {
			return fmt.Errorf("over %s: permission: %w", way.Name, err)
		}
	}
	for i, v := range ends {
		if err := v.reaches(ends[1-i]); err != nil {
			return fmt.Errorf("over %s: %w", way.Name, err)
		}
	}
	return nil
}

// Allocate makes a relay over one way with a credential that was told, as a browser does, and gives it
// back. Anybody can do so who was given one; it needs no server in this process.
func Allocate(ctx context.Context, way Way, username, password string) error {
	quiet := quietLogger{log: slog.New(slog.DiscardHandler), count: new(atomic.Int64)}
	v, err := visitOf(ctx, way, Credential{Username: username, Password: password}, quiet)
	if err != nil {
		return fmt.Errorf("over %s: %w", way.Name, err)
	}
	v.leave()
	return nil
}

// visitor is a client of the relay within the process that runs it.
type visitor struct {
	*pionturn.Client

	conn  net.PacketConn
	relay net.PacketConn
	stop  func() bool
}

// visit makes a relay.
func (s *Server) visit(ctx context.Context, way Way, c Credential) (*visitor, error) {
	return visitOf(ctx, way, c, quietLogger{log: s.cfg.Log, count: &s.tally.library})
}

func visitOf(ctx context.Context, way Way, c Credential, quiet quietLogger) (*visitor, error) {
	conn, err := way.dial(ctx)
	if err != nil {
		return nil, err
	}
	v := &visitor{conn: conn, stop: context.AfterFunc(ctx, func() { _ = conn.Close() })}
	v.Client, err = pionturn.NewClient(&pionturn.ClientConfig{
		STUNServerAddr: way.At.String(), TURNServerAddr: way.At.String(), Conn: conn,
		Username: c.Username, Password: c.Password, Realm: realm,
		LoggerFactory: quiet,
	})
	if err == nil {
		err = v.Listen()
	}
	if err == nil {
		v.relay, err = v.Allocate()
	}
	if err != nil {
		v.leave()
		return nil, errors.Join(fmt.Errorf("allocate: %w", err), ctx.Err())
	}
	return v, nil
}

// dial opens a socket for the way.
func (w Way) dial(ctx context.Context) (net.PacketConn, error) {
	if w.Name == "UDP" {
		return net.ListenPacket("udp4", ":0")
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", w.At.String())
	if err != nil {
		return nil, err
	}
	if w.Name != "TLS" {
		return pionturn.NewSTUNConn(conn), nil
	}
	//nolint:gosec // who signed is for browsers to judge, and this machine may not know them
	secure := tls.Client(conn, &tls.Config{ServerName: w.Host, InsecureSkipVerify: true, MinVersion: tls.VersionTLS12})
	if err := secure.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("handshake: %w", err), conn.Close())
	}
	return pionturn.NewSTUNConn(secure), nil
}

// reaches sends a few packets to another visitor, as one may be lost, and waits for one of them.
func (v *visitor) reaches(to *visitor) error {
	const tries, wait = 5, 500 * time.Millisecond
	word := rand.Text()
	b := make([]byte, maxPacket)
	for range tries {
		if _, err := v.relay.WriteTo([]byte(word), to.relay.LocalAddr()); err != nil {
			return fmt.Errorf("send: %w", err)
		}
		if err := to.relay.SetReadDeadline(time.Now().Add(wait)); err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		if n, _, err := to.relay.ReadFrom(b); err == nil && string(b[:n]) == word {
			return nil
		}
	}
	return errors.New("what one relay sends does not arrive at the other")
}

// leave gives the relay back.
func (v *visitor) leave() {
	v.stop()
	if v.relay != nil {
		_ = v.relay.Close() // tells the relay; nobody can do anything if that is lost
	}
	if v.Client != nil {
		v.Close()
	}
	_ = v.conn.Close() // perhaps closed already
}
