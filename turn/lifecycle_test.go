package turn_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v3"
	"go.uber.org/goleak"

	"parley/internal/vtest"
	"parley/turn"
)

func TestOutOfPorts(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.Ports = turn.PortRange{First: 50000, Last: 50001} })
	for i := range 3 {
		got := speak(t, s, s.Credential("call"), overUDP).allocate()
		if i < 2 && got != 0 || i == 2 && got != stun.CodeInsufficientCapacity {
			t.Errorf("relay %d: %d", i+1, got)
		}
	}
	await(t, func() bool { return s.Places() == 2 }) // given back after the answer
}

// An open relay finds another port when a program has the one it wanted.
func TestTakenRelayPort(t *testing.T) {
	first := threePorts(t)
	s := start(t, func(c *turn.Config) { c.Ports = turn.PortRange{First: first, Last: first + 2} })
	outsider(t, fmt.Sprintf("127.0.0.1:%d", first))
	outsider(t, fmt.Sprintf("127.0.0.1:%d", first+1))
	if got := speak(t, s, s.CredentialOf(turn.Open, "call"), overUDP).allocate(); got != 0 {
		t.Errorf("with one port free: %d", got)
	}
	if got := speak(t, s, s.CredentialOf(turn.Open, "call"), overUDP).allocate(); got != stun.CodeInsufficientCapacity {
		t.Errorf("with none free: %d", got)
	}
	await(t, func() bool { return s.Places() == 1 })
}

// threePorts finds three UDP ports in a row that are free, below those that the system gives out.
func threePorts(t *testing.T) uint16 {
	t.Helper()
	for first := uint16(20_000); first < 30_000; first += 3 {
		free := 0
		for p := first; p < first+3; p++ {
			if c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(p)}); err == nil {
				c.Close()
				free++
			}
		}
		if free == 3 {
			return first
		}
	}
	t.Fatal("no three ports are free")
	return 0
}

// Packets for a relay that has ended must not reach the next owner of its port.
func TestPortRests(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.Ports = turn.PortRange{First: 50000, Last: 50000} })
	r := speak(t, s, s.Credential("call"), overUDP)
	if got := r.allocate(); got != 0 {
		t.Fatalf("allocate: %d", got)
	}
	if got := r.ask(stun.MethodRefresh, lifetime(0)); got != 0 {
		t.Fatalf("end: %d", got)
	}
	if got := speak(t, s, s.Credential("call"), overUDP).allocate(); got != stun.CodeInsufficientCapacity {
		t.Errorf("the port was given away at once: %d", got)
	}
}

func TestRepeatedAllocateIsOneRelay(t *testing.T) {
	s := start(t, nil)
	r := speak(t, s, s.Credential("call"), overUDP)
	b := r.build(stun.MethodAllocate, transport(17))
	var relayed []string
	for range 3 {
		r.send(b)
		var a stun.XORMappedAddress
		if err := a.GetFromAs(r.answer(), stun.AttrXORRelayedAddress); err != nil {
			t.Fatal(err)
		}
		relayed = append(relayed, a.String())
	}
	if relayed[0] != relayed[1] || relayed[0] != relayed[2] || s.Places() != 1 {
		t.Errorf("relays %v, %d places", relayed, s.Places())
	}
	if got := r.allocate(); got != stun.CodeAllocMismatch {
		t.Errorf("a second allocate: %d, want 437", got)
	}
}

// pion frees a relay on a goroutine of its own, by client address: a relay made meanwhile on the
// same address would be freed in place of the old one.
func TestNextRelayOfTheSameSocket(t *testing.T) {
	s := start(t, nil)
	r := speak(t, s, s.Credential("call"), overUDP)
	if got := r.allocate(); got != 0 {
		t.Fatalf("allocate: %d", got)
	}
	if got := r.ask(stun.MethodRefresh, lifetime(0)); got != 0 {
		t.Fatalf("end: %d", got)
	}
	if got := r.ask(stun.MethodRefresh, lifetime(0)); got != stun.CodeAllocMismatch {
		t.Errorf("end twice: %d, want 437", got)
	}
	if got := r.allocate(); got != -1 {
		t.Errorf("at once: %d, want silence", got)
	}
	await(t, func() bool { return r.allocate() == 0 })
	if got := r.ask(stun.MethodRefresh); got != 0 {
		t.Errorf("refresh of the second relay: %d", got)
	}
}

