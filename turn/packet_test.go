package turn_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"parley/turn"
)

// seat is a browser that speaks by hand, with a relay.
type seat struct {
	*raw
	relayed string
}

// sit makes a relay of kind for call.
func sit(t testing.TB, s *turn.Server, kind turn.Kind, call string) seat {
	t.Helper()
	return sitDown(t, speak(t, s, s.CredentialOf(kind, call), overUDP))
}

func sitDown(t testing.TB, r *raw) seat {
	t.Helper()
	r.send(r.build(stun.MethodAllocate, transport(17)))
	m := r.answer()
	var at stun.XORMappedAddress
	if m == nil || at.GetFromAs(m, stun.AttrXORRelayedAddress) != nil {
		t.Fatal("no relay")
	}
	return seat{r, at.String()}
}

func (s seat) bind(number uint16, peer string) {
	s.t.Helper()
	if c := s.ask(stun.MethodChannelBind, channel(number), peerAt(peer)); c != 0 {
		s.t.Fatalf("channel to %s: %d", peer, c)
	}
}

func (s seat) permit(peer string) {
	s.t.Helper()
	if c := s.ask(stun.MethodCreatePermission, peerAt(peer)); c != 0 {
		s.t.Fatalf("permission for %s: %d", peer, c)
	}
}

func channelData(number uint16, payload string) []byte {
	b := binary.BigEndian.AppendUint16(nil, number)
	b = binary.BigEndian.AppendUint16(b, uint16(len(payload)))
	return append(b, payload...)
}

func sendTo(peer, payload string) []byte {
	return stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication),
		peerAt(peer), attribute{stun.AttrData, []byte(payload)}).Raw
}

// data reads a Data indication or ChannelData: its payload, and whether it came over a channel.
func data(t testing.TB, b []byte) (payload string, bound bool) {
	t.Helper()
	if len(b) >= 4 && b[0]&0xC0 == 0x40 {
		return string(b[4 : 4+int(binary.BigEndian.Uint16(b[2:]))]), true
	}
	m := &stun.Message{Raw: b}
	if err := m.Decode(); err != nil || m.Type != stun.NewType(stun.MethodData, stun.ClassIndication) {
		t.Fatalf("%x is no data: %v", b, err)
	}
	got, err := m.Get(stun.AttrData)
	if err != nil {
		t.Fatal(err)
	}
	return string(got), false
}

// Every pair of ways to send and to hear, for payloads of every length that matters.
func TestPayloadsComeThroughUnchanged(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.Quotas.VoiceRate = 1 << 24 })
	ana, bo := sit(t, s, turn.Veil, "call"), sit(t, s, turn.Veil, "call")
	ana.bind(0x4FFF, bo.relayed)
	bo.permit(ana.relayed)
	for _, channels := range []bool{false, true} {
		if channels {
			bo.bind(0x4000, ana.relayed)
		}
		for _, size := range []int{0, 1, 2, 3, 4, 5, 159, 160, 1200, 1440} {
			payload := string(bytes.Repeat([]byte{byte(size)}, size))
			for _, packet := range [][]byte{channelData(0x4FFF, payload), sendTo(bo.relayed, payload)} {
				ana.send(packet)
				b := bo.packet(5 * time.Second)
				if got, bound := data(t, b); got != payload || bound != channels {
					t.Errorf("%d bytes, channel %v: heard %d, channel %v", size, channels, len(got), bound)
				}
				if m := (&stun.Message{Raw: b}); !channels {
					var peer stun.XORMappedAddress
					if m.Decode() != nil || peer.GetFromAs(m, stun.AttrXORPeerAddress) != nil || peer.String() != ana.relayed {
						t.Errorf("%d bytes: came from %v, want %s", size, peer, ana.relayed)
					}
					if end := len(b) - (-size & 3); !bytes.Equal(b[end:], make([]byte, len(b)-end)) {
						t.Errorf("%d bytes: padding %x", size, b[end:])
					}
				}
			}
		}
	}
}

