package turn_test

import (
	"encoding/binary"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun/v3"
	pionturn "github.com/pion/turn/v4"

	"parley/turn"
)

// These tests show what pion does by itself, which the relay keeps it from. One that fails after pion
// was replaced says that a fence may come down.

// odd is pion's own way to make relays, that finds odd ports only, and counts.
type odd struct {
	pionturn.RelayAddressGeneratorNone
	made atomic.Int64
}

func (o *odd) AllocatePacketConn(network string, port int) (net.PacketConn, net.Addr, error) {
	o.made.Add(1)
	for {
		conn, at, err := o.RelayAddressGeneratorNone.AllocatePacketConn(network, port)
		if err != nil || at.(*net.UDPAddr).Port%2 == 1 {
			return conn, at, err
		}
		conn.Close()
	}
}

// plainPion starts pion alone, as its example does. Whoever is not refused has their name as password.
func plainPion(t *testing.T, refused *atomic.Bool, l net.Listener) (at string, ports *odd) {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ports = &odd{RelayAddressGeneratorNone: pionturn.RelayAddressGeneratorNone{Address: "127.0.0.1"}}
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	cfg := pionturn.ServerConfig{
		Realm: "parley", LoggerFactory: quiet,
		AuthHandler: func(user, realm string, _ net.Addr) ([]byte, bool) {
			return pionturn.GenerateAuthKey(user, realm, user), !refused.Load()
		},
		PacketConnConfigs: []pionturn.PacketConnConfig{{PacketConn: conn, RelayAddressGenerator: ports}},
	}
	if l != nil {
		cfg.ListenerConfigs = []pionturn.ListenerConfig{{Listener: l, RelayAddressGenerator: ports}}
	}
	s, err := pionturn.NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return conn.LocalAddr().String(), ports
}

// visits makes a client of pion alone, without a relay.
func visits(t *testing.T, at, user string) *raw {
	t.Helper()
	conn, err := net.Dial("udp4", at)
	if err != nil {
		t.Fatal(err)
	}
	return speakOn(t, conn, turn.Credential{Username: user, Password: user})
}

func TestPionAloneReachesLoopback(t *testing.T) {
	at, _ := plainPion(t, new(atomic.Bool), nil)
	service := outsider(t, "127.0.0.1:0")
	ana := sitDown(t, visits(t, at, "ana"))
	ana.permit(service.LocalAddr().String())
	ana.send(sendTo(service.LocalAddr().String(), "let me in"))
	if got := heard(service, 5*time.Second); got != "let me in" {
		t.Errorf("the service heard %q: pion denies loopback by itself now", got)
	}
}

func TestPionAloneBoundsNothing(t *testing.T) {
	at, _ := plainPion(t, new(atomic.Bool), nil)
	ana := sitDown(t, visits(t, at, "ana"))
	for i := range 40 {
		peer := net.UDPAddr{IP: net.IPv4(127, 0, 1, byte(i)), Port: 5000}
		ana.permit(peer.String())
		ana.bind(0x4000+uint16(i), peer.String())
	}
}

func TestPionAloneObeysAnybody(t *testing.T) {
	at, _ := plainPion(t, new(atomic.Bool), nil)
	ana := visits(t, at, "ana")
	if c := ana.allocate(); c != 0 {
		t.Fatal(c)
	}
	ana.user, ana.pass = "bo", "bo"
	if c := ana.ask(stun.MethodChannelBind, channel(0x4000), peerAt("127.0.0.2:5000")); c != 0 {
		t.Errorf("a channel of another user: %d: pion checks owners by itself now", c)
	}
	if c := ana.ask(stun.MethodRefresh, lifetime(0)); c != 0 {
		t.Errorf("the end by another user: %d: pion checks owners by itself now", c)
	}
}

func TestPionAloneForgetsLiveCalls(t *testing.T) {
	var refused atomic.Bool
	at, _ := plainPion(t, &refused, nil)
	ana := visits(t, at, "ana")
	if c := ana.allocate(); c != 0 {
		t.Fatal(c)
	}
	refused.Store(true) // the user name has expired
	if c := ana.ask(stun.MethodCreatePermission, peerAt("127.0.0.2:5000")); c == 0 {
		t.Error("a permission after the user name expired: pion tells new relays from live ones by itself now")
	}
}

func TestPionAloneOpensManyPorts(t *testing.T) {
	at, ports := plainPion(t, new(atomic.Bool), nil)
	ana := visits(t, at, "ana")
	if c := ana.ask(stun.MethodAllocate, transport(17), attribute{stun.AttrEvenPort, []byte{0x80}}); c == 0 {
		t.Error("an even port was found among odd ones")
	}
	if n := ports.made.Load(); n < 100 {
		t.Errorf("one request made pion open %d sockets, not the 128 that we keep it from", n)
	}
}

func TestPionAloneLoopsBeforeAuthentication(t *testing.T) {
	here, there := net.Pipe()
	defer here.Close()
	go func() {
		head := binary.BigEndian.AppendUint16(nil, 0x0001)
		head = binary.BigEndian.AppendUint16(head, 0xFFEC) // 20 more overflow 16 bits
		head = binary.BigEndian.AppendUint32(head, 0x2112A442)
		_, _ = there.Write(append(head, make([]byte, 12)...))
		there.Close()
	}()
	conn := pionturn.NewSTUNConn(here)
	for i := range 1000 {
		if n, _, err := conn.ReadFrom(make([]byte, 1600)); n != 0 || err != nil {
			t.Fatalf("read %d: %d bytes, %v: pion does not loop for ever now", i, n, err)
		}
	}
}

// faint is a listener of which the first Accept fails.
type faint struct {
	net.Listener
	asked atomic.Int64
}

func (f *faint) Accept() (net.Conn, error) {
	if f.asked.Add(1) == 1 {
		return nil, errors.New("too many open files")
	}
	return f.Listener.Accept()
}

func TestPionAloneStopsAccepting(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &faint{Listener: l}
	plainPion(t, new(atomic.Bool), f)
	conn, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := &raw{t: t, conn: conn}
	r.send(binding())
	if r.packet(moment) != nil || f.asked.Load() != 1 {
		t.Errorf("pion accepts again after a failure: asked %d times", f.asked.Load())
	}
}
