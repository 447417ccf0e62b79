package turn_test

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"parley/turn"
)

// outsider is a UDP socket that is no relay.
func outsider(t testing.TB, at string) *net.UDPConn {
	t.Helper()
	addr := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(at))
	c, err := net.ListenUDP("udp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func heard(c net.PacketConn, patience time.Duration) string {
	b := make([]byte, 1600)
	_ = c.SetReadDeadline(time.Now().Add(patience))
	n, _, err := c.ReadFrom(b)
	if err != nil {
		return ""
	}
	return string(b[:n])
}

const moment = 150 * time.Millisecond // long enough for a packet that would come to have come

func TestAnotherCallHearsNothing(t *testing.T) {
	for _, kind := range []turn.Kind{turn.Veil, turn.Open} {
		s := start(t, func(c *turn.Config) { c.AllowLoopback = true })
		ana := call(t, s, s.CredentialOf(kind, "one"), overUDP)
		bo := call(t, s, s.CredentialOf(kind, "two"), overUDP)
		for _, b := range []*browser{ana, bo} {
			if err := b.CreatePermission(ana.relay.LocalAddr(), bo.relay.LocalAddr()); err != nil {
				t.Fatal(err)
			}
		}
		_, _ = ana.relay.WriteTo([]byte("for bo"), bo.relay.LocalAddr())
		if got := heard(bo.relay, moment); got != "" {
			t.Errorf("%c: another call heard %q", kind, got)
		}
		if n := s.Counters().DroppedRoute; n == 0 {
			t.Errorf("%c: not counted as dropped", kind)
		}
	}
}

// Behind 1:1 NAT a packet to the relay's public address never comes back from the network.
func TestRelaysReachEachOtherBehindNAT(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.External = netip.MustParseAddr("198.51.100.7") })
	ana, bo := call(t, s, s.Credential("call"), overUDP), call(t, s, s.Credential("call"), overTCP)
	if got := ana.relay.LocalAddr().String(); !strings.HasPrefix(got, "198.51.100.7:") {
		t.Errorf("relayed address %s, want the external one", got)
	}
	if !hears(t, ana, bo, "hello") || !hears(t, bo, ana, "hello") {
		t.Error("nothing heard")
	}
	if url := s.Credential("call").URLs[0]; !strings.HasPrefix(url, "turn:198.51.100.7:") {
		t.Errorf("URL %s", url)
	}
}

func TestVeilReachesNothingElse(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.AllowLoopback = true }) // the switch is for open relays
	ear := outsider(t, "127.0.0.2:0")
	own := outsider(t, "127.0.0.1:0")
	r := speak(t, s, s.Credential("call"), overUDP)
	if c := r.allocate(); c != 0 {
		t.Fatalf("allocate: %d", c)
	}
	for _, peer := range []stun.Setter{
		peerAt(ear.LocalAddr().String()), peerAt("8.8.8.8:53"), peerAt("127.0.0.3:9"),
		peerAt6("::ffff:127.0.0.1"), peerAt6("::127.0.0.1"), peerAt6("2001:4860::1"),
	} {
		for name, c := range map[string]stun.ErrorCode{
			"permission": r.ask(stun.MethodCreatePermission, peer),
			"channel":    r.ask(stun.MethodChannelBind, channel(0x4000), peer),
		} {
			if c != stun.CodeForbidden && c != stun.CodePeerAddrFamilyMismatch {
				t.Errorf("%s for %v: %d, want to be refused", name, peer, c)
			}
		}
	}
	// The relay's own address is permitted, but only relays stand behind it.
	if c := r.ask(stun.MethodCreatePermission, peerAt(own.LocalAddr().String())); c != 0 {
		t.Fatalf("permission for the relay's own address: %d", c)
	}
	for _, to := range []string{own.LocalAddr().String(), s.Addr().String(), ear.LocalAddr().String()} {
		r.send(stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication),
			peerAt(to), attribute{stun.AttrData, []byte("knock")}).Raw)
	}
	if got := heard(own, moment) + heard(ear, moment); got != "" {
		t.Errorf("heard %q outside", got)
	}
	if got := r.packet(moment); got != nil {
		t.Errorf("the browser got %x", got)
	}
}

