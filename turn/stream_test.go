package turn_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"parley/turn"
)

func TestFrameSize(t *testing.T) {
	for _, test := range []struct {
		head          []byte
		size, padding int
		ok            bool
	}{
		{[]byte{0x00, 0x01, 0x00, 0x00}, 20, 0, true},
		{[]byte{0x00, 0x01, 0x00, 0x08}, 28, 0, true},
		{[]byte{0x00, 0x01, 0x00, 0x07}, 0, 0, false}, // STUN is always a multiple of four
		{[]byte{0x00, 0x01, 0xFF, 0xEC}, 0, 0, false}, // with the header 65536: an endless loop in pion
		{[]byte{0x00, 0x01, 0x05, 0xC8}, 1500, 0, true},
		{[]byte{0x00, 0x01, 0x05, 0xCC}, 0, 0, false},
		{[]byte{0x40, 0x00, 0x00, 0x00}, 4, 0, true},
		{[]byte{0x40, 0x00, 0x00, 0x01}, 5, 3, true},
		{[]byte{0x4F, 0xFF, 0x00, 0x04}, 8, 0, true},
		{[]byte{0x50, 0x00, 0x00, 0x04}, 0, 0, false},
		{[]byte{0x40, 0x00, 0xFF, 0xFC}, 0, 0, false},
		{[]byte{0x40, 0x00, 0xFF, 0xFF}, 0, 0, false},
		{[]byte{0x40, 0x00, 0x0F, 0xA0}, 0, 0, false},
		{[]byte("GET "), 0, 0, false},
		{[]byte{0x16, 0x03, 0x01, 0x02}, 0, 0, false}, // a TLS hello
	} {
		size, padding, ok := turn.FrameSize(test.head)
		if ok != test.ok || ok && (size != test.size || padding != test.padding) {
			t.Errorf("%x: %d %d %v", test.head, size, padding, ok)
		}
	}
}

// closes tells whether the relay closes conn within patience.
func closes(conn net.Conn, patience time.Duration) bool {
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	_, err := io.Copy(io.Discard, conn)
	var timeout net.Error
	return !errors.As(err, &timeout) || !timeout.Timeout()
}

func TestStreamsThatAreNotTURNAreClosed(t *testing.T) {
	s := start(t, nil)
	for name, b := range map[string][]byte{
		"length that overflows":     {0x00, 0x01, 0xFF, 0xEC, 0x21, 0x12, 0xA4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"channel that overflows":    append([]byte{0x40, 0x00, 0xFF, 0xFC}, make([]byte, 20)...),
		"4000 bytes":                append([]byte{0x40, 0x00, 0x0F, 0xA0}, make([]byte, 4000)...),
		"HTTP":                      []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"),
		"garbage after a frame":     append(binding(), 0xFF, 0xFF, 0xFF, 0xFF),
		"high bits of a STUN frame": {0xC0, 0x01, 0x00, 0x00},
	} {
		conn := knock(t, s, overTCP)
		_, _ = conn.Write(b)
		if !closes(conn, 2*time.Second) {
			t.Errorf("%s: left open", name)
		}
	}
	if !works(t, s) {
		t.Error("a client that comes afterwards is not served")
	}
}

func binding() []byte {
	return stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw
}

// works tells whether a well-behaved TCP client is served.
func works(t *testing.T, s *turn.Server) bool {
	t.Helper()
	r := speak(t, s, s.Credential("call"), overTCP)
	return r.allocate() == 0
}

func TestFramesInAnyPieces(t *testing.T) {
	s := start(t, nil)
	conn := knock(t, s, overTCP)
	three := bytes.Join([][]byte{binding(), binding(), binding()}, nil)
	read := func(n int) {
		t.Helper()
		_ = conn.SetReadDeadline(time.Now().Add(2 * time.Second))
		b := make([]byte, 32*n)
		if _, err := io.ReadFull(conn, b); err != nil {
			t.Fatalf("%d answers: %v", n, err)
		}
	}
	_, _ = conn.Write(three)
	read(3)
	for _, c := range binding() {
		_, _ = conn.Write([]byte{c})
	}
	read(1)
}

func TestSilentStreamIsClosed(t *testing.T) {
	if testing.Short() {
		t.Skip("takes ten seconds")
	}
	t.Parallel()
	s := start(t, nil)
	silent, half := knock(t, s, overTCP), knock(t, s, overTCP)
	_, _ = half.Write(binding()[:7])
	began := time.Now()
	if !closes(silent, 12*time.Second) || !closes(half, 12*time.Second) {
		t.Error("left open")
	}
	if d := time.Since(began); d < 8*time.Second {
		t.Errorf("closed after %v", d)
	}
}

func TestStreamQuota(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.Quotas.StreamsPer = 3 })
	var conns []net.Conn
	for range 3 {
		c := knock(t, s, overTCP)
		_, _ = c.Write(binding())
		if _, err := io.ReadFull(c, make([]byte, 32)); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	if !closes(knock(t, s, overTCP), time.Second) {
		t.Error("a fourth connection was taken")
	}
	conns[0].Close()
	await(t, func() bool { return s.Counters().Streams == 2 })
	if !works(t, s) {
		t.Error("no connection was taken after one had ended")
	}
}

