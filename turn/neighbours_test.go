package turn_test

import (
	"bytes"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"parley/turn"
)

// twoNodes are the relays of two nodes of one installation that have met.
func twoNodes(t testing.TB, change func(*turn.Config)) (one, two *turn.Server) {
	t.Helper()
	at := func(addr string) *turn.Server {
		return start(t, func(c *turn.Config) {
			c.Listen = netip.MustParseAddrPort(addr)
			if change != nil {
				change(c)
			}
		})
	}
	one, two = at("127.0.0.1:0"), at("127.0.0.2:0")
	introduce(one, two)
	return one, two
}

func introduce(one, two *turn.Server) {
	one.Meet([]string{two.Announcement()})
	two.Meet([]string{one.Announcement()})
}

// TestRelaysOnTwoNodes: two browsers of one call, each at the relay of another node, hear each
// other, in each kind of credential and over each wire. A third of another call hears nothing.
func TestRelaysOnTwoNodes(t *testing.T) {
	for _, kind := range []turn.Kind{turn.Veil, turn.Open} {
		for _, wires := range [][2]wire{{overUDP, overUDP}, {overTCP, overUDP}} {
			t.Run(string(kind)+" "+string(wires[0]), func(t *testing.T) {
				one, two := twoNodes(t, nil)
				ana, bo := call(t, one, one.CredentialOf(kind, "call"), wires[0]), call(t, two, two.CredentialOf(kind, "call"), wires[1])
				cy := call(t, two, two.CredentialOf(kind, "another"), overUDP)
				for range 20 { // the first by Send indication, later ones over a channel
					if !hears(t, ana, bo, "hello bo") || !hears(t, bo, ana, "hello ana, how are you") {
						t.Fatalf("nothing heard: %+v %+v", one.Counters(), two.Counters())
					}
				}
				if err := cy.CreatePermission(ana.relay.LocalAddr()); err != nil {
					t.Fatal(err)
				}
				_, _ = ana.relay.WriteTo([]byte("for cy"), cy.relay.LocalAddr())
				await(t, func() bool { return two.Counters().DroppedForeign > 0 })
				if got := heard(cy.relay, moment); got != "" {
					t.Errorf("another call heard %q", got)
				}
				if c := one.Counters(); c.NodePackets < 40 || c.OutPackets != 0 || c.InPackets != 0 {
					t.Errorf("counters: %+v", c)
				}
			})
		}
	}
}

// TestNodesOnOneHost: several nodes may share an address and differ in the port.
func TestNodesOnOneHost(t *testing.T) {
	one, two := start(t, nil), start(t, nil)
	introduce(one, two)
	ana, bo, cy := call(t, one, one.Credential("call"), overUDP), call(t, two, two.Credential("call"), overUDP), call(t, one, one.Credential("call"), overUDP)
	if !hears(t, ana, bo, "hello bo") || !hears(t, bo, ana, "hello ana") || !hears(t, ana, cy, "hello cy") {
		t.Error("nothing heard")
	}
}

