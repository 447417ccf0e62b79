package turn_test

import (
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"parley/turn"
)

// onBoth makes a relay listen for IPv4 and IPv6.
func onBoth(c *turn.Config) {
	c.Listen = netip.MustParseAddrPort("[::]:0")
	c.External, c.External6 = netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::1")
}

// six is a browser that has no IPv4, and its relayed address.
func six(t testing.TB, s *turn.Server, over wire) (*raw, stun.XORMappedAddress) {
	t.Helper()
	network := map[wire]string{overUDP: "udp6", overTCP: "tcp6", overTLS: "tcp6"}[over]
	conn, err := net.Dial(network, netip.AddrPortFrom(netip.IPv6Loopback(), s.Addr().Port()).String())
	if err != nil {
		t.Skipf("this machine has no IPv6: %v", err)
	}
	r := speakOn(t, conn, s.Credential("call"))
	r.send(r.build(stun.MethodAllocate, transport(17)))
	var at stun.XORMappedAddress
	if err := at.GetFromAs(r.answer(), stun.AttrXORRelayedAddress); err != nil {
		t.Fatal(err)
	}
	return r, at
}

// TestBrowsersOfBothFamilies: somebody who has IPv6 only talks with somebody who has IPv4 only. The
// relayed addresses of both are IPv4.
func TestBrowsersOfBothFamilies(t *testing.T) {
	for _, over := range []wire{overUDP, overTCP} {
		t.Run(string(over), func(t *testing.T) {
			s := start(t, onBoth)
			ana, at := six(t, s, over)
			conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			bo := dialOn(t, conn, netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), s.Addr().Port()).String(), s.Credential("call")).withRelay(t)
			if err := bo.CreatePermission(&net.UDPAddr{IP: at.IP, Port: at.Port}); err != nil {
				t.Fatal(err)
			}
			if c := ana.ask(stun.MethodCreatePermission, peerAt(bo.relay.LocalAddr().String())); c != 0 {
				t.Fatalf("permission: %d", c)
			}
			ana.send(stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication),
				peerAt(bo.relay.LocalAddr().String()), attribute{stun.AttrData, []byte("hello bo")}).Raw)
			b := make([]byte, 100)
			_ = bo.relay.SetReadDeadline(time.Now().Add(5 * time.Second))
			if n, from, err := bo.relay.ReadFrom(b); err != nil || string(b[:n]) != "hello bo" || from.String() != at.String() {
				t.Errorf("bo heard %q from %v: %v", b[:n], from, err)
			}
			if _, err := bo.relay.WriteTo([]byte("hello ana"), &net.UDPAddr{IP: at.IP, Port: at.Port}); err != nil {
				t.Fatal(err)
			}
			said := ana.answer()
			if said == nil {
				t.Fatal("ana heard nothing")
			}
			if v, err := said.Get(stun.AttrData); err != nil || string(v) != "hello ana" {
				t.Errorf("ana heard %q: %v", v, err)
			}
		})
	}
}

// TestNoRelaysOfIPv6: who asks for a relayed address of IPv6 is told that there is none, also over
// IPv6. Who asks for IPv4 or does not say gets one.
func TestNoRelaysOfIPv6(t *testing.T) {
	s := start(t, onBoth)
	family := func(f byte) attribute { return attribute{stun.AttrRequestedAddressFamily, []byte{f, 0, 0, 0}} }
	for f, want := range map[byte]stun.ErrorCode{1: 0, 2: stun.CodeAddrFamilyNotSupported, 3: stun.CodeAddrFamilyNotSupported} {
		conn, err := net.Dial("udp6", netip.AddrPortFrom(netip.IPv6Loopback(), s.Addr().Port()).String())
		if err != nil {
			t.Skipf("this machine has no IPv6: %v", err)
		}
		if c := speakOn(t, conn, s.Credential("call")).ask(stun.MethodAllocate, transport(17), family(f)); c != want {
			t.Errorf("family %d: %d, want %d", f, c, want)
		}
	}
}

// TestURLs: browsers hear of every way to the relay, the best first and TLS last.
func TestURLs(t *testing.T) {
	s := start(t, func(c *turn.Config) {
		onBoth(c)
		c.Listen = netip.MustParseAddrPort("[::]:0")
		c.Secure = "talk.example.org:443"
	})
	port := s.Addr().Port()
	four := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), port).String()
	want := []string{
		"turn:" + four + "?transport=udp", "turn:" + four + "?transport=tcp",
		"turn:" + netip.AddrPortFrom(netip.IPv6Loopback(), port).String() + "?transport=udp", "turns:talk.example.org:443?transport=tcp",
	}
	if got := s.Credential("call").URLs; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestOpenRelaysHaveTheirOwnPorts: sockets are opened in the range that the operator's firewall lets
// through and nowhere else, and relays of calls, which have none, leave it free.
func TestOpenRelaysHaveTheirOwnPorts(t *testing.T) {
	first := threePorts(t)
	s := start(t, func(c *turn.Config) {
		c.Ports = turn.PortRange{First: first - 5, Last: first + 5}
		c.OpenPorts = turn.PortRange{First: first, Last: first + 2}
		c.AllowLoopback = true
	})
	port := func(b *browser) uint16 { return netip.MustParseAddrPort(b.relay.LocalAddr().String()).Port() }
	for range 8 { // as many as are left
		p := port(call(t, s, s.CredentialOf(turn.Veil, "calls"), overUDP))
		if p >= first && p <= first+2 {
			t.Errorf("the relay of a call has port %d of %d to %d", p, first, first+2)
		}
	}
	if c := speak(t, s, s.Credential("one more"), overUDP).allocate(); c != stun.CodeInsufficientCapacity {
		t.Errorf("a ninth relay of a call: %d, want 508", c)
	}
	for range 3 {
		if p := port(call(t, s, s.CredentialOf(turn.Open, "room"), overUDP)); p < first || p > first+2 {
			t.Errorf("an open relay has port %d, not one of %d to %d", p, first, first+2)
		}
	}
}

// TestFamiliesThatDoNotFit: what no browser could reach is refused at start.
func TestFamiliesThatDoNotFit(t *testing.T) {
	for name, change := range map[string]func(*turn.Config){
		"IPv6 outside, IPv4 inside": func(c *turn.Config) { c.External6 = netip.IPv6Loopback() },
		"IPv6 alone":                func(c *turn.Config) { c.Listen = netip.MustParseAddrPort("[::1]:0") },
		"IPv4 as IPv6": func(c *turn.Config) {
			onBoth(c)
			c.External6 = netip.MustParseAddr("127.0.0.1")
		},
		"open ports outside": func(c *turn.Config) { c.OpenPorts = turn.PortRange{First: 40000, Last: 40001} },
	} {
		cfg := turn.Config{Listen: netip.MustParseAddrPort("127.0.0.1:0"), Secret: make([]byte, 16), Log: slog.New(slog.DiscardHandler)}
		change(&cfg)
		if s, err := turn.Start(cfg); err == nil {
			s.Close()
			t.Errorf("%s: started", name)
		}
	}
}
