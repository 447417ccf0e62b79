package turn_test

import (
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/pion/stun/v3"

	"parley/turn"
)

// atTwo makes a relay listen at a second address of loopback.
func atTwo(first, second string) func(c *turn.Config) {
	return func(c *turn.Config) {
		c.Listen = netip.MustParseAddrPort(first + ":0")
		c.Also = []turn.Address{{Listen: netip.MustParseAddrPort(second + ":0")}}
	}
}

// sites are where s listens, by UDP.
func sites(s *turn.Server) (all []netip.AddrPort) {
	for _, way := range s.Ways() {
		if way.Name == "UDP" {
			all = append(all, way.At)
		}
	}
	return all
}

// toward is a socket as it looks to whoever speaks to one address through it.
type toward struct {
	net.PacketConn
	to net.Addr
}

func (c toward) Write(b []byte) (int, error) { return c.WriteTo(b, c.to) }
func (c toward) RemoteAddr() net.Addr        { return c.to }

func (c toward) Read(b []byte) (int, error) {
	for {
		n, from, err := c.ReadFrom(b)
		if err != nil || from.String() == c.to.String() {
			return n, err
		}
	}
}

// TestOneSocketAtTwoAddresses: a browser speaks to both addresses from one socket. It has a relay at
// each, with that address, and the answers come from there. What ends one leaves the other.
func TestOneSocketAtTwoAddresses(t *testing.T) {
	s := start(t, atTwo("127.0.0.1", "127.0.0.2"))
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cred, at := s.Credential("call"), sites(s)
	var ends []seat
	for _, x := range at {
		end := sitDown(t, speakOn(t, toward{socket, net.UDPAddrFromAddrPort(x)}, cred))
		if got := netip.MustParseAddrPort(end.relayed).Addr(); got != x.Addr() {
			t.Errorf("who came to %s has a relay at %s", x, got)
		}
		ends = append(ends, end)
	}
	if c := ends[1].ask(stun.MethodRefresh, lifetime(0)); c != 0 {
		t.Fatalf("end: %d", c)
	}
	if c := ends[0].ask(stun.MethodRefresh, lifetime(600)); c != 0 {
		t.Errorf("the other relay: %d", c)
	}
	await(t, func() bool { return s.Counters().Relays == 1 })
}

// TestRelaysAtTwoAddresses: browsers at different addresses of one relay hear each other, by UDP and
// TCP, and so do those of another node, whichever addresses they came by.
func TestRelaysAtTwoAddresses(t *testing.T) {
	one, two := start(t, atTwo("127.0.0.1", "127.0.0.2")), start(t, atTwo("127.0.0.3", "127.0.0.4"))
	introduce(one, two)
	join := func(s *turn.Server, number int, kind turn.Kind, over string) seat {
		conn, err := net.Dial(over, sites(s)[number].String())
		if over == "tcp4" {
			conn, err = net.Dial(over, tcpSites(s)[number].String())
		}
		if err != nil {
			t.Fatal(err)
		}
		return sitDown(t, speakOn(t, conn, s.CredentialOf(kind, "call")))
	}
	for _, kind := range []turn.Kind{turn.Veil, turn.Open} {
		people := []seat{
			join(one, 0, kind, "udp4"), join(one, 1, kind, "udp4"), join(one, 1, kind, "tcp4"),
			join(two, 0, kind, "udp4"), join(two, 1, kind, "tcp4"),
		}
		for i, ana := range people {
			for j, bo := range people {
				if i == j {
					continue
				}
				bo.permit(ana.relayed)
				ana.permit(bo.relayed)
				ana.send(sendTo(bo.relayed, "hello"))
				m := bo.answer()
				var from stun.XORMappedAddress
				if m == nil || from.GetFromAs(m, stun.AttrXORPeerAddress) != nil || from.String() != ana.relayed {
					t.Errorf("%c: from %s to %s: %v", kind, ana.relayed, bo.relayed, m)
				}
			}
		}
	}
	for _, s := range []*turn.Server{one, two} {
		if c := s.Counters(); c.OutPackets+c.InPackets+c.DroppedForeign+c.DroppedRoute != 0 || c.NodePackets == 0 {
			t.Errorf("counted %+v", c)
		}
	}
}

