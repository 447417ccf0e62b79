package turn_test

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"parley/turn"
)

// The registries of special-purpose addresses as IANA keeps them (RFC 6890), every row, and
// multicast.
func specialV4() []string {
	return []string{
		"0.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
		"192.0.0.0/24", "192.0.0.0/29", "192.0.0.8/32", "192.0.0.9/32", "192.0.0.10/32", "192.0.0.170/32", "192.0.0.171/32",
		"192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.88.99.2/32", "192.168.0.0/16",
		"192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "255.255.255.255/32",
		"224.0.0.0/4",
	}
}

// specialV6 leaves out the rows that carry an IPv4 address, which is what is judged there:
// ::ffff:0:0/96, 64:ff9b::/96, 2001::/32 and 2002::/16.
func specialV6() []string {
	return []string{
		"::/128", "::1/128", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001:1::1/128", "2001:1::2/128",
		"2001:1::3/128", "2001:2::/48", "2001:3::/32", "2001:4:112::/48", "2001:10::/28", "2001:20::/28", "2001:30::/28",
		"2001:db8::/32", "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "ff00::/8",
	}
}

// edges are the first and the last address of a range.
func edges(t *testing.T, text string) []netip.Addr {
	t.Helper()
	p := netip.MustParsePrefix(text)
	if p != p.Masked() {
		t.Fatalf("%s is no range", text)
	}
	last := p.Addr().AsSlice()
	for i := p.Bits(); i < 8*len(last); i++ {
		last[i/8] |= 0x80 >> (i % 8)
	}
	end, _ := netip.AddrFromSlice(last)
	if end == p.Addr() {
		return []netip.Addr{end}
	}
	return []netip.Addr{p.Addr(), end}
}

// disguises are the forms in which an IPv4 address can stand in an IPv6 one.
func disguises(a netip.Addr) map[string]netip.Addr {
	v4 := a.As4()
	hex := fmt.Sprintf("%02x%02x:%02x%02x", v4[0], v4[1], v4[2], v4[3])
	n := ^binary.BigEndian.Uint32(v4[:])
	flipped := fmt.Sprintf("%x:%x", n>>16, n&0xFFFF)
	all := map[string]netip.Addr{"plain": a}
	for form, text := range map[string]string{
		"mapped (RFC 4291)":          "::ffff:" + a.String(),
		"compatible (RFC 4291)":      "::" + a.String(),
		"translated (RFC 2765)":      "::ffff:0:" + a.String(),
		"NAT64 (RFC 6052)":           "64:ff9b::" + a.String(),
		"local NAT64 (RFC 8215)":     "64:ff9b:1::" + a.String(),
		"6to4 (RFC 3056)":            "2002:" + hex + "::1",
		"Teredo client (RFC 4380)":   "2001:0:808:808::" + flipped,
		"Teredo server (RFC 4380)":   "2001:0:" + hex + "::f7f7:f7f7",
		"ISATAP (RFC 5214)":          "2606:4700::5efe:" + a.String(),
		"ISATAP, public (RFC 5214)":  "2606:4700::200:5efe:" + a.String(),
		"ISATAP, private (RFC 5214)": "fe80::5efe:" + a.String(),
	} {
		all[form] = netip.MustParseAddr(text)
	}
	return all
}

// TestEverySpecialAddressIsForbidden goes through both registries from edge to edge, in every
// disguise.
func TestEverySpecialAddressIsForbidden(t *testing.T) {
	count := 0
	for _, text := range specialV4() {
		for _, a := range edges(t, text) {
			for form, disguised := range disguises(a) {
				count++
				if turn.Forbids(netip.AddrPortFrom(disguised, 5000), false) == "" {
					t.Errorf("%s of %s, %s: %s may be reached", a, text, form, disguised)
				}
			}
		}
	}
	for _, text := range specialV6() {
		for _, a := range edges(t, text) {
			count++
			if turn.Forbids(netip.AddrPortFrom(a, 5000), false) == "" {
				t.Errorf("%s of %s may be reached", a, text)
			}
		}
	}
	t.Logf("%d addresses", count)
	for form, disguised := range disguises(netip.MustParseAddr("8.8.8.8")) { // the same disguises do not hide what is public
		allowed := turn.Forbids(netip.AddrPortFrom(disguised, 5000), false) == ""
		if want := form == "plain" || form == "mapped (RFC 4291)"; want && !allowed {
			t.Errorf("%s: %s may not be reached", form, disguised)
		}
	}
}

// encodings are the 60 and more peers that a browser with bad intentions names, at ports that are
// not forbidden for themselves.
func encodings(t *testing.T) []netip.Addr {
	t.Helper()
	var all []netip.Addr
	for _, text := range specialV4() {
		all = append(all, edges(t, text)[0])
	}
	for _, text := range specialV6() {
		all = append(all, edges(t, text)[0])
	}
	for _, a := range []string{"127.0.0.1", "169.254.169.254", "10.0.0.1"} { // ourselves, the cloud's metadata, its network
		for _, disguised := range disguises(netip.MustParseAddr(a)) {
			all = append(all, disguised)
		}
	}
	return all
}