// What cannot be carried costs one packet, which is counted by its cause, and nobody else notices.
func TestDropsAreCountedByCause(t *testing.T) {
	s := start(t, nil)
	ana, bo, cy := sit(t, s, turn.Veil, "call"), sit(t, s, turn.Veil, "call"), sit(t, s, turn.Veil, "another")
	deaf := sit(t, s, turn.Veil, "call") // gave no permission
	stranger := &raw{t: t, conn: knock(t, s, overUDP)}
	ana.bind(0x4001, bo.relayed)
	bo.bind(0x4001, ana.relayed)
	cy.permit(ana.relayed)
	lying := channelData(0x4001, "words")
	binary.BigEndian.PutUint16(lying[2:], 100)
	shifted := sendTo(bo.relayed, "words")
	binary.BigEndian.PutUint16(shifted[headerLength+2:], 9)
	for name, test := range map[string]struct {
		from   *raw
		packet []byte
		count  func(turn.Counters) int64
	}{
		"longer than it is":    {ana.raw, lying, func(c turn.Counters) int64 { return c.DroppedMalformed }},
		"channel out of range": {ana.raw, channelData(0x5000, "words"), func(c turn.Counters) int64 { return c.DroppedMalformed }},
		"garbage":              {ana.raw, bytes.Repeat([]byte{0xFF}, 40), func(c turn.Counters) int64 { return c.DroppedMalformed }},
		"attribute of nine":    {ana.raw, shifted, func(c turn.Counters) int64 { return c.DroppedMalformed }},
		"nothing":              {ana.raw, []byte{0}, func(c turn.Counters) int64 { return c.DroppedMalformed }},
		"no payload":           {ana.raw, stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication), peerAt(bo.relayed)).Raw, func(c turn.Counters) int64 { return c.DroppedMalformed }},
		"no peer":              {ana.raw, stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication), attribute{stun.AttrData, []byte("words")}).Raw, func(c turn.Counters) int64 { return c.DroppedMalformed }},
		"a stranger's channel": {stranger, channelData(0x4001, "words"), func(c turn.Counters) int64 { return c.DroppedStranger }},
		"a stranger's send":    {stranger, sendTo(bo.relayed, "words"), func(c turn.Counters) int64 { return c.DroppedStranger }},
		"channel nobody bound": {ana.raw, channelData(0x4002, "words"), func(c turn.Counters) int64 { return c.DroppedChannel }},
		"peer without a grant": {ana.raw, sendTo("8.8.8.8:5000", "words"), func(c turn.Counters) int64 { return c.DroppedPermission }},
		"a peer that is IPv6":  {ana.raw, stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication), peerAt6("2606:4700::1"), attribute{stun.AttrData, []byte("words")}).Raw, func(c turn.Counters) int64 { return c.DroppedPermission }},
		"ears without a grant": {ana.raw, sendTo(deaf.relayed, "words"), func(c turn.Counters) int64 { return c.DroppedPermission }},
		"another call":         {ana.raw, sendTo(cy.relayed, "words"), func(c turn.Counters) int64 { return c.DroppedRoute }},
		"the relay's own port": {ana.raw, sendTo(s.Addr().String(), "words"), func(c turn.Counters) int64 { return c.DroppedRoute }},
		"one's own relay":      {ana.raw, sendTo(ana.relayed, "words"), func(c turn.Counters) int64 { return c.DroppedRoute }},
	} {
		before := test.count(s.Counters())
		_, _ = test.from.conn.Write(test.packet)
		ana.send(channelData(0x4001, name)) // behind it
		if got, _ := data(t, bo.packet(5*time.Second)); got != name {
			t.Errorf("after %s: heard %q", name, got)
		}
		await(t, func() bool { return test.count(s.Counters()) == before+1 })
	}
}

const headerLength = 20 // of STUN

// A packet that makes the code fail costs itself.
func TestFailingPacketCostsItself(t *testing.T) {
	if onPlainPath() {
		t.Skip("pion's own code is not ours to break")
	}
	s := start(t, nil)
	ana, bo, cy := sit(t, s, turn.Veil, "call"), sit(t, s, turn.Veil, "call"), sit(t, s, turn.Veil, "call")
	ana.bind(0x4001, bo.relayed)
	bo.permit(ana.relayed)
	ana.permit(cy.relayed)
	s.Break(netip.MustParseAddrPort(cy.relayed).Port())
	for i := range 3 {
		ana.send(sendTo(cy.relayed, "words"))
		ana.send(channelData(0x4001, "still here"))
		if got, _ := data(t, bo.packet(5*time.Second)); got != "still here" {
			t.Errorf("heard %q", got)
		}
		await(t, func() bool { return s.Counters().Panics == int64(i)+1 })
	}
}

