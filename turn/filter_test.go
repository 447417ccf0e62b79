package turn_test

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"parley/turn"
)

func TestRequestsThatAreRefused(t *testing.T) {
	s := start(t, nil)
	r := speak(t, s, s.Credential("call"), overUDP)
	for name, test := range map[string]struct {
		attributes []stun.Setter
		want       stun.ErrorCode
	}{
		"relay over TCP":     {[]stun.Setter{transport(6)}, stun.CodeUnsupportedTransProto},
		"no transport":       {nil, stun.CodeBadRequest},
		"IPv6":               {[]stun.Setter{transport(17), attribute{stun.AttrRequestedAddressFamily, []byte{2, 0, 0, 0}}}, stun.CodeAddrFamilyNotSupported},
		"even port":          {[]stun.Setter{transport(17), attribute{stun.AttrEvenPort, []byte{0x80}}}, stun.CodeInsufficientCapacity},
		"reservation":        {[]stun.Setter{transport(17), attribute{stun.AttrReservationToken, make([]byte, 8)}}, stun.CodeInsufficientCapacity},
		"no fragmentation":   {[]stun.Setter{transport(17), attribute{stun.AttrDontFragment, nil}}, stun.CodeUnknownAttribute},
		"unknown and needed": {[]stun.Setter{transport(17), attribute{0x7E57, nil}}, stun.CodeUnknownAttribute},
		"no lifetime":        {[]stun.Setter{transport(17), lifetime(0)}, stun.CodeBadRequest},
		"short lifetime":     {[]stun.Setter{transport(17), lifetime(5)}, stun.CodeBadRequest},
	} {
		if got := r.ask(stun.MethodAllocate, test.attributes...); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
	for name, method := range map[string]stun.Method{
		"refresh": stun.MethodRefresh, "permission": stun.MethodCreatePermission, "channel": stun.MethodChannelBind,
	} {
		if got := r.ask(method, peerAt("127.0.0.1:50000")); got != stun.CodeAllocMismatch {
			t.Errorf("%s without a relay: %d, want 437", name, got)
		}
	}
	if got := r.ask(stun.MethodAllocate, transport(17), attribute{0xFE57, nil}); got != 0 {
		t.Errorf("unknown but optional attribute: %d", got)
	}
	self := peerAt("127.0.0.1:50000")
	for name, attributes := range map[string][]stun.Setter{
		"no peer":          {channel(0x4000)},
		"two peers":        {channel(0x4000), self, self},
		"no channel":       {self},
		"channel too low":  {channel(0x3FFF), self},
		"channel too high": {channel(0x5000), self},
	} {
		if got := r.ask(stun.MethodChannelBind, attributes...); got != stun.CodeBadRequest {
			t.Errorf("%s: %d, want 400", name, got)
		}
	}
	if got := r.ask(stun.MethodCreatePermission); got != stun.CodeBadRequest {
		t.Errorf("permission for nobody: %d, want 400", got)
	}
}

func TestPermissionsAndChannelsAreBounded(t *testing.T) {
	s := start(t, nil)
	r := speak(t, s, s.CredentialOf(turn.Open, "call"), overUDP)
	if got := r.allocate(); got != 0 {
		t.Fatalf("allocate: %d", got)
	}
	granted := 0
	for i := range 300 {
		if r.ask(stun.MethodCreatePermission, peerAt(fmt.Sprintf("8.8.%d.%d:5000", i/250, i%250+5))) == 0 {
			granted++
		}
	}
	if granted != 16 {
		t.Errorf("%d permissions, want 16", granted)
	}
	var many []stun.Setter
	for i := range 90 {
		many = append(many, peerAt(fmt.Sprintf("9.8.7.%d:5000", i)))
	}
	if got := r.ask(stun.MethodCreatePermission, many...); got != stun.CodeInsufficientCapacity {
		t.Errorf("90 permissions at once: %d", got)
	}
	if got := r.ask(stun.MethodCreatePermission, peerAt("8.8.0.5:6000")); got != 0 {
		t.Errorf("renewing a permission when full: %d", got)
	}
	bound := 0
	for i := range 20 {
		if r.ask(stun.MethodChannelBind, channel(uint16(0x4000+i)), peerAt(fmt.Sprintf("8.8.0.5:%d", 5000+i))) == 0 {
			bound++
		}
	}
	if bound != 8 {
		t.Errorf("%d channels, want 8", bound)
	}
	if got := r.ask(stun.MethodChannelBind, channel(0x4000), peerAt("8.8.0.5:5000")); got != 0 {
		t.Errorf("renewing a channel when full: %d", got)
	}
	if got := r.ask(stun.MethodChannelBind, channel(0x4000), peerAt("8.8.0.5:5001")); got != stun.CodeBadRequest {
		t.Errorf("rebinding a channel: %d, want 400", got)
	}
}

func TestUnsignedTailIsRefused(t *testing.T) {
	s := start(t, nil)
	r := speak(t, s, s.Credential("call"), overUDP)
	m := &stun.Message{Raw: r.build(stun.MethodAllocate)}
	if err := m.Decode(); err != nil {
		t.Fatal(err)
	}
	m.Add(stun.AttrRequestedTransport, []byte{17, 0, 0, 0}) // what the signature does not cover
	r.send(m.Raw)
	if got := r.answer(); got != nil {
		t.Errorf("answered %v", got)
	}
}

func TestChallengesAreBounded(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.Quotas.Challenges = 5 })
	conn := knock(t, s, overUDP)
	r := &raw{t: t, conn: conn}
	ask, answers, sent, got := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest)).Raw, 0, 0, 0
	for range 100 {
		r.send(ask)
		sent += len(ask)
		if b := r.packet(2 * time.Millisecond); b != nil {
			answers++
			got += len(b)
		}
	}
	if answers < 5 || answers > 20 {
		t.Errorf("%d answers to 100 strangers, want about 10", answers)
	}
	if got > 4*sent {
		t.Errorf("answers of %d bytes to %d", got, sent)
	}
	if n := s.Counters().Suppressed; n < 80 {
		t.Errorf("%d suppressed", n)
	}
	silent := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodRefresh, stun.ClassRequest)).Raw
	r.send(silent)
	if b := r.packet(50 * time.Millisecond); b != nil {
		t.Error("an unsigned refresh of a stranger was answered")
	}
}