func TestBandwidth(t *testing.T) {
	s := start(t, nil)
	ana, bo := call(t, s, s.Credential("call"), overUDP), call(t, s, s.Credential("call"), overUDP)
	if !hears(t, ana, bo, "hello") {
		t.Fatal("nothing heard")
	}
	const packets, size = 300, 1000
	for range packets {
		_, _ = ana.relay.WriteTo(make([]byte, size), bo.relay.LocalAddr())
	}
	await(t, func() bool { c := s.Counters(); return c.Packets+c.DroppedRate >= packets })
	if c := s.Counters(); c.Bytes > 64<<10+32<<10 || c.Bytes < 50<<10 {
		t.Errorf("%d bytes of %d carried at once, want a burst of about 65536", c.Bytes, packets*size)
	}
}

func TestDrain(t *testing.T) {
	s := start(t, nil)
	ana, bo := call(t, s, s.Credential("call"), overUDP), call(t, s, s.Credential("call"), overUDP)
	late := speak(t, s, s.Credential("call"), overUDP)
	s.Drain()
	if got := late.allocate(); got != stun.CodeInsufficientCapacity {
		t.Errorf("a new relay: %d, want 508", got)
	}
	if !hears(t, ana, bo, "still here") {
		t.Error("a running call was cut")
	}
}

func TestPortInUse(t *testing.T) {
	s := start(t, nil)
	again := func(at netip.AddrPort) error {
		other, err := turn.Start(turn.Config{Listen: at, Secret: make([]byte, 32), Log: slog.New(slog.DiscardHandler)})
		if err == nil {
			other.Close()
		}
		return err
	}
	if err := again(s.Addr()); !errors.Is(err, turn.ErrPortInUse) || !strings.Contains(err.Error(), "UDP "+s.Addr().String()) {
		t.Errorf("got %v", err)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := again(netip.MustParseAddrPort(l.Addr().String())); !errors.Is(err, turn.ErrPortInUse) || !strings.Contains(err.Error(), "TCP") {
		t.Errorf("got %v", err)
	}
}

func TestConfigsThatAreRefused(t *testing.T) {
	for name, change := range map[string]func(*turn.Config){
		"no address":         func(c *turn.Config) { c.Listen = netip.AddrPort{} },
		"any, no external":   func(c *turn.Config) { c.Listen = netip.MustParseAddrPort("0.0.0.0:0") },
		"external IPv6":      func(c *turn.Config) { c.External = netip.MustParseAddr("2001:db8::1") },
		"short secret":       func(c *turn.Config) { c.Secret = []byte("short") },
		"ports upside down":  func(c *turn.Config) { c.Ports = turn.PortRange{First: 9, Last: 8} },
		"ports from nothing": func(c *turn.Config) { c.Ports = turn.PortRange{Last: 8} },
		"no log":             func(c *turn.Config) { c.Log = nil },
	} {
		cfg := turn.Config{Listen: netip.MustParseAddrPort("127.0.0.1:0"), Secret: make([]byte, 32), Log: slog.New(slog.DiscardHandler)}
		change(&cfg)
		if s, err := turn.Start(cfg); err == nil {
			s.Close()
			t.Errorf("%s: accepted", name)
		}
	}
}

// The relay may be stopped and started at once at the same address, with browsers connected.
func TestStopAndStart(t *testing.T) {
	var at netip.AddrPort
	for i := range 5 {
		s, err := turn.Start(turn.Config{
			Listen: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), at.Port()),
			Secret: []byte("a secret for the tests of the relay"), Log: slog.New(slog.DiscardHandler),
			Plain: onPlainPath(),
		})
		if err != nil {
			t.Fatalf("start %d: %v", i+1, err)
		}
		at = s.Addr()
		ana, bo := call(t, s, s.Credential("call"), overTCP), call(t, s, s.Credential("call"), overUDP)
		if !hears(t, ana, bo, "hello") {
			t.Errorf("start %d: nothing heard", i+1)
		}
		if err := s.Close(); err != nil {
			t.Errorf("close %d: %v", i+1, err)
		}
		if c := s.Counters(); c.Relays != 0 || c.Streams != 0 || s.Places() != 0 {
			t.Errorf("after close: %+v", c)
		}
	}
}