// await returns when cond holds; it fails the test after five seconds.
func await(t testing.TB, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		if cond() {
			return
		}
		<-tick.C
	}
	t.Fatal("did not happen")
}

func TestRelayEndsWithItsStream(t *testing.T) {
	s := start(t, nil)
	r := speak(t, s, s.Credential("call"), overTCP)
	if c := r.allocate(); c != 0 {
		t.Fatalf("allocate: %d", c)
	}
	r.conn.Close()
	await(t, func() bool { return s.Counters().Relays == 0 && s.Places() == 0 })
}

func TestReaderThatDoesNotReadHarmsNobody(t *testing.T) {
	s := start(t, func(c *turn.Config) { c.Quotas.VoiceRate = 1 << 30 })
	lazy := speak(t, s, s.Credential("call"), overTCP)
	lazy.send(lazy.build(stun.MethodAllocate, transport(17)))
	var at stun.XORMappedAddress
	if err := at.GetFromAs(lazy.answer(), stun.AttrXORRelayedAddress); err != nil {
		t.Fatal(err)
	}
	ana, bo := call(t, s, s.Credential("call"), overTCP), call(t, s, s.Credential("call"), overTCP)
	if c := lazy.ask(stun.MethodCreatePermission, peerAt(ana.relay.LocalAddr().String())); c != 0 {
		t.Fatalf("permission: %d", c)
	}
	for range 20_000 {
		_, _ = ana.relay.WriteTo(make([]byte, 1000), &net.UDPAddr{IP: at.IP, Port: at.Port})
	}
	if s.Counters().DroppedQueue == 0 {
		t.Error("nothing was dropped: the flood did not fill the queues")
	}
	if !hears(t, ana, bo, "still here") {
		t.Error("others are not served")
	}
}

// flaky is a listener whose first Accepts fail.
type flaky struct {
	net.Listener
	failures atomic.Int32
}

func (f *flaky) Accept() (net.Conn, error) {
	if f.failures.Add(-1) >= 0 {
		return nil, errors.New("too many open files")
	}
	return f.Listener.Accept()
}

func TestFailingAcceptIsWaitedOut(t *testing.T) {
	s := start(t, nil)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &flaky{Listener: l}
	f.failures.Store(3)
	s.AcceptOn(f)
	t.Cleanup(func() { l.Close() })
	conn, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = conn.Write(binding())
	_ = conn.SetReadDeadline(time.Now().Add(2 * time.Second))
	if _, err := io.ReadFull(conn, make([]byte, 32)); err != nil {
		t.Errorf("not served after failing Accepts: %v", err)
	}
	if n := s.Counters().AcceptErrors; n != 3 {
		t.Errorf("%d errors counted", n)
	}
}

func TestSlowStreamLosesTheOldest(t *testing.T) {
	var frames [][]byte
	for i := range 100 {
		frames = append(frames, []byte{byte(i)})
	}
	kept := turn.Unwritten(frames)
	if len(kept) != 64 || kept[0][0] != 36 || kept[63][0] != 99 {
		t.Errorf("kept %d: %v", len(kept), kept)
	}
}