func TestMalformedPackets(t *testing.T) {
	good := stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodAllocate, stun.ClassRequest), transport(17)).Raw
	change := func(f func(b []byte) []byte) []byte { return f(append([]byte(nil), good...)) }
	build := func(parts ...stun.Setter) []byte {
		return stun.MustBuild(append([]stun.Setter{stun.TransactionID}, parts...)...).Raw
	}
	if _, whole := turn.Parse(good); !whole {
		t.Fatal("a good packet is refused")
	}
	for name, b := range map[string][]byte{
		"empty":              {},
		"three bytes":        good[:3],
		"half a header":      good[:12],
		"cut":                good[:len(good)-1],
		"one byte more":      append(append([]byte(nil), good...), 0),
		"cookie":             change(func(b []byte) []byte { b[5]++; return b }),
		"length not of four": change(func(b []byte) []byte { b[3]--; return b[:len(b)-1] }),
		"attribute too long": change(func(b []byte) []byte { b[23] = 9; return b }),
		"attribute huge":     change(func(b []byte) []byte { b[22], b[23] = 0xFF, 0xFF; return b }),
		"two high bits":      change(func(b []byte) []byte { b[0] |= 0xC0; return b }),
		"over 1500 bytes":    append([]byte{0x40, 0, 0x06, 0}, make([]byte, 1536)...),
		"channel cut":        {0x40, 0, 0, 9, 1},
		"channel 0x5000":     {0x50, 0, 0, 1, 1},
		"a response":         build(stun.NewType(stun.MethodAllocate, stun.ClassSuccessResponse)),
		"binding indication": build(stun.NewType(stun.MethodBinding, stun.ClassIndication)),
		"data indication":    build(stun.NewType(stun.MethodData, stun.ClassIndication)),
		"connect (RFC 6062)": build(stun.NewType(stun.MethodConnect, stun.ClassRequest)),
		"short peer":         build(stun.NewType(stun.MethodSend, stun.ClassIndication), attribute{stun.AttrXORPeerAddress, []byte{0, 1, 2}}),
		"peer family 3":      build(stun.NewType(stun.MethodSend, stun.ClassIndication), attribute{stun.AttrXORPeerAddress, []byte{0, 3, 2, 2, 1, 1, 1, 1}}),
		"IPv6 in 8 bytes":    build(stun.NewType(stun.MethodSend, stun.ClassIndication), attribute{stun.AttrXORPeerAddress, []byte{0, 2, 2, 2, 1, 1, 1, 1}}),
		"short transport":    build(stun.NewType(stun.MethodAllocate, stun.ClassRequest), attribute{stun.AttrRequestedTransport, []byte{17}}),
		"short signature":    build(stun.NewType(stun.MethodAllocate, stun.ClassRequest), attribute{stun.AttrMessageIntegrity, make([]byte, 10)}),
		"long user name":     build(stun.NewType(stun.MethodAllocate, stun.ClassRequest), attribute{stun.AttrUsername, []byte(strings.Repeat("x", 513))}),
	} {
		if _, whole := turn.Parse(b); whole {
			t.Errorf("%s: accepted", name)
		}
	}
}

