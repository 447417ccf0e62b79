package e2e_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/vtest"
	"parley/retention"
)

// nodes are several processes on one Redis, each with a door of its own that leads to it, or to
// another when it has died.
type nodes struct {
	doors   []*gate
	servers []*parley
}

// startNodes starts count processes that share Redis and keys, as an installation does.
func startNodes(t testing.TB, count int) *nodes {
	t.Helper()
	store, admin := startStore(t)
	state, origins := t.TempDir(), ""
	n := &nodes{}
	fronts := make([]string, count)
	for i := range fronts {
		fronts[i] = vtest.FreeAddr(t)
		if i > 0 {
			origins += ","
		}
		origins += "http://" + fronts[i]
	}
	for _, front := range fronts {
		server := startParley(t, "--redis", store, "--state", state, "--public-url", origins)
		n.servers = append(n.servers, server)
		n.doors = append(n.doors, newGate(t, front, server.host))
	}
	awaitRelays(t, admin, count)
	return n
}

// awaitRelays waits until each node has told of its relay twice, and so has heard of the others.
func awaitRelays(t testing.TB, admin redis.UniversalClient, count int) {
	t.Helper()
	ours := regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(retention.Relay.Format()), "%s", ".*") + "$")
	left, again := map[string]time.Duration{}, map[string]bool{}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		keys, err := vtest.AllKeys(t.Context(), admin)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			if !ours.MatchString(key) {
				continue
			}
			now, before := admin.PTTL(t.Context(), key).Val(), left[key]
			if left[key] = now; before != 0 && now > before && len(left) == count {
				again[key] = true
			}
		}
		if len(again) == count {
			return
		}
		<-tick.C
	}
	t.Fatalf("%d of %d nodes tell of their relays", len(again), count)
}

func (n *nodes) url(i int) string { return "http://" + n.doors[i].Addr + "/" }

// kill ends one process with kill -9; its door leads to another one.
func (n *nodes) kill(i, instead int) {
	n.servers[i].Kill()
	n.doors[i].Turn(n.servers[instead].host)
}

// talks fails unless both hear each other, with equal strings and no address given away.
func talks(ana, bo *person, within time.Duration) {
	ana.t.Helper()
	ana.reaches("live", within)
	bo.reaches("live", within)
	ana.hears(bo.hz, within)
	bo.hears(ana.hz, within)
	if a, b := ana.sas(), bo.sas(); a != b || len(a) < 10 {
		ana.t.Errorf("authentication strings %q and %q", a, b)
	}
	ana.keptItsAddress()
	bo.keptItsAddress()
}

// comesBack waits until Ana, whose node died, is in the call again. Whether the two noticed an outage
// is not asked: a browser that has relays on both nodes may go over to the other one in time.
func (p *person) comesBack() {
	p.t.Helper()
	if !js[bool](p, `seen.until(20000, () => seen.frames.filter((f) => f.startsWith('< ') && f.includes('"connected"')).length >= 2)`) {
		p.t.Fatal("did not come back into the call\n" + p.diary())
	}
}

// TestBrowserTwoNodes: two browsers on two processes talk. The process that carries their call and its
// relay is killed: both go on talking through the other.
func TestBrowserTwoNodes(t *testing.T) {
	browser := chromium(t)
	n := startNodes(t, 2)
	ana, bo := pairAt(t, browser, n.url(0), n.url(1))
	talks(ana, bo, 10*time.Second)

	n.kill(0, 1)
	killed := time.Now()
	ana.comesBack()
	talks(ana, bo, 30*time.Second)
	t.Logf("both heard each other %v after their node was killed", time.Since(killed).Round(100*time.Millisecond))
	ana.press("leave")
	bo.reaches("ended", 5*time.Second)
}