// peerOf is an XOR-PEER-ADDRESS in the family of a.
func peerOf(a netip.Addr) stun.Setter {
	if a.Is4() {
		return peerAt(netip.AddrPortFrom(a, 8192).String())
	}
	return peerAt6(a.String())
}

// TestSpecialPeersByRequestAndPacket asks for each of them by both requests and by packet, in each
// kind of credential, over UDP and TCP.
func TestSpecialPeersByRequestAndPacket(t *testing.T) {
	for _, kind := range []turn.Kind{turn.Veil, turn.Open} {
		for _, over := range []wire{overUDP, overTCP} {
			t.Run(fmt.Sprintf("%c %s", kind, over), func(t *testing.T) {
				s := start(t, nil)
				r := speak(t, s, s.CredentialOf(kind, "call"), over)
				if got := r.allocate(); got != 0 {
					t.Fatalf("allocate: %d", got)
				}
				peers := encodings(t)
				if len(peers) < 60 {
					t.Fatalf("only %d encodings", len(peers))
				}
				for _, a := range peers {
					// The address that the relay has here is granted, but leads to relays of the call and nowhere else.
					own := a == s.Addr().Addr()
					for name, got := range map[string]stun.ErrorCode{
						"permission": r.ask(stun.MethodCreatePermission, peerOf(a)),
						"channel":    r.ask(stun.MethodChannelBind, channel(0x4000), peerOf(a)),
					} {
						if refused := got == stun.CodeForbidden || got == stun.CodePeerAddrFamilyMismatch; refused == own {
							t.Errorf("%s for %s: %d", name, a, got)
						}
					}
					r.send(indication(peerOf(a), "knock"))
					if got := s.Goes(kind, netip.AddrPortFrom(a, 8192)); got != "nowhere" {
						t.Errorf("a packet for %s goes %s", a, got)
					}
				}
				if got := r.ask(stun.MethodRefresh); got != 0 { // behind all packets
					t.Fatalf("refresh: %d", got)
				}
				if c := s.Counters(); c.OutPackets != 0 || c.Packets != 0 {
					t.Errorf("packets were carried: %+v", c)
				}
			})
		}
	}
}

// indication is a Send with a payload.
func indication(peer stun.Setter, payload string) []byte {
	return stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication),
		peer, attribute{stun.AttrData, []byte(payload)}).Raw
}

// TestHostsOfTheInstallation: what the relay is told of while it runs, such as a Redis, is closed
// at once, also to relays that had a permission for it, and for what comes from there.
func TestHostsOfTheInstallation(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.AllowLoopback = true })
	redis, other := outsider(t, "127.0.0.7:0"), outsider(t, "127.0.0.8:0")
	ana := call(t, s, s.CredentialOf(turn.Open, "call"), overUDP)
	if err := ana.CreatePermission(redis.LocalAddr(), other.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	says := func(to *net.UDPConn) string {
		_, _ = ana.relay.WriteTo([]byte("hello"), to.LocalAddr())
		return heard(to, time.Second)
	}
	if says(redis) != "hello" || says(other) != "hello" {
		t.Fatal("nothing is heard while it is allowed: the test shows nothing")
	}
	s.Forbid(netip.MustParseAddr("127.0.0.7"))
	_, _ = ana.relay.WriteTo([]byte("hello"), redis.LocalAddr())
	if says(other) != "hello" { // behind the first
		t.Error("another host is closed too")
	}
	if got := heard(redis, moment); got != "" {
		t.Errorf("heard %q", got)
	}
	_, _ = redis.WriteTo([]byte("from redis"), ana.relay.LocalAddr())
	_, _ = other.WriteTo([]byte("from the other"), ana.relay.LocalAddr())
	if got := heard(ana.relay, time.Second); got != "from the other" {
		t.Errorf("the browser hears %q", got)
	}
	r := speak(t, s, s.CredentialOf(turn.Open, "call"), overUDP)
	if got := r.allocate(); got != 0 {
		t.Fatalf("allocate: %d", got)
	}
	for name, got := range map[string]stun.ErrorCode{
		"permission": r.ask(stun.MethodCreatePermission, peerAt(redis.LocalAddr().String())),
		"channel":    r.ask(stun.MethodChannelBind, channel(0x4000), peerAt(redis.LocalAddr().String())),
	} {
		if got != stun.CodeForbidden {
			t.Errorf("%s: %d, want 403", name, got)
		}
	}
}

// TestForbiddenHostsAreBounded: the newest are kept.
func TestForbiddenHostsAreBounded(t *testing.T) {
	s := start(t, nil)
	for i := range 2000 {
		s.Forbid(netip.AddrFrom4([4]byte{9, 9, byte(i >> 8), byte(i)}))
	}
	for i, want := range map[int]string{0: "outside", 1999: "nowhere", 1500: "nowhere"} {
		to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{9, 9, byte(i >> 8), byte(i)}), 5000)
		if got := s.Goes(turn.Open, to); got != want {
			t.Errorf("host %d: %s, want %s", i, got, want)
		}
	}
}
