package turn_test

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"parley/turn"
)

func TestQuotaOfACredential(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.Quotas.PerCredential = 3 })
	cred := s.Credential("call")
	var taken []*raw
	for i := range 4 {
		r := speak(t, s, cred, []wire{overUDP, overTCP}[i%2])
		got := r.allocate()
		if i < 3 && got != 0 || i == 3 && got != stun.CodeAllocQuotaReached {
			t.Fatalf("relay %d: %d", i+1, got)
		}
		taken = append(taken, r)
	}
	if r := speak(t, s, s.Credential("call"), overUDP); r.allocate() != 0 {
		t.Error("another credential of the same call has no quota of its own")
	}
	if got := taken[0].ask(stun.MethodRefresh, lifetime(0)); got != 0 {
		t.Fatalf("end: %d", got)
	}
	if got := taken[3].allocate(); got != 0 {
		t.Errorf("after one relay ended: %d", got)
	}
	if n := s.Places(); n != 4 {
		t.Errorf("%d places taken by 4 relays", n)
	}
	if n := s.Counters().RefusedPerCredential; n != 1 {
		t.Errorf("%d refusals counted, want 1", n)
	}
}

func TestQuotaInTotal(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.Quotas.Relays = 2 })
	for i := range 3 {
		got := speak(t, s, s.Credential(fmt.Sprint(i)), overUDP).allocate()
		if i < 2 && got != 0 || i == 2 && got != stun.CodeAllocQuotaReached {
			t.Errorf("relay %d: %d", i+1, got)
		}
	}
	if n := s.Counters().RefusedRelays; n != 1 {
		t.Errorf("%d refusals counted, want 1", n)
	}
}

// A call cannot take more by asking for fresh credentials, over whatever wire.
func TestQuotaOfACall(t *testing.T) {
	quotaOfACall(t, turn.Veil, func(c *turn.Config) { c.Quotas.PerCall = 24 })
}

// A browser with two interfaces of both families may make all its relays, also Firefox, which makes
// each twice; in a call there is room for those of both, and once more while they restart.
func TestQuotaFitsBrowsers(t *testing.T) {
	s := start(t, nil)
	const urls4, urls6, interfaces, components = 3, 2, 2, 2
	for range 2 { // the second time with fresh credentials
		for range 2 {
			cred := s.Credential("call")
			for i := range (urls4 + urls6) * interfaces * components {
				if got := speak(t, s, cred, overUDP).allocate(); got != 0 {
					t.Fatalf("relay %d: %d", i+1, got)
				}
			}
			if got := speak(t, s, cred, overUDP).allocate(); got != stun.CodeAllocQuotaReached {
				t.Errorf("one more: %d, want 486", got)
			}
		}
	}
}

// All relays of a credential together carry what one may, so many of them are worth no more.
func TestRelaysShareTheirRate(t *testing.T) {
	s := start(t, nil)
	cred := s.Credential("call")
	for range 8 {
		ana, bo := sitDown(t, speak(t, s, cred, overUDP)), sit(t, s, turn.Veil, "call")
		ana.permit(bo.relayed)
		bo.permit(ana.relayed)
		for range 40 {
			ana.send(sendTo(bo.relayed, string(make([]byte, 1000))))
		}
	}
	await(t, func() bool { c := s.Counters(); return c.Packets+c.DroppedRate >= 8*40 })
	if c := s.Counters(); c.Bytes > 64<<10+64<<10 {
		t.Errorf("%d bytes carried at once by eight relays, want what one may, about 65536", c.Bytes)
	}
}

// A private room is up to eight browsers with seven connections each: it has eight times as much.
func TestQuotaOfARoom(t *testing.T) {
	quotaOfACall(t, turn.Open, func(c *turn.Config) { c.Quotas.PerCall = 3 })
	s := start(t, func(c *turn.Config) { c.Quotas.PerCredential = 1 })
	cred := s.CredentialOf(turn.Open, "room")
	for i := range 9 {
		got := speak(t, s, cred, overUDP).allocate()
		if i < 8 && got != 0 || i == 8 && got != stun.CodeAllocQuotaReached {
			t.Errorf("relay %d of one member: %d", i+1, got)
		}
	}
}