// More packets than one look at a socket takes all arrive.
func TestBurstFromOutside(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.AllowLoopback = true })
	ear := outsider(t, "127.0.0.2:0")
	ana := sit(t, s, turn.Open, "call")
	ana.bind(0x4000, ear.LocalAddr().String())
	to := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(ana.relayed))
	const packets = 40
	for i := range packets {
		if _, err := ear.WriteTo(fmt.Appendf(nil, "%02d", i), to); err != nil {
			t.Fatal(err)
		}
	}
	for i := range packets {
		if got, _ := data(t, ana.packet(5*time.Second)); got != fmt.Sprintf("%02d", i) {
			t.Fatalf("packet %d: heard %q", i, got)
		}
	}
	if c := s.Counters(); c.InPackets != packets || c.InBytes != 2*packets {
		t.Errorf("%d packets of %d bytes counted", c.InPackets, c.InBytes)
	}
}

// A permission is checked for each packet, also over a channel, which may outlive it.
func TestLapsedPermissionClosesTheChannel(t *testing.T) {
	s := start(t, nil)
	ana, bo := sit(t, s, turn.Veil, "call"), sit(t, s, turn.Veil, "call")
	ana.bind(0x4001, bo.relayed)
	bo.bind(0x4001, ana.relayed)
	s.Lapse(netip.MustParseAddrPort(ana.relayed).Port())
	ana.send(channelData(0x4001, "words"))
	bo.send(channelData(0x4001, "words"))
	await(t, func() bool { return s.Counters().DroppedPermission == 2 })
	if got := bo.packet(moment); got != nil {
		t.Errorf("heard %x", got)
	}
}

// No packet is left lying until another comes, whenever it comes: also not one that arrives while the
// packet before it is on its way and doors are asked.
func TestNothingIsLeftLying(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.AllowLoopback = true; c.Quotas.RoomRate = 1 << 30 })
	service := outsider(t, "127.0.0.2:0")
	ana := sit(t, s, turn.Open, "call")
	ana.bind(0x4001, service.LocalAddr().String())
	packet := channelData(0x4001, "words")
	tick := time.NewTicker(200 * time.Microsecond)
	defer tick.Stop()
	for i := range int64(6000) {
		ana.send(packet)
		for range i % 64 {
			runtime.Gosched() // at another moment each time
		}
		ana.send(packet)
		for since := time.Now(); s.Counters().OutPackets != 2*(i+1); <-tick.C {
			if time.Since(since) > 5*time.Second {
				t.Fatalf("%d packets arrived, of %d", s.Counters().OutPackets, 2*(i+1))
			}
		}
	}
}

// TestNothingIsLeftLyingAtADoor: what comes from outside in a bundle is carried whole, though a door
// gives one packet each time that it is told, and nothing else wakes the lane.
func TestNothingIsLeftLyingAtADoor(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.AllowLoopback = true; c.Quotas.RoomRate = 1 << 30 })
	service := outsider(t, "127.0.0.2:0")
	ana := sit(t, s, turn.Open, "call")
	ana.bind(0x4001, service.LocalAddr().String())
	relayed := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(ana.relayed))
	tick := time.NewTicker(200 * time.Microsecond)
	defer tick.Stop()
	sent := int64(0)
	for i := range 300 {
		for range 1 + i%24 {
			if _, err := service.WriteTo([]byte("words"), relayed); err != nil {
				t.Fatal(err)
			}
			sent++
		}
		for since := time.Now(); s.Counters().InPackets != sent; <-tick.C {
			if time.Since(since) > 5*time.Second {
				t.Fatalf("%d packets were carried, of %d", s.Counters().InPackets, sent)
			}
		}
	}
}

