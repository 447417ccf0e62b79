package turn_test

import (
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/logging"
	pionturn "github.com/pion/turn/v4"

	"parley/turn"
)

// relayWith is how the relays of these tests run.
func relayWith(change func(*turn.Config)) turn.Config {
	cfg := turn.Config{
		Listen: netip.MustParseAddrPort("127.0.0.1:0"),
		Secret: []byte("a secret for the tests of the relay"),
		Log:    slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&cfg)
	}
	return cfg
}

// start runs a relay on 127.0.0.1 that ends with the test.
func start(t testing.TB, change func(*turn.Config)) *turn.Server {
	t.Helper()
	s, err := turn.Start(relayWith(change))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// wire is how a browser reaches the relay.
type wire string

const (
	overUDP wire = "UDP"
	overTCP wire = "TCP"
	overTLS wire = "TLS"
)

// browser is a TURN client with one relay.
type browser struct {
	*pionturn.Client
	relay net.PacketConn
	conn  net.PacketConn
}

// dial prepares a client without a relay.
func dial(t testing.TB, s *turn.Server, c turn.Credential, over wire) *browser {
	t.Helper()
	var conn net.PacketConn
	switch over {
	case overUDP:
		udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		conn = udp
	case overTCP, overTLS:
		conn = pionturn.NewSTUNConn(knock(t, s, over))
	}
	return dialOn(t, conn, s.Addr().String(), c)
}

// dialOn is dial on a socket that is there already.
func dialOn(t testing.TB, conn net.PacketConn, at string, c turn.Credential) *browser {
	t.Helper()
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	client, err := pionturn.NewClient(&pionturn.ClientConfig{
		STUNServerAddr: at, TURNServerAddr: at,
		Conn: conn, Username: c.Username, Password: c.Password, Realm: "parley",
		LoggerFactory: quiet, RTO: 300 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		conn.Close()
	})
	return &browser{Client: client, conn: conn}
}

// call is a browser that has a relay.
func call(t testing.TB, s *turn.Server, c turn.Credential, over wire) *browser {
	t.Helper()
	return dial(t, s, c, over).withRelay(t)
}

// withRelay makes a relay for b.
func (b *browser) withRelay(t testing.TB) *browser {
	t.Helper()
	relay, err := b.Allocate()
	if err != nil {
		t.Fatalf("allocate: %v", err)
	}
	b.relay = relay
	t.Cleanup(func() { relay.Close() })
	return b
}

// hears tells whether from's words reach to within five seconds.
func hears(t testing.TB, from, to *browser, words string) bool {
	t.Helper()
	if err := to.CreatePermission(from.relay.LocalAddr()); err != nil {
		t.Fatalf("permission: %v", err)
	}
	if _, err := from.relay.WriteTo([]byte(words), to.relay.LocalAddr()); err != nil {
		t.Fatalf("send: %v", err)
	}
	b := make([]byte, 1600)
	_ = to.relay.SetReadDeadline(time.Now().Add(5 * time.Second))
	n, sender, err := to.relay.ReadFrom(b)
	if err != nil {
		return false
	}
	if got := string(b[:n]); got != words {
		t.Errorf("heard %q, want %q", got, words)
	}
	if sender.String() != from.relay.LocalAddr().String() {
		t.Errorf("came from %v, want %v", sender, from.relay.LocalAddr())
	}
	return true
}

func TestBrowsersOfOneCallHearEachOther(t *testing.T) {
	for _, pair := range [][2]wire{{overUDP, overUDP}, {overTCP, overTCP}, {overUDP, overTCP}, {overTLS, overTLS}, {overTLS, overUDP}} {
		t.Run(string(pair[0])+" "+string(pair[1]), func(t *testing.T) {
			s := startTLS(t, nil)
			ana := call(t, s, s.Credential("call"), pair[0])
			bo := call(t, s, s.Credential("call"), pair[1])
			for range 20 { // the first by Send indication, later ones over a channel
				if !hears(t, ana, bo, "hello bo") || !hears(t, bo, ana, "hello ana, how are you") {
					t.Fatal("nothing heard")
				}
			}
			if c := s.Counters(); c.Relays != 2 || c.Packets < 40 {
				t.Errorf("counters: %+v", c)
			}
		})
	}
}
