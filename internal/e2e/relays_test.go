package e2e_test

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/pion/logging"
	pionturn "github.com/pion/turn/v4"

	"parley/signaling"
)

// knowsOnly is a page whose browser can reach only one of the relays that it is told of.
const knowsOnly = `(() => {
  const only = (config) => config && { ...config, iceServers: [config.iceServers.at(%d)] };
  const Whole = globalThis.RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Whole {
    constructor(config) { super(only(config)); }
    setConfiguration(config) { super.setConfiguration(only(config)); }
  };
})()`

// TestBrowserRelaysOfTwoNodes: each of two people reaches only the relay of one node, and not the
// same. The nodes carry the call from one to the other.
func TestBrowserRelaysOfTwoNodes(t *testing.T) {
	browser := chromium(t)
	n := startNodes(t, 2)
	at := func(i int) visit { return visit{n.url(i), []string{fmt.Sprintf(knowsOnly, i)}} }
	both := strangers(t, browser, at(0), at(1))
	used := func(p *person) string { return js[string](p, `seen.config.iceServers.map((s) => s.urls[0]).join()`) }
	if a, b := used(both[0]), used(both[1]); a == b || a == "" || b == "" {
		t.Errorf("they use the relays %q and %q, want two different ones", a, b)
	}
}

// TestBrowserOneRelayOfTwoKilled: one of two relays goes in the middle of a call and stays away.
// The call goes on through the other.
func TestBrowserOneRelayOfTwoKilled(t *testing.T) {
	browser := chromium(t)
	house := assemble(t)
	house.another(t)
	ana, bo := pair(t, browser, house.URL)
	talks(ana, bo, 15*time.Second)
	house.stopRelay(t)
	killed := time.Now()
	// Packets must come again, not only have come.
	const flows = `(async () => {
		let before = (await seen.stats()).received;
		for (const end = performance.now() + 20000; performance.now() < end; ) {
			await new Promise((done) => setTimeout(done, 1500));
			const now = (await seen.stats()).received;
			if (now - before > 40) return true;
			before = now;
		}
		return false;
	})()`
	for _, p := range []*person{ana, bo} {
		if !js[bool](p, flows) {
			t.Fatalf("%d Hz: no sound without the first relay\n%s", p.hz, p.diary())
		}
	}
	talks(ana, bo, 20*time.Second)
	t.Logf("both heard each other %v after one relay of two was stopped", time.Since(killed).Round(100*time.Millisecond))
}

// allocates tries a credential from outside the browser.
func allocates(t testing.TB, s signaling.IceServer, relay string) error {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	client, err := pionturn.NewClient(&pionturn.ClientConfig{
		STUNServerAddr: relay, TURNServerAddr: relay, Conn: conn,
		Username: s.Username, Password: s.Credential, Realm: "parley", LoggerFactory: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Listen(); err != nil {
		t.Fatal(err)
	}
	made, err := client.Allocate()
	if err == nil {
		made.Close()
	}
	return err
}

// TestBrowserOutlivesItsCredential: 15 minutes by the relay's clock after a call began its
// credentials are no good any more, and the call goes on. It is over, and a fresh credential of it
// is no good either.
func TestBrowserOutlivesItsCredential(t *testing.T) {
	browser := chromium(t)
	house := assemble(t)
	ana, bo := pair(t, browser, house.URL)
	talks(ana, bo, 15*time.Second)
	relay := house.where.String()
	stolen := js[signaling.IceServer](ana, `JSON.parse(seen.frames.findLast((f) => f.includes('"ice"')).slice(2)).ice.servers[0]`)
	if err := allocates(t, stolen, relay); err != nil {
		t.Fatalf("the credential of the page: %v: the test shows nothing", err)
	}
	house.ahead.Store(int64(15 * time.Minute))
	if err := allocates(t, stolen, relay); err == nil {
		t.Error("the credential makes relays after 15 minutes")
	}
	talks(ana, bo, 10*time.Second)

	room := js[string](ana, `JSON.parse(seen.frames.findLast((f) => f.includes('"connected"')).slice(2)).room`)
	fresh := house.ice(room).Servers[0]
	if err := allocates(t, fresh, relay); err != nil {
		t.Fatalf("a fresh credential: %v", err)
	}
	ana.press("leave")
	bo.reaches("ended", 5*time.Second)
	for tried := time.Now(); allocates(t, fresh, relay) == nil; {
		if time.Since(tried) > 5*time.Second {
			t.Fatal("the credential makes relays 5 s after the call")
		}
	}
}