// The packet path makes no garbage.
func TestPacketsAllocateNothing(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.AllowLoopback = true; c.Quotas.RoomRate = 1 << 30 })
	ana, bo := sit(t, s, turn.Open, "call"), sit(t, s, turn.Open, "call")
	ana.bind(0x4001, bo.relayed)
	ana.bind(0x4002, "127.0.0.2:5000")
	bo.permit(ana.relayed)
	from := netip.MustParseAddrPort(ana.conn.LocalAddr().String())
	for name, packet := range map[string][]byte{
		"channel":      channelData(0x4001, "words"),
		"send":         sendTo(bo.relayed, "words"),
		"outside":      channelData(0x4002, "words"),
		"send outside": sendTo("127.0.0.2:5000", "words"),
		"no channel":   channelData(0x4003, "words"),
		"no peer":      sendTo("127.0.0.2:80", "words"),
	} {
		if n := testing.AllocsPerRun(100, func() { s.Carry(packet, from) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if n := testing.AllocsPerRun(100, func() { s.Heard([]byte("words"), ana.relayed, "127.0.0.2:5000") }); n > 1 { // of parsing the addresses
		t.Errorf("from outside: %v allocations", n)
	}
}

// Nor do frames between nodes, from a browser's packet to the other browser's, sent and received.
func TestFramesAllocateNothing(t *testing.T) {
	if onPlainPath() {
		t.Skip("there pion carries packets, and makes garbage")
	}
	one, two := twoNodes(t, func(c *turn.Config) { c.Quotas.RoomRate = 1 << 30 })
	ana, bo := sit(t, one, turn.Open, "call"), sit(t, two, turn.Open, "call")
	ana.bind(0x4001, bo.relayed)
	bo.permit(ana.relayed)
	from := netip.MustParseAddrPort(ana.conn.LocalAddr().String())
	packet := channelData(0x4001, "words")
	if n := testing.AllocsPerRun(100, func() { one.Carry(packet, from) }); n != 0 {
		t.Errorf("to the other node: %v allocations", n)
	}
	frame := one.Frame("call", netip.MustParseAddrPort(ana.relayed).Port(), netip.MustParseAddrPort(bo.relayed).Port(), []byte("words"))
	before, again := two.Counters().Packets+two.Counters().NodePackets, make([]byte, len(frame))
	if n := testing.AllocsPerRun(100, func() { two.Frames(append(again[:0], frame...), one.Addr()) }); n != 0 {
		t.Errorf("from the other node: %v allocations", n)
	}
	if two.Counters().Packets+two.Counters().NodePackets < before+100 || two.Counters().DroppedForeign != 0 {
		t.Errorf("the frames did not count: %+v", two.Counters())
	}
}

// FuzzPath: whatever a browser with channels sends, what leaves is well formed and lies in its buffer.
func FuzzPath(f *testing.F) {
	s, err := turn.Start(relayWith(func(c *turn.Config) { c.Quotas.VoiceRate = 1 << 30 }))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	ana, bo := sit(f, s, turn.Veil, "call"), sit(f, s, turn.Veil, "call")
	ana.bind(0x4001, bo.relayed)
	bo.permit(ana.relayed)
	from := netip.MustParseAddrPort(ana.conn.LocalAddr().String())
	f.Add(channelData(0x4001, "words"))
	f.Add(channelData(0x4002, ""))
	f.Add(sendTo(bo.relayed, "words"))
	f.Add(sendTo(bo.relayed, ""))
	f.Add(stun.MustBuild(stun.TransactionID, stun.NewType(stun.MethodSend, stun.ClassIndication),
		attribute{stun.AttrData, []byte("first")}, peerAt(bo.relayed), attribute{stun.AttrData, []byte("second")}).Raw)
	f.Add(binding())
	f.Fuzz(func(t *testing.T, packet []byte) {
		if len(packet) > 1500 {
			return
		}
		out := s.Carry(packet, from)
		if n := s.Counters().Panics; n != 0 {
			t.Fatal("a packet made the code fail")
		}
		if out == nil {
			return
		}
		payload, _ := data(t, out)
		if !bytes.Contains(packet, []byte(payload)) {
			t.Errorf("%q was not sent", payload)
		}
	})
}
