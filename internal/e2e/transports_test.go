package e2e_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"parley/internal/vtest"
)

// only leaves a browser one way to the relay: as on a network that blocks the others.
const only = `(() => {
	const Real = globalThis.RTCPeerConnection;
	const fits = (url) => /^turns:/.test(url) ? %[1]q === 'tls' : url.endsWith('transport=' + %[1]q);
	const left = (config) => ({ ...config, iceServers: (config.iceServers ?? [])
		.map((s) => ({ ...s, urls: [s.urls].flat().filter(fits) })).filter((s) => s.urls.length > 0) });
	globalThis.RTCPeerConnection = class extends Real {
		constructor(config) { super(left(config)); }
		setConfiguration(config) { super.setConfiguration(left(config)); }
	};
})()`

// startSecure starts the program with TLS of its own on the port of the page.
func startSecure(t testing.TB, extra ...string) *parley {
	t.Helper()
	dir, host := t.TempDir(), vtest.FreeAddr(t)
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := vtest.CertificateFiles(cert, key, "localhost", "127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	origin := "https://" + localhost(host)
	p := &parley{URL: origin + "/", host: host}
	p.Process = vtest.StartProcess(t, "parley", append([]string{
		"--listen", host, "--operator-listen", vtest.FreeAddr(t), "--relay-listen", vtest.FreeAddr(t),
		"--tls", "files", "--tls-cert", cert, "--tls-key", key, "--public-url", origin, "--state", t.TempDir(),
	}, extra...)...)
	p.AwaitSaid("ready")
	return p
}

// believing starts a browser that takes certificates which signed themselves, for calls too.
func believing(t testing.TB) chrome {
	return chromium(t, chromedp.Flag("ignore-certificate-errors", true))
}

// TestBrowserTransports: two strangers talk when nothing but one way to the relay is open, by UDP, by
// TCP, or by TLS on the port of the page; also when each has another.
func TestBrowserTransports(t *testing.T) {
	browser := believing(t)
	server := startSecure(t)
	for _, ways := range [][2]string{{"udp", "udp"}, {"tcp", "tcp"}, {"tls", "tls"}, {"tls", "udp"}} {
		t.Run(ways[0]+" "+ways[1], func(t *testing.T) {
			both := strangers(t, browser,
				visit{server.URL, []string{fmt.Sprintf(only, ways[0])}}, visit{server.URL, []string{fmt.Sprintf(only, ways[1])}})
			for i, p := range both {
				if way := p.way(); way != ways[i] {
					t.Errorf("%d Hz: the call goes by %q, want %s", p.hz, way, ways[i])
				}
			}
			both[0].press("leave")
		})
	}
}

// visit is a page to open, and what it is to run before anything of its own.
type visit struct {
	url   string
	first []string
}

// strangers lets two people find each other and talk.
func strangers(t *testing.T, browser chrome, ana, bo visit) [2]*person {
	t.Helper()
	both := [2]*person{bystander(t, browser, 700), bystander(t, browser, 1000)}
	for i, to := range []visit{ana, bo} {
		p := both[i]
		for _, script := range to.first {
			p.runsFirst(script)
		}
		p.do(chromedp.Navigate(to.url), chromedp.WaitVisible(testid("find")))
		p.ready("music")
	}
	both[0].searches()
	both[0].reaches("queued", 5*time.Second)
	both[1].searches()
	talks(both[0], both[1], 20*time.Second)
	return both
}

// way is how the chosen candidate of a person's call reaches the relay.
func (p *person) way() string {
	p.t.Helper()
	return strings.ToLower(p.chosen("relayProtocol"))
}

// chosen is a fact about the candidate over which a person's call goes.
func (p *person) chosen(fact string) string {
	p.t.Helper()
	return js[string](p, fmt.Sprintf(`(async () => {
		const stats = [...(await seen.pcs.at(-1).getStats()).values()];
		// Several pairs stay nominated; over one of them goes what is said.
		const used = stats.find((s) => s.type === 'transport')?.selectedCandidatePairId;
		const pair = stats.find((s) => s.id === used);
		const local = stats.find((s) => s.id === pair?.localCandidateId);
		return local?.[%q] ?? 'nothing';
	})()`, fact))
}

// TestBrowserSecureRelaysOfTwoNodes: two nodes with TLS of their own, and two people of whom each can
// reach one relay only, that of the other's node, and that by TLS only.
func TestBrowserSecureRelaysOfTwoNodes(t *testing.T) {
	browser := believing(t)
	servers := startSecureNodes(t)
	at := func(i int) visit {
		return visit{servers[i].URL, []string{fmt.Sprintf(only, "tls"), fmt.Sprintf(reachesOnly, servers[1-i].host)}}
	}
	both := strangers(t, browser, at(0), at(1))
	for i, p := range both {
		if way, over := p.way(), p.chosen("url"); way != "tls" || !strings.Contains(over, localhost(servers[1-i].host)) {
			t.Errorf("%d Hz: the call goes by %q over %s, want tls over %s", p.hz, way, over, servers[1-i].host)
		}
	}
	both[0].press("leave")
}

// reachesOnly leaves a browser the relays at one port.
const reachesOnly = `(() => {
	const Real = globalThis.RTCPeerConnection;
	const port = %q.split(':').at(-1);
	const left = (config) => ({ ...config, iceServers: (config.iceServers ?? [])
		.map((s) => ({ ...s, urls: [s.urls].flat().filter((url) => url.includes(':' + port + '?')) })).filter((s) => s.urls.length > 0) });
	globalThis.RTCPeerConnection = class extends Real {
		constructor(config) { super(left(config)); }
		setConfiguration(config) { super.setConfiguration(left(config)); }
	};
})()`

// startSecureNodes starts two processes on one Redis that speak TLS themselves, each with a port of
// its own for page and relay.
func startSecureNodes(t testing.TB) [2]*parley {
	t.Helper()
	store, _ := startStore(t)
	dir, state := t.TempDir(), t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := vtest.CertificateFiles(cert, key, "localhost", "127.0.0.1"); err != nil {
		t.Fatal(err)
	}
	hosts := [2]string{vtest.FreeAddr(t), vtest.FreeAddr(t)}
	var servers [2]*parley
	for i, host := range hosts {
		own, other := "https://"+localhost(host), "https://"+localhost(hosts[1-i])
		p := &parley{URL: own + "/", host: host}
		p.Process = vtest.StartProcess(t, "parley",
			"--listen", host, "--operator-listen", vtest.FreeAddr(t), "--relay-listen", vtest.FreeAddr(t),
			"--tls", "files", "--tls-cert", cert, "--tls-key", key, "--public-url", own+","+other, "--redis", store, "--state", state)
		p.AwaitSaid("ready")
		servers[i] = p
	}
	return servers
}