func TestVeilRelayHasNoSocket(t *testing.T) {
	s := start(t, nil)
	ana := call(t, s, s.Credential("call"), overUDP)
	at := ana.relay.LocalAddr().(*net.UDPAddr)
	c, err := net.ListenUDP("udp4", at)
	if err != nil {
		t.Fatalf("the port of a veil relay is in use: %v", err)
	}
	c.Close()
}

func TestOpenRelayReachesOutside(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.AllowLoopback = true })
	ear, own := outsider(t, "127.0.0.2:0"), outsider(t, "127.0.0.1:0")
	ana := call(t, s, s.CredentialOf(turn.Open, "call"), overUDP)
	if err := ana.CreatePermission(ear.LocalAddr(), own.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	_, _ = ana.relay.WriteTo([]byte("out"), ear.LocalAddr())
	if got := heard(ear, time.Second); got != "out" {
		t.Errorf("the peer heard %q", got)
	}
	_, _ = ear.WriteTo([]byte("in"), ana.relay.LocalAddr())
	if got := heard(ana.relay, time.Second); got != "in" {
		t.Errorf("the browser heard %q", got)
	}
	// Its own host stays closed both ways, although permissions are for an address.
	_, _ = ana.relay.WriteTo([]byte("out"), own.LocalAddr())
	_, _ = own.WriteTo([]byte("in"), ana.relay.LocalAddr())
	if got := heard(own, moment) + heard(ana.relay, moment); got != "" {
		t.Errorf("heard %q through the relay's own address", got)
	}
	bo := call(t, s, s.CredentialOf(turn.Open, "call"), overTCP)
	if !hears(t, ana, bo, "hello") || !hears(t, bo, ana, "hello") {
		t.Error("open relays of one call do not hear each other")
	}
}

func TestOpenRelayObeysTheDenyList(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.Deny = []netip.Prefix{netip.MustParsePrefix("9.9.9.0/24")} })
	r := speak(t, s, s.CredentialOf(turn.Open, "call"), overUDP)
	if c := r.allocate(); c != 0 {
		t.Fatalf("allocate: %d", c)
	}
	for _, peer := range []string{"127.0.0.2:5000", "0.0.0.0:5000", "10.1.2.3:5000", "169.254.169.254:80", "9.9.9.9:5000", "255.255.255.255:5000"} {
		if c := r.ask(stun.MethodCreatePermission, peerAt(peer)); c != stun.CodeForbidden {
			t.Errorf("permission for %s: %d", peer, c)
		}
		if c := r.ask(stun.MethodChannelBind, channel(0x4001), peerAt(peer)); c != stun.CodeForbidden {
			t.Errorf("channel for %s: %d", peer, c)
		}
	}
	if c := r.ask(stun.MethodCreatePermission, peerAt("1.1.1.1:5000")); c != 0 {
		t.Errorf("permission for a public address: %d", c)
	}
	if c := r.ask(stun.MethodCreatePermission, peerAt("1.1.1.1:5000"), peerAt("127.0.0.2:5000")); c != stun.CodeForbidden {
		t.Errorf("permission for a good and a bad address: %d", c)
	}
}

// Behind the permissions every packet is judged again.
func TestEveryPacketIsJudged(t *testing.T) {
	s := start(t, nil)
	for _, test := range []struct {
		kind turn.Kind
		to   string
		want string
	}{
		{turn.Veil, "8.8.8.8:5000", "nowhere"},
		{turn.Open, "8.8.8.8:5000", "outside"},
		{turn.Open, "8.8.8.8:53", "nowhere"},
		{turn.Open, "[2606:4700::1111]:5000", "nowhere"},
		{turn.Open, "127.0.0.1:50000", "nowhere"},
		{turn.Open, "[::ffff:127.0.0.1]:50000", "nowhere"},
		{turn.Open, "[::ffff:8.8.8.8]:5000", "outside"},
	} {
		if got := s.Goes(test.kind, netip.MustParseAddrPort(test.to)); got != test.want {
			t.Errorf("%c to %s: %s, want %s", test.kind, test.to, got, test.want)
		}
	}
}