func TestCloseLeavesNothingRunning(t *testing.T) {
	here := goleak.IgnoreCurrent()
	s, err := turn.Start(turn.Config{
		Listen: netip.MustParseAddrPort("127.0.0.1:0"), Secret: make([]byte, 32), Log: slog.New(slog.DiscardHandler), AllowLoopback: true,
		Plain: onPlainPath(),
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		kind := []turn.Kind{turn.Veil, turn.Open}[i%2]
		r := speak(t, s, s.CredentialOf(kind, fmt.Sprint("call", i/8)), []wire{overUDP, overTCP}[i/2%2])
		if got := r.allocate(); got != 0 {
			t.Fatalf("allocate: %d", got)
		}
		if got := r.ask(stun.MethodChannelBind, channel(0x4000), peerAt("127.0.0.1:50000")); got != 0 {
			t.Fatalf("channel: %d", got)
		}
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if c := s.Counters(); c.Relays != 0 || c.Streams != 0 {
		t.Errorf("when Close returns: %+v", c)
	}
	goleak.VerifyNone(t, here)
}

// Whatever happens, the log names no address and no user.
func TestLogNamesNobody(t *testing.T) {
	var log vtest.Log
	s := start(t, func(c *turn.Config) {
		c.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug - 8}))
		c.AllowLoopback = true
	})
	cred := s.Credential("call")
	ana, bo := call(t, s, cred, overUDP), call(t, s, cred, overTCP)
	hears(t, ana, bo, "canary payload")
	r := speak(t, s, cred, overUDP)
	r.allocate()
	r.ask(stun.MethodCreatePermission, peerAt("8.8.8.8:5000"))
	r.ask(stun.MethodChannelBind, channel(0x4000), peerAt("127.0.0.1:5"))
	r.pass = "wrong"
	r.ask(stun.MethodRefresh)
	r.user = "canary user"
	r.ask(stun.MethodRefresh)
	r.send([]byte{0x40, 0, 0, 1, 9})
	_, _ = knock(t, s, overTCP).Write([]byte("GET / HTTP/1.1\r\n\r\n"))
	s.Meet([]string{s.Sign("198.18.7.7:1\ncanary\nopen\nturn:canary"), "canary"})
	s.Forbid(netip.MustParseAddr("198.18.7.8"))
	s.End("canary call")
	s.Frames([]byte("\x90canary"), netip.MustParseAddrPort("198.18.7.7:1"))
	speak(t, s, s.Credential("canary call"), overTCP).ask(stun.MethodChannelBind, channel(0x4001), peerAt("198.18.7.9:99"))
	s.Fail("canary 8.8.8.8")
	metrics := fmt.Sprintf("%+v", s.Counters())
	s.Close()
	if n := s.Counters().Panics; n != 1 {
		t.Errorf("%d panics counted", n)
	}
	for _, secret := range []string{"127.0.0.1", "8.8.8.8", "198.18.7", cred.Username, cred.Password, "canary", "payload"} {
		if strings.Contains(metrics, secret) {
			t.Errorf("the metrics hold %q: %s", secret, metrics)
		}
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds %q:\n%s", secret, log.String())
		}
	}
	if !strings.Contains(log.String(), "loopback") {
		t.Error("the log does not say that loopback is open")
	}
}

func TestRelayEndsInTime(t *testing.T) {
	s := start(t, nil)
	for _, over := range []wire{overUDP, overTCP} {
		r := speak(t, s, s.Credential("call"), over)
		if got := r.allocate(); got != 0 {
			t.Fatalf("allocate: %d", got)
		}
		s.Age(9 * time.Minute)
		if got := r.ask(stun.MethodRefresh); got != 0 {
			t.Fatalf("refresh: %d", got)
		}
		if left := s.Left(); left > 598*time.Second || left < 590*time.Second {
			t.Fatalf("%v left after a refresh, want two seconds less than pion's ten minutes", left)
		}
		s.Age(598 * time.Second)
		await(t, func() bool { return s.Counters().Relays == 0 })
		if got := r.ask(stun.MethodCreatePermission, peerAt("127.0.0.1:50000")); got != stun.CodeAllocMismatch {
			t.Errorf("after its end: %d, want 437", got)
		}
	}
}