// TestBrowserThreeNodes: two browsers on two of three processes talk. The one that carries the call is
// killed, then the one that carries it since: at last both are on the third, and still talk.
func TestBrowserThreeNodes(t *testing.T) {
	browser := chromium(t)
	n := startNodes(t, 3)
	ana, bo := pairAt(t, browser, n.url(0), n.url(1))
	talks(ana, bo, 10*time.Second)

	n.kill(0, 2)
	ana.comesBack()
	talks(ana, bo, 30*time.Second)
	n.kill(1, 2)
	if !js[bool](bo, `seen.until(20000, () => seen.frames.filter((f) => f.startsWith('< ') && f.includes('"connected"')).length >= 2)`) {
		t.Fatal("Bo did not come back into the call\n" + bo.diary())
	}
	talks(ana, bo, 30*time.Second)
	ana.press("leave")
	bo.reaches("ended", 5*time.Second)
}

// TestBrowserPeersNodeKilled: the process of one side is killed; the call is on the other. The
// voice does not stop at all, unless a browser had chosen the relay that dies with the process;
// then it comes back.
func TestBrowserPeersNodeKilled(t *testing.T) {
	browser := chromium(t)
	n := startNodes(t, 2)
	ana, bo := pairAt(t, browser, n.url(0), n.url(1))
	talks(ana, bo, 10*time.Second)

	over := ana.chosen("url") + " " + bo.chosen("url")
	if !strings.Contains(over, n.servers[0].relay) && !strings.Contains(over, n.servers[1].relay) {
		t.Fatalf("the call goes over %s, none of the relays", over)
	}
	n.kill(1, 0)
	killed := time.Now()
	if !js[bool](bo, `seen.until(20000, () => seen.frames.filter((f) => f.includes('"connected"')).length >= 2)`) {
		t.Fatal("Bo did not come back into the call\n" + bo.diary())
	}
	talks(ana, bo, 20*time.Second)
	dies := strings.Contains(over, n.servers[1].relay)
	t.Logf("over %s; the relay that died is one of them: %t; both heard each other at the latest %v later",
		over, dies, time.Since(killed).Round(100*time.Millisecond))
	for _, p := range []*person{ana, bo} {
		if !dies && js[bool](p, `seen.screens.includes('reconnecting')`) {
			t.Errorf("%d Hz: the voice stopped\n%s", p.hz, p.diary())
		}
	}
	bo.press("leave")
	ana.reaches("ended", 5*time.Second)
}

// TestBrowserResumesElsewhere: a socket breaks, and the browser comes back to another process. Its
// session is still on the first, and goes on.
func TestBrowserResumesElsewhere(t *testing.T) {
	browser := chromium(t)
	n := startNodes(t, 3)
	ana, bo := pairAt(t, browser, n.url(0), n.url(1))
	talks(ana, bo, 10*time.Second)
	token := welcomeToken(bo)

	n.doors[1].Turn(n.servers[2].host)
	if !js[bool](bo, `seen.until(15000, () => seen.frames.some((f) => f.startsWith('< ') && f.includes('"resumed":true')))`) {
		t.Fatal("the session did not resume\n" + bo.diary())
	}
	if again := welcomeToken(bo); again != token {
		t.Error("the session that came back is another one")
	}
	talks(ana, bo, 10*time.Second)
	bo.press("leave")
	ana.reaches("ended", 5*time.Second)
}

// TestBrowserNodeKilledWhileWaiting: a process is killed while somebody waits on it. She comes back by
// herself to another one, nobody meets her ghost, and she is found there.
func TestBrowserNodeKilledWhileWaiting(t *testing.T) {
	browser := chromium(t)
	n := startNodes(t, 2)
	ana := newPerson(t, browser, n.url(0), 700)
	ana.ready("music")
	ana.searches()
	ana.reaches("queued", 5*time.Second)
	bo := newPerson(t, browser, n.url(1), 1000)
	bo.ready("music")

	n.kill(0, 1)
	bo.searches()
	bo.reaches("live", 30*time.Second)
	talks(ana, bo, 20*time.Second)
}