func quotaOfACall(t *testing.T, kind turn.Kind, change func(*turn.Config)) {
	t.Helper()
	s := start(t, change)
	wires := []wire{overUDP, overTCP}
	fresh := func(i int, call string) *raw {
		return speak(t, s, s.CredentialOf(kind, call), wires[i%2])
	}
	var first *raw
	for i := range 24 {
		r := fresh(i, "call")
		if got := r.allocate(); got != 0 {
			t.Fatalf("relay %d: %d", i+1, got)
		}
		if i == 0 {
			first = r
		}
	}
	late := fresh(0, "call")
	for i, r := range []*raw{late, fresh(1, "call"), fresh(2, "call")} {
		if got := r.allocate(); got != stun.CodeAllocQuotaReached {
			t.Errorf("relay %d: %d, want 486", 25+i, got)
		}
	}
	if got := fresh(0, "another call").allocate(); got != 0 {
		t.Errorf("another call: %d", got)
	}
	if got := first.ask(stun.MethodRefresh, lifetime(0)); got != 0 {
		t.Fatalf("end: %d", got)
	}
	if got := late.allocate(); got != 0 {
		t.Errorf("after one relay ended: %d", got)
	}
	if c, n := s.Counters(), s.Places(); c.RefusedPerCall != 3 || n != 25 {
		t.Errorf("%d refusals counted, want 3; %d places taken, want 25", c.RefusedPerCall, n)
	}
}

func TestQuotaOfANetwork(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.Quotas.PerNetwork = 2 })
	at := func(i int, host string) *raw {
		r := speak(t, s, s.Credential(fmt.Sprint(i)), overUDP)
		conn, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.ParseIP(host)}, net.UDPAddrFromAddrPort(s.Addr()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		r.conn = conn
		r.challenged()
		return r
	}
	one, two, three := at(1, "127.0.0.1"), at(2, "127.0.0.2"), at(3, "127.0.0.3")
	for i, r := range []*raw{one, two} {
		if got := r.allocate(); got != 0 {
			t.Fatalf("relay %d: %d", i+1, got)
		}
	}
	if got := three.allocate(); got != stun.CodeAllocQuotaReached {
		t.Errorf("a third of that network: %d, want 486", got)
	}
	if got := at(4, "127.0.1.1").allocate(); got != 0 {
		t.Errorf("of another network: %d", got)
	}
	if got := one.ask(stun.MethodRefresh, lifetime(0)); got != 0 {
		t.Fatalf("end: %d", got)
	}
	if got := three.allocate(); got != 0 {
		t.Errorf("after one relay ended: %d", got)
	}
	if c, n := s.Counters(), s.Places(); c.RefusedPerNetwork != 1 || n != 3 {
		t.Errorf("%d refusals counted, want 1; %d places taken, want 3", c.RefusedPerNetwork, n)
	}
}

func TestNetworks(t *testing.T) {
	for _, test := range []struct {
		a, b string
		near bool
	}{
		{"203.0.113.1", "203.0.113.254", true},
		{"203.0.113.1", "203.0.114.1", false},
		{"2001:db8:1:200::1", "2001:db8:1:2ff::2", true},
		{"2001:db8:1:200::1", "2001:db8:1:300::1", false},
		{"fe80::1%eth0", "fe80::2%eth1", true},
	} {
		if got := turn.Near(test.a, test.b); got != test.near {
			t.Errorf("%s and %s are one network: %t", test.a, test.b, got)
		}
	}
}

// However a relay ends, or is not made after all, its place is given back in every count.
func TestPlacesAreGivenBack(t *testing.T) {
	ends := map[string]func(*turn.Server, *raw){
		"refresh": func(_ *turn.Server, r *raw) { r.ask(stun.MethodRefresh, lifetime(0)) },
		"time":    func(s *turn.Server, _ *raw) { s.Age(time.Hour) },
		"hang-up": func(_ *turn.Server, r *raw) { r.conn.Close() },
		"close":   func(s *turn.Server, _ *raw) { s.Close() },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(c *turn.Config) { c.Ports = turn.PortRange{First: 50000, Last: 50000} })
			r := speak(t, s, s.Credential("call"), overTCP)
			if got := r.allocate(); got != 0 {
				t.Fatalf("allocate: %d", got)
			}
			if got := speak(t, s, s.Credential("call"), overUDP).allocate(); got != stun.CodeInsufficientCapacity {
				t.Fatalf("without a port: %d", got)
			}
			await(t, func() bool { return s.Places() == 1 })
			end(s, r)
			await(t, func() bool { return s.Places() == 0 })
		})
	}
}
