package e2e_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"
)

// thief is a UDP proxy between browsers and the relay that steals from what the relay passes on, so
// that each relayed packet runs the risk once. What the relay itself says always arrives.
type thief struct {
	Addr  netip.AddrPort // where browsers find the relay
	front *net.UDPConn
	relay netip.AddrPort
	share float64 // of packets stolen

	mu           sync.Mutex // guards the following fields
	dice         *rand.Rand // seeded, so that the losses are the same as far as the packets are
	ways         map[netip.AddrPort]*net.UDPConn
	given, taken int
	closed       bool

	wg sync.WaitGroup
}

// newThief steals the share of packets between browsers and a relay until the test ends.
func newThief(t testing.TB, relay netip.AddrPort, share float64) *thief {
	t.Helper()
	front, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	s := &thief{
		Addr: front.LocalAddr().(*net.UDPAddr).AddrPort(), front: front, relay: relay, share: share,
		dice: rand.New(rand.NewPCG(12, 20)), ways: map[netip.AddrPort]*net.UDPConn{},
	}
	s.wg.Go(func() { s.up(t) })
	t.Cleanup(s.close)
	return s
}

func (s *thief) close() {
	s.mu.Lock()
	s.closed = true
	s.front.Close()
	for _, way := range s.ways {
		way.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

// up carries packets of browsers to the relay, each browser socket over a socket of its own.
func (s *thief) up(t testing.TB) {
	buffer := make([]byte, 2048)
	for {
		n, from, err := s.front.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return
		}
		way, err := s.way(from)
		if err == nil {
			_, err = way.Write(buffer[:n])
		}
		if err != nil && !errors.Is(err, net.ErrClosed) {
			t.Logf("thief: %v", err)
		}
	}
}

// way is the socket that stands for the browser's socket at the relay.
func (s *thief) way(from netip.AddrPort) (*net.UDPConn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if way := s.ways[from]; way != nil {
		return way, nil
	}
	if s.closed {
		return nil, net.ErrClosed
	}
	way, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(s.relay))
	if err != nil {
		return nil, err
	}
	s.ways[from] = way
	s.wg.Go(func() { s.down(way, from) })
	return way, nil
}

// down carries what the relay sends to one browser socket, unless it is stolen.
func (s *thief) down(way *net.UDPConn, to netip.AddrPort) {
	buffer := make([]byte, 2048)
	for {
		n, err := way.Read(buffer)
		if err != nil {
			return
		}
		if relayed(buffer[:n]) && s.steals() {
			continue
		}
		_, _ = s.front.WriteToUDPAddrPort(buffer[:n], to) // to a browser that may be gone
	}
}

// relayed tells whether a packet of the relay carries one of the peer (RFC 8656): as channel data,
// or in a data indication.
func relayed(packet []byte) bool {
	return len(packet) > 1 && (packet[0]>>6 == 1 || packet[0] == 0x00 && packet[1] == 0x17)
}

func (s *thief) steals() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dice.Float64() < s.share {
		s.taken++
		return true
	}
	s.given++
	return false
}

// count is how many relayed packets arrived and how many did not.
func (s *thief) count() (given, taken int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.given, s.taken
}

// TestBrowserLoss: of all that the relay passes on, key exchange and proof included, a fifth is
// lost. The two still come together and still hear each other, throughout.
func TestBrowserLoss(t *testing.T) {
	browser := chromium(t)
	house := assemble(t)
	robber := newThief(t, house.where, 0.2)
	house.mu.Lock()
	house.urls = []string{"turn:" + robber.Addr.String() + "?transport=udp"}
	house.mu.Unlock()
	ana, bo := pair(t, browser, house.URL)
	for _, p := range []struct {
		who   *person
		hears int
	}{{ana, bo.hz}, {bo, ana.hz}} {
		before := p.who.hears(p.hears, 20*time.Second)
		if before.Pair != "relay/relay" {
			t.Errorf("%d Hz: the call runs over %s", p.who.hz, before.Pair)
		}
		heard := p.who.hearsMostly(p.hears, 5*time.Second)
		if heard < 0.8 {
			t.Errorf("%d Hz: the other tone was there %.0f %% of the time, want 80 %%", p.who.hz, 100*heard)
		}
		p.who.reaches("live", time.Second)
	}
	if a, b := ana.sas(), bo.sas(); a != b {
		t.Errorf("authentication strings %q and %q", a, b)
	}
	given, taken := robber.count()
	t.Logf("the relay passed on %d packets, %d of them were stolen", given+taken, taken)
	if share := float64(taken) / float64(given+taken); given+taken < 500 || share < 0.15 || share > 0.25 {
		t.Errorf("%d of %d packets were stolen: the test shows nothing about a fifth", taken, given+taken)
	}
}

// TestBrowserRed: with a tenth of the packets lost both begin to send each twice (RED), not before
// the loss has lasted ten seconds, and the call goes on over the change.
func TestBrowserRed(t *testing.T) {
	browser := chromium(t)
	house := assemble(t)
	robber := newThief(t, house.where, 0.1)
	house.mu.Lock()
	house.urls = []string{"turn:" + robber.Addr.String() + "?transport=udp"}
	house.mu.Unlock()
	ana, bo := pair(t, browser, house.URL)
	people := []struct {
		who   *person
		hears int
	}{{ana, bo.hz}, {bo, ana.hz}}
	for _, p := range people {
		p.who.hears(p.hears, 20*time.Second)
		if weight := js[int](p.who, `seen.weight(300)`); weight < 50 || weight > 80 {
			t.Fatalf("%d Hz: the call begins with packets of %d bytes", p.who.hz, weight)
		}
	}
	for _, p := range people {
		if !js[bool](p.who, `seen.until(45000, async () => await seen.weight(300) > 110)`) {
			t.Fatalf("%d Hz: still sends packets of %d bytes", p.who.hz, js[int](p.who, `seen.weight(300)`))
		}
		after := js[float64](p.who, `performance.now() - seen.heardAt`) / 1000
		t.Logf("%d Hz sends everything twice %.1f s after the first sound", p.who.hz, after)
		if after < 8 { // the loss cannot have lasted ten seconds, even if the first sound was noticed late
			t.Errorf("%d Hz: RED after %.1f s: this was no lasting loss", p.who.hz, after)
		}
	}
	for _, p := range people {
		if heard := p.who.hearsMostly(p.hears, 4*time.Second); heard < 0.9 {
			t.Errorf("%d Hz: with RED the other tone was there %.0f %% of the time, want 90 %%", p.who.hz, 100*heard)
		}
		p.who.reaches("live", time.Second)
		if n := js[int](p.who, `seen.pcs.length`); n != 1 {
			t.Errorf("%d Hz: %d connections, the change needs no other", p.who.hz, n)
		}
	}
	if _, taken := robber.count(); taken < 50 {
		t.Errorf("only %d packets were stolen: the test shows nothing", taken)
	}
}

// hearsMostly is the share of the time during which the other tone is heard.
func (p *person) hearsMostly(hz int, during time.Duration) float64 {
	p.t.Helper()
	return js[float64](p, fmt.Sprintf(`(async () => {
		let all = 0, right = 0;
		await seen.until(%d, () => { all += 1; right += Math.abs(seen.tone() - %d) <= 12; return false; });
		return right / all;
	})()`, during.Milliseconds(), hz))
}
