package turn_test

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"parley/turn"
)

// FuzzStream reads whatever a TCP client may send, in pieces of any size: each frame is what its
// own head says, frames and padding together are the bytes that came, and nothing waits for ever.
func FuzzStream(f *testing.F) {
	f.Add(binding(), byte(1))
	f.Add(append(binding(), 0x40, 0, 0, 1, 9, 0, 0, 0), byte(3))
	f.Add([]byte{0x40, 0, 0xFF, 0xFF}, byte(7))
	f.Add([]byte{0, 1, 0xFF, 0xEC, 0x21, 0x12, 0xA4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, byte(20)) // pion's endless loop
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), byte(2))
	f.Fuzz(func(t *testing.T, b []byte, piece byte) {
		left := b
		for _, frame := range turn.Streamed(b, int(piece)) {
			size, padding, ok := turn.FrameSize(frame)
			if !ok || size != len(frame) || size > 1500 {
				t.Fatalf("frame %x", frame)
			}
			if !bytes.HasPrefix(left, frame) || len(left) < size+padding {
				t.Fatalf("frame %x is not what came: %x", frame, left)
			}
			left = left[size+padding:]
		}
		if size, padding, ok := turn.FrameSize(append(left[:min(4, len(left)):min(4, len(left))], 0, 0, 0, 0)); ok && len(left) >= max(4, size+padding) {
			t.Fatalf("a whole frame was left: %x", left)
		}
	})
}

// FuzzUser looks for a user name that makes a relay and is not one that we made.
func FuzzUser(f *testing.F) {
	now := time.Unix(1_700_000_000, 0)
	open, good := turn.Names(now)
	expiry, sealed, _ := strings.Cut(good, ":")
	for _, name := range []string{
		good, "", ":", expiry, expiry + ":", "+" + good, "0" + good, " " + good, expiry + "::" + sealed, "99999999999999999999:" + sealed,
		"-" + good, expiry + ":\xff\xfe", good + "=", strings.ToUpper(good), "1700000001:" + sealed,
	} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if open(name) != (name == good) {
			t.Fatalf("%q", name)
		}
	})
}

// FuzzAddress holds the deny list to its rule: whatever form an address has, if any IPv4 address
// that it may stand for is forbidden, or it is in a special range itself, it is forbidden.
func FuzzAddress(f *testing.F) {
	for _, text := range append(specialV6(), "2606:4700::/32", "64:ff9b::/96", "2002:808:808::/48", "2001::/32", "::ffff:0:0/96") {
		a := netip.MustParsePrefix(text).Addr().As16()
		f.Add(a[:])
	}
	var inside []netip.Prefix
	for _, text := range append(specialV4(), specialV6()...) {
		inside = append(inside, netip.MustParsePrefix(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		if turn.Forbids(netip.AddrPortFrom(a, 5000), false) != "" {
			return
		}
		a = a.Unmap()
		for _, p := range inside {
			if p.Contains(a) {
				t.Fatalf("%s of %s may be reached", a, p)
			}
		}
		if a.Is4() {
			return
		}
		w := a.As16()
		switch { // what is left may carry an IPv4 address only in these
		case w[0] == 0x20 && w[1] == 0x02:
			a = netip.AddrFrom4([4]byte(w[2:6]))
		case w[0] == 0 && w[1] == 0x64:
			a = netip.AddrFrom4([4]byte(w[12:16]))
		case binary.BigEndian.Uint32(w[:4]) == 0x2001_0000:
			a = netip.AddrFrom4([4]byte{^w[12], ^w[13], ^w[14], ^w[15]})
		}
		if turn.Forbids(netip.AddrPortFrom(a, 5000), false) != "" {
			t.Fatalf("%s may be reached and its IPv4 address not", netip.AddrFrom16(w))
		}
	})
}

// FuzzGate sends what the front filter may see to a gate, from somebody who has a relay and from
// somebody who has none: nothing panics, what is let through pion can read, and an answer to a
// stranger is an error or nothing.
func FuzzGate(f *testing.F) {
	s := start(f, nil)
	r := speak(f, s, s.Credential("call"), overUDP)
	if got := r.allocate(); got != 0 {
		f.Fatalf("allocate: %d", got)
	}
	at := netip.MustParseAddrPort(r.conn.LocalAddr().String())
	for _, method := range []stun.Method{stun.MethodAllocate, stun.MethodRefresh, stun.MethodCreatePermission, stun.MethodChannelBind, stun.MethodBinding} {
		f.Add(r.build(method, transport(17), peerAt("1.2.3.4:5"), channel(0x4000), lifetime(600)), true)
		f.Add(r.build(method, transport(6), peerAt6("::1"), lifetime(1), attribute{0x7E57, []byte("x")}), false)
		f.Add(stun.MustBuild(stun.TransactionID, stun.NewType(method, stun.ClassRequest)).Raw, false)
	}
	f.Add(indication(peerAt("127.0.0.1:50000"), "hello"), true)
	f.Add([]byte{0x40, 0, 0, 3, 1, 2, 3, 0}, true)
	admit := s.Gate()
	f.Fuzz(func(t *testing.T, b []byte, known bool) {
		from := netip.MustParseAddrPort("192.0.2.1:5000")
		if known {
			from = at
		}
		seen, answers := admit(bytes.Clone(b), from)
		if n := s.Counters().Panics; n != 0 {
			t.Fatalf("a panic: %x", b)
		}
		if seen && b[0]&0xC0 == 0 && (&stun.Message{Raw: bytes.Clone(b)}).Decode() != nil {
			t.Fatalf("let through: %x", b)
		}
		if seen && len(answers) > 0 {
			t.Fatalf("answered and let through: %x", b)
		}
		for _, answer := range answers {
			m := &stun.Message{Raw: answer}
			if err := m.Decode(); err != nil || m.Type.Class != stun.ClassErrorResponse || len(answers) > 1 {
				t.Fatalf("%d answers, one of them %x", len(answers), answer)
			}
		}
	})
}