// FuzzParse holds the front filter to pion's parser: what it lets through, pion reads, and reads
// the same peers.
func FuzzParse(f *testing.F) {
	kinds := []stun.MessageType{
		stun.NewType(stun.MethodAllocate, stun.ClassRequest), stun.NewType(stun.MethodSend, stun.ClassIndication),
		stun.NewType(stun.MethodChannelBind, stun.ClassRequest), stun.NewType(stun.MethodCreatePermission, stun.ClassRequest),
	}
	for _, kind := range kinds {
		f.Add(stun.MustBuild(stun.TransactionID, kind, transport(17), peerAt("1.2.3.4:5"), peerAt6("2606::1"), channel(0x4001), lifetime(600),
			attribute{stun.AttrData, []byte("hello")}, stun.NewUsername("1:a"), stun.NewRealm("parley"), stun.NewNonce("n"),
			stun.NewShortTermIntegrity("x"), stun.Fingerprint).Raw)
	}
	f.Add([]byte{0x40, 0x01, 0, 3, 1, 2, 3, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		seen, whole := turn.Parse(b)
		if !whole {
			return
		}
		if seen.Data {
			if n := binary.BigEndian.Uint16(b); n < 0x4000 || n > 0x4FFF || 4+int(binary.BigEndian.Uint16(b[2:])) > len(b) {
				t.Fatalf("accepted channel data %x", b)
			}
			return
		}
		m := &stun.Message{Raw: append([]byte(nil), b...)}
		if err := m.Decode(); err != nil {
			t.Fatalf("accepted what pion refuses: %v: %x", err, b)
		}
		if seen.Signed != m.Contains(stun.AttrMessageIntegrity) {
			t.Fatalf("signed %v: %x", seen.Signed, b)
		}
		var peers []netip.AddrPort
		err := m.ForEach(stun.AttrXORPeerAddress, func(m *stun.Message) error {
			var a stun.XORMappedAddress
			if err := a.GetFromAs(m, stun.AttrXORPeerAddress); err != nil {
				return err
			}
			ip, _ := netip.AddrFromSlice(a.IP)
			peers = append(peers, netip.AddrPortFrom(ip, uint16(a.Port)))
			return nil
		})
		if err != nil {
			t.Fatalf("pion cannot read a peer: %v: %x", err, b)
		}
		if m.Type.Class == stun.ClassRequest && fmt.Sprint(peers) != fmt.Sprint(seen.Peers) {
			t.Fatalf("peers %v, pion reads %v: %x", seen.Peers, peers, b)
		}
	})
}