func tcpSites(s *turn.Server) (all []netip.AddrPort) {
	for _, way := range s.Ways() {
		if way.Name == "TCP" {
			all = append(all, way.At)
		}
	}
	return all
}

// TestSecondAddressIsNoWayIn: the second address is the relay's own, too: nothing but relays is
// reached there.
func TestSecondAddressIsNoWayIn(t *testing.T) {
	s := start(t, func(c *turn.Config) {
		atTwo("127.0.0.1", "127.0.0.2")(c)
		c.AllowLoopback = true
	})
	service := outsider(t, "127.0.0.2:0")
	ana := sit(t, s, turn.Open, "call")
	ana.permit("127.0.0.2:5000")
	ana.send(sendTo(service.LocalAddr().String(), "knock"))
	await(t, func() bool { return s.Counters().DroppedRoute == 1 })
	if got := heard(service, moment); got != "" {
		t.Errorf("the service heard %q", got)
	}
}

// TestURLsOfTwoAddresses: browsers hear of each address, and the relay tests itself at each.
func TestURLsOfTwoAddresses(t *testing.T) {
	s := start(t, atTwo("127.0.0.1", "127.0.0.2"))
	at := sites(s)
	want := []string{
		"turn:" + at[0].String() + "?transport=udp", "turn:" + at[0].String() + "?transport=tcp", "turn:" + at[1].String() + "?transport=udp",
	}
	if got := s.Credential("call").URLs; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, way := range s.Ways() {
		if err := s.SelfTest(t.Context(), way); err != nil {
			t.Errorf("%s at %s: %v", way.Name, way.At, err)
		}
	}
	if n := len(s.Ways()); n != 4 {
		t.Errorf("%d ways, want 4", n)
	}
}

// TestAddressesThatDoNotFit: what cannot be served is refused at start.
func TestAddressesThatDoNotFit(t *testing.T) {
	also := func(all ...string) func(*turn.Config) {
		return func(c *turn.Config) {
			for _, one := range all {
				c.Also = append(c.Also, turn.Address{Listen: netip.MustParseAddrPort(one)})
			}
		}
	}
	for says, change := range map[string]func(*turn.Config){
		"cannot listen at one more": func(c *turn.Config) {
			c.Listen, c.External = netip.MustParseAddrPort("0.0.0.0:0"), netip.MustParseAddr("203.0.113.5")
			also("127.0.0.2:0")(c)
		},
		"only single IPv4 addresses":      also("[::1]:0"),
		"0.0.0.0:0, known as 0.0.0.0":     also("0.0.0.0:0"),
		"is the external address of two":  also("127.0.0.2:0", "127.0.0.2:0"),
		"9 addresses are too many, 8 are": also(slices.Repeat([]string{"127.0.0.2:0"}, 8)...),
	} {
		cfg := turn.Config{Listen: netip.MustParseAddrPort("127.0.0.1:0"), Secret: make([]byte, 16), Log: slog.New(slog.DiscardHandler)}
		change(&cfg)
		s, err := turn.Start(cfg)
		if err == nil {
			s.Close()
			t.Errorf("started, want %q", says)
		} else if !strings.Contains(err.Error(), says) {
			t.Errorf("%q, want %q", err, says)
		}
	}
}

// TestTakenSecondAddress: when the second address is another program's, the first is free again.
func TestTakenSecondAddress(t *testing.T) {
	other := outsider(t, "127.0.0.2:0")
	at := netip.MustParseAddrPort(other.LocalAddr().String())
	cfg := relayWith(func(c *turn.Config) {
		c.Listen = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), at.Port())
		c.Also = []turn.Address{{Listen: at}}
	})
	if s, err := turn.Start(cfg); err == nil {
		s.Close()
		t.Fatal("started at a port of another program")
	}
	cfg.Also = nil
	s, err := turn.Start(cfg)
	if err != nil {
		t.Fatalf("the first address is still taken: %v", err)
	}
	s.Close()
}
