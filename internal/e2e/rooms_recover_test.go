package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"parley/internal/vtest"
)

// TestBrowserRoomRelayStopped: in a room of three, of whom one hides the address, the relay is
// gone for a second and comes back without its allocations. The two pairs that use it recover,
// over the relay only; the third pair does not notice.
func TestBrowserRoomRelayStopped(t *testing.T) {
	browser := chromium(t)
	house := assemble(t)
	three := crowd(t, browser, house.URL, 3)
	ana, bo, cy := three[0], three[1], three[2]
	ana.press("join-channel")
	ana.types("channel-number", "7")
	ana.types("channel-password", "giraffe umbrella")
	ana.press("room-go", "hide-address")
	ana.goesIn("mic")
	for _, p := range three[1:] {
		p.joinsChannel("7", "giraffe umbrella", "mic")
		p.reaches("live", 30*time.Second)
	}
	for _, p := range three {
		p.meets(30*time.Second, 0, three...)
	}
	for p, want := range map[*person]string{ana: "relayed relayed", bo: "direct relayed", cy: "direct relayed"} {
		p.goesBy(want)
	}
	for _, p := range three { // phases of each pair from now on
		js[bool](p, `Boolean(seen.phases = new Set()) && !new MutationObserver((all) => all.forEach(({ target }) => seen.phases.add(target.dataset.path + ' ' + target.dataset.phase)))
			.observe(document.body, { subtree: true, attributes: true, attributeFilter: ['data-phase'] })`)
	}
	house.stopRelay(t)
	js[bool](ana, `new Promise((done) => setTimeout(() => done(true), 1000))`)
	house.startRelay(t)
	for _, p := range three {
		if !js[bool](p, `seen.until(20000, () => seen.phases.has('relayed joined'))`) {
			t.Errorf("%d Hz did not notice the outage\n%s", p.hz, p.diary())
		}
	}
	for _, p := range three {
		p.meets(40*time.Second, 0, three...)
	}
	for _, p := range []*person{bo, cy} {
		if js[bool](p, `seen.phases.has('direct joined')`) {
			t.Errorf("%d Hz: the pair that needs no relay broke, too", p.hz)
		}
	}
	ana.keptItsAddress()
}

// goesBy waits until the ways to the others are these, sorted.
func (p *person) goesBy(ways string) {
	p.t.Helper()
	const all = `[...document.querySelectorAll('[data-testid="peer"]')].map((one) => one.dataset.path).sort().join(' ')`
	if !js[bool](p, fmt.Sprintf("seen.until(15000, () => %s === %q)", all, ways)) {
		p.t.Errorf("%d Hz goes by %q, want %q\n%s", p.hz, js[string](p, all), ways, p.diary())
	}
}

// TestBrowserRoomNetworkGone: nothing comes through to one member of three for some seconds,
// neither from the others nor from the server. Both of its pairs recover by an ICE restart, with
// the same connections; the other pair goes on.
func TestBrowserRoomNetworkGone(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	three := crowd(t, browser, server.URL, 3)
	three[0].network(t, 0) // sockets know of it from their beginning, or never
	for _, p := range three {
		p.joinsChannel("7", "giraffe umbrella", "mic")
	}
	for _, p := range three {
		p.meets(60*time.Second, 0, three...)
	}
	ana, bo := three[0], three[1]
	before := ana.names()
	ana.network(t, 100)
	if !js[bool](ana, `seen.until(20000, () => document.querySelectorAll('[data-testid="peer"][data-phase="live"]').length === 0)`) {
		t.Fatal("an outage of everything is not noticed\n" + ana.diary())
	}
	if !js[bool](bo, `seen.until(10000, () => document.querySelectorAll('[data-testid="peer"][data-phase="live"]').length === 1)`) {
		t.Error("who is not there breaks the pair of the others, or nobody notices\n" + bo.diary())
	}
	ana.network(t, 0)
	for _, p := range three {
		p.meets(40*time.Second, 0, three...)
	}
	if after := ana.names(); after == before {
		t.Errorf("the connections have the same names as before: no ICE restart\n%s", ana.diary())
	}
}