// TestPermissionAcrossNodes: a relay hears only addresses that its browser has a permission for.
func TestPermissionAcrossNodes(t *testing.T) {
	one, two := twoNodes(t, nil)
	ana, bo := call(t, one, one.Credential("call"), overUDP), call(t, two, two.Credential("call"), overUDP)
	if err := ana.CreatePermission(bo.relay.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	_, _ = ana.relay.WriteTo([]byte("unwanted"), bo.relay.LocalAddr())
	await(t, func() bool { return two.Counters().NodePackets > 0 })
	if got := heard(bo.relay, moment); got != "" {
		t.Errorf("heard %q without a permission", got)
	}
}

// TestNodesAreNoWayIn: nothing of another node but relays of the call can be reached, and nothing
// from there but through a frame.
func TestNodesAreNoWayIn(t *testing.T) {
	one, two := twoNodes(t, func(c *turn.Config) { c.AllowLoopback = true })
	service := outsider(t, "127.0.0.2:0")
	for _, kind := range []turn.Kind{turn.Veil, turn.Open} {
		ana := call(t, one, one.CredentialOf(kind, "call"), overUDP)
		if err := ana.CreatePermission(service.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		for _, to := range []net.Addr{service.LocalAddr(), net.UDPAddrFromAddrPort(two.Addr())} {
			_, _ = ana.relay.WriteTo([]byte("knock"), to)
		}
		await(t, func() bool { return two.Counters().DroppedForeign >= 2 })
		_, _ = service.WriteTo([]byte("from the other host"), ana.relay.LocalAddr())
		if got := heard(service, moment) + heard(ana.relay, moment); got != "" {
			t.Errorf("%c: heard %q", kind, got)
		}
		if c := one.Counters(); c.OutPackets != 0 {
			t.Errorf("%c: %d packets left", kind, c.OutPackets)
		}
	}
}

// TestForgedFrames: no frame is delivered that another node did not make for this relay and this
// call.
func TestForgedFrames(t *testing.T) {
	one, two := twoNodes(t, nil)
	ana, bo := call(t, one, one.Credential("call"), overUDP), call(t, two, two.Credential("call"), overUDP)
	other := call(t, two, two.Credential("another"), overUDP)
	if !hears(t, ana, bo, "hello") {
		t.Fatal("nothing heard")
	}
	if err := other.CreatePermission(ana.relay.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	port := func(b *browser) uint16 { return uint16(b.relay.LocalAddr().(*net.UDPAddr).Port) }
	good := func() []byte { return one.Frame("call", port(ana), port(bo), []byte("forged")) }
	there := func(b []byte, from netip.AddrPort) string {
		two.Frames(b, from)
		return heard(bo.relay, moment) + heard(other.relay, time.Millisecond)
	}
	if got := there(good(), one.Addr()); got != "forged" {
		t.Fatalf("a good frame: %q: the test shows nothing", got)
	}
	flip := func(i int) []byte {
		b := good()
		b[(i+len(b))%len(b)] ^= 1
		return b
	}
	foreign := start(t, func(c *turn.Config) { c.Secret = []byte("the secret of somebody else") })
	foreign.Meet([]string{foreign.Sign(turn.Lines(two.Announcement()))})
	late := start(t, nil) // another process at the same place, which two has not met
	late.Meet([]string{two.Announcement()})
	for name, forged := range map[string]struct {
		frame []byte
		from  netip.AddrPort
	}{
		"from a stranger":     {good(), netip.MustParseAddrPort("127.0.0.9:3478")},
		"from another port":   {good(), netip.AddrPortFrom(one.Addr().Addr(), one.Addr().Port()+1)},
		"for another call":    {one.Frame("another", port(ana), port(bo), []byte("forged")), one.Addr()},
		"for another relay":   {one.Frame("call", port(ana), port(other), []byte("forged")), one.Addr()},
		"for no relay":        {one.Frame("call", port(ana), 9, []byte("forged")), one.Addr()},
		"another secret":      {foreign.Frame("call", port(ana), port(bo), []byte("forged")), one.Addr()},
		"another process":     {late.Frame("call", port(ana), port(bo), []byte("forged")), one.Addr()},
		"sent back":           {two.Frame("call", port(ana), port(bo), []byte("forged")), one.Addr()},
		"number changed":      {flip(5), one.Addr()},
		"sender changed":      {flip(10), one.Addr()},
		"packet changed":      {flip(14), one.Addr()},
		"seal changed":        {flip(-1), one.Addr()},
		"cut":                 {good()[:20], one.Addr()},
		"only a mark":         {good()[:1], one.Addr()},
		"larger than allowed": {append(good(), make([]byte, 1500)...), one.Addr()},
	} {
		before := two.Counters().DroppedForeign
		if got := there(forged.frame, forged.from); got != "" {
			t.Errorf("%s: delivered %q", name, got)
		}
		if two.Counters().DroppedForeign != before+1 {
			t.Errorf("%s: not counted", name)
		}
	}
}

// TestDrainingNodeKeepsItsCalls: a relay that retires is handed out by nobody; what it has goes
// on, also with the other node, and credentials that were handed out before are honoured.
func TestDrainingNodeKeepsItsCalls(t *testing.T) {
	one, two := twoNodes(t, nil)
	ana, bo := call(t, one, one.Credential("call"), overUDP), call(t, two, two.Credential("call"), overUDP)
	fresh, err := two.CredentialThere(one.Announcement(), turn.Veil, "call")
	if err != nil || len(fresh.URLs) != 2 || !strings.Contains(fresh.URLs[0], one.Addr().String()) {
		t.Fatalf("credential %+v: %v", fresh, err)
	}
	one.Retire()
	introduce(one, two)
	if late, err := two.CredentialThere(one.Announcement(), turn.Veil, "call"); err != nil || len(late.URLs) != 0 || late.Username != "" {
		t.Errorf("a node that drains is handed out: %+v, %v", late, err)
	}
	if !hears(t, ana, bo, "still here") || !hears(t, bo, ana, "so am I") {
		t.Error("a running call was cut")
	}
	if got := speak(t, one, fresh, overUDP).allocate(); got != 0 {
		t.Errorf("a credential from before: %d", got)
	}
	two.Meet(nil) // it is gone
	if got := speak(t, two, two.Credential("call"), overUDP); got.allocate() != 0 || got.ask(stun.MethodCreatePermission, peerAt(ana.relay.LocalAddr().String())) != stun.CodeForbidden {
		t.Error("a node that is gone may still be reached")
	}
}

// TestStrangeAnnouncements: what another node says is read strictly, and what is not understood is
// left out.
func TestStrangeAnnouncements(t *testing.T) {
	s := start(t, nil)
	announced := start(t, nil).Announcement()
	good := turn.Lines(announced)
	for _, lines := range []string{
		"", "\n\n\n", strings.Replace(good, "open", "closed", 1), strings.Replace(good, "127.0.0.1:", "localhost:", 1),
		strings.Join(strings.Split(good, "\n")[:3], "\n"), good + strings.Repeat("x", 5000), "127.0.0.1:0" + good[strings.Index(good, "\n"):],
	} {
		text := s.Sign(lines)
		if _, err := s.CredentialThere(text, turn.Veil, "call"); err == nil {
			t.Errorf("%.80q is taken", text)
		}
		s.Meet([]string{text})
	}
	// Browsers would be sent to the relay of whoever can write to the store.
	elsewhere := strings.Replace(announced, "turn:127.0.0.1", "turn:192.0.2.1", 1)
	other := start(t, func(c *turn.Config) { c.Secret = []byte("the secret of somebody else") })
	for _, text := range []string{good, good + "\n", elsewhere, other.Announcement(), other.Sign(good)} {
		if c, err := s.CredentialThere(text, turn.Veil, "call"); err == nil {
			t.Errorf("not signed by a node: %+v", c)
		}
		s.Meet([]string{text})
	}
	if n := s.Counters().StrangeNodes; n != 12 {
		t.Errorf("%d counted, want 12", n)
	}
	if _, err := s.CredentialThere(announced, turn.Veil, "call"); err != nil {
		t.Errorf("a good one: %v", err)
	}
}

// FuzzFrame sends anything as a frame between nodes, changed from a good one too: only the good
// one comes through.
func FuzzFrame(f *testing.F) {
	one, two := twoNodes(f, nil)
	ana, bo := call(f, one, one.Credential("call"), overUDP), call(f, two, two.Credential("call"), overUDP)
	good := one.Frame("call", uint16(ana.relay.LocalAddr().(*net.UDPAddr).Port), uint16(bo.relay.LocalAddr().(*net.UDPAddr).Port), []byte("hello"))
	f.Add(good, []byte{})
	f.Add(good[:13], []byte{0, 1})
	f.Add([]byte{0x90}, []byte{})
	f.Fuzz(func(t *testing.T, b, change []byte) {
		for i, c := range change {
			if len(b) > 0 {
				b[i%len(b)] ^= c
			}
		}
		before := two.Counters()
		taken := two.Frames(bytes.Clone(b), one.Addr())
		after := two.Counters()
		if taken != (len(b) > 0 && b[0] == 0x90) {
			t.Fatalf("taken %v: %x", taken, b)
		}
		if delivered := after.NodePackets > before.NodePackets; delivered != bytes.Equal(b, good) {
			t.Fatalf("delivered %v: %x", delivered, b)
		}
	})
}