// names are those under which the browser's connections are known to the others (ICE), one for
// each peer.
func (p *person) names() string {
	p.t.Helper()
	const all = `seen.pcs.filter((pc) => pc.connectionState === 'connected').map((pc) => /ice-ufrag:(\S+)/.exec(pc.localDescription?.sdp)?.[1]).join(' ')`
	return js[string](p, all)
}

// network makes the browser lose this share of its packets to and from others, in percent; with
// all of them it has no server either.
func (p *person) network(t *testing.T, loss float64) {
	t.Helper()
	p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
			return err
		}
		_, err := chromedp.Call(ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{DownloadThroughput: -1, UploadThroughput: -1, PacketLoss: loss, PacketQueueLength: 1000, Offline: loss == 100}},
		})
		return err
	}))
}

// TestBrowserRoomHidesInside: who presses "Hide my address" in a room, after their addresses were
// used, has only relay candidates from then on, on both of their pairs.
func TestBrowserRoomHidesInside(t *testing.T) {
	browser := chromium(t)
	server := startParley(t, "--relay-allow-loopback")
	three := crowd(t, browser, server.URL, 3)
	for _, p := range three {
		p.joinsChannel("7", "giraffe umbrella", "mic")
	}
	for _, p := range three {
		p.meets(60*time.Second, 0, three...)
	}
	ana := three[0]
	ana.goesBy("direct direct")
	if said := js[string](ana, `seen.sealed.join('\n')`); !strings.Contains(said, " typ host") {
		t.Fatal("a direct connection without an address: the test sees nothing")
	}
	js[bool](ana, `Boolean(seen.sealed.length = 0) || true`)
	ana.press("hide-address")
	for _, p := range three {
		p.meets(60*time.Second, 0, three...)
	}
	ana.goesBy("relayed relayed")
	ana.keptItsAddress()
	for _, policy := range js[[]string](ana, `seen.pcs.filter((pc) => pc.connectionState !== 'closed').map((pc) => pc.getConfiguration().iceTransportPolicy)`) {
		if policy != "relay" {
			t.Errorf("a connection of who hides has the policy %q", policy)
		}
	}
	three[1].goesBy("direct relayed")
}

// TestBrowserRoomSocketDropped: the way to the server is gone for everybody and comes back. Each sees
// the others go away and come back, over the connections that they had.
func TestBrowserRoomSocketDropped(t *testing.T) {
	browser := chromium(t)
	front := vtest.FreeAddr(t)
	public := "http://" + localhost(front)
	server := startParley(t, "--public-url", public)
	way := newGate(t, front, server.host)
	three := crowd(t, browser, public+"/", 3)
	for _, p := range three {
		p.joinsChannel("7", "giraffe umbrella", "mic")
	}
	for _, p := range three {
		p.meets(60*time.Second, 0, three...)
		js[bool](p, `Boolean(seen.phases = new Set()) && !new MutationObserver((all) => all.forEach(({ target }) => seen.phases.add(target.dataset.phase)))
			.observe(document.body, { subtree: true, attributes: true, attributeFilter: ['data-phase'] })`)
	}
	way.Shut()
	for _, p := range three {
		p.says("No connection to the server")
	}
	js[bool](three[0], `new Promise((done) => setTimeout(() => done(true), 5000))`) // after 3 s the server tells
	way.Open()
	for _, p := range three {
		if !js[bool](p, `seen.until(30000, () => seen.phases.has('away'))`) {
			t.Errorf("%d Hz did not notice: the test shows nothing\n%s", p.hz, p.diary())
		}
	}
	for _, p := range three {
		p.meets(40*time.Second, 0, three...)
		if n := js[int](p, `seen.pcs.length`); n != 2 {
			t.Errorf("%d Hz has built %d connections, want the first two only", p.hz, n)
		}
	}
}
