package e2e_test

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"parley/internal/vtest"
)

// opensCheck opens the page /check; verdict is what it says in the end, in a word and in a sentence.
func opensCheck(t *testing.T, browser chrome, url, first string) *person {
	t.Helper()
	p := bystander(t, browser, 0)
	if first != "" {
		p.runsFirst(first)
	}
	p.do(chromedp.Navigate(url+"check"), chromedp.WaitVisible(testid("verdict")))
	return p
}

func (p *person) verdict() (word, says string) {
	p.t.Helper()
	p.reaches("checked", 30*time.Second)
	return js[string](p, `document.documentElement.dataset.verdict`), js[string](p, shown("verdict"))
}

// shown is the text of an element.
func shown(id string) string {
	return fmt.Sprintf(`document.querySelector('[data-testid=%q]')?.innerText ?? ''`, id)
}

// TestBrowserCheck: on an open network every way works, and the page says so.
func TestBrowserCheck(t *testing.T) {
	p := opensCheck(t, believing(t), startSecure(t).URL, "")
	verdict, says := p.verdict()
	if verdict != "good" || says != "Calls work on your network." {
		t.Errorf("%s: %q", verdict, says)
	}
	for _, way := range []string{"udp", "tcp", "tls"} {
		if !js[bool](p, `/^works, \d+ ms there and back$/.test(`+shown("way-"+way)+`)`) {
			t.Errorf("%s: %q", way, js[string](p, shown("way-"+way)))
		}
	}
	if js[bool](p, `performance.getEntriesByType('resource').some((e) => /\/main\.min\.js$/.test(e.name))`) {
		t.Error("the check loads what only a call needs")
	}
}

// firewall is in front of a relay on another address of this machine. It throws UDP away.
func firewall(t *testing.T) (front, behind string) {
	t.Helper()
	front = vtest.FreeAddr(t)
	_, port, err := net.SplitHostPort(front)
	if err != nil {
		t.Fatal(err)
	}
	silence, err := net.ListenPacket("udp4", front)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silence.Close() })
	return front, "127.0.0.2:" + port
}

// TestBrowserCheckWithoutUDP: where UDP is thrown away on the way, the page says that it is, and what
// works instead; where nothing comes through, that.
func TestBrowserCheckWithoutUDP(t *testing.T) {
	browser := believing(t)
	cases := []struct {
		secure, through bool
		verdict, says   string
	}{
		{true, false, "fair", "UDP is blocked on your network; TLS works."},
		{true, true, "fair", "UDP is blocked on your network; TCP and TLS work."},
		{false, false, "bad", "No call gets through from your network."},
	}
	var all []*person
	for _, c := range cases {
		start := startParley
		if c.secure {
			start = startSecure
		}
		front, behind := firewall(t)
		if c.through {
			newGate(t, front, behind)
		}
		server := start(t, "--relay-listen", behind, "--relay-external", "127.0.0.1")
		all = append(all, opensCheck(t, browser, server.URL, ""))
	}
	for i, p := range all { // all have waited at the same time
		if verdict, says := p.verdict(); verdict != cases[i].verdict || says != cases[i].says {
			t.Errorf("%s: %q, want %s: %q", verdict, says, cases[i].verdict, cases[i].says)
		}
		if got := js[string](p, shown("way-udp")); got != "blocked" {
			t.Errorf("UDP is said to be %q", got)
		}
	}
}

// spoilt changes the password that the page gets for the relay.
const spoilt = `(() => {
	const real = Response.prototype.json;
	Response.prototype.json = async function json() {
		const said = await real.call(this);
		return Array.isArray(said) ? said.map((s) => ({ ...s, credential: 'wrong' })) : said;
	};
})()`

// TestBrowserCheckRefused: a relay that answers with a no is not taken for a network that blocks.
func TestBrowserCheckRefused(t *testing.T) {
	p := opensCheck(t, believing(t), startSecure(t).URL, spoilt)
	if verdict, says := p.verdict(); verdict != "refused" || says != "Our relay answers, but takes no calls at the moment." {
		t.Errorf("%s: %q", verdict, says)
	}
}

// TestBrowserNoWayThrough: a call for which there is no way to the relay ends with words that say so,
// and leads to the check.
func TestBrowserNoWayThrough(t *testing.T) {
	browser := chromium(t)
	_, behind := firewall(t)
	server := startParley(t, "--relay-listen", behind, "--relay-external", "127.0.0.1")
	ana, bo := newPerson(t, browser, server.URL, 700), newPerson(t, browser, server.URL, 1000)
	for _, p := range []*person{ana, bo} {
		p.ready("music")
		p.searches()
	}
	led := 0
	for _, p := range []*person{ana, bo} {
		p.reaches("ended", 60*time.Second)
		if js[bool](p, `document.querySelector('[data-testid="check"]')?.checkVisibility() === true && document.body.innerText.includes('No way through')`) {
			led++
		}
	}
	if led == 0 { // who gives up first; the other hears that the peer has left
		t.Error("the end of the call does not lead to the check\n" + ana.diary())
	}
}
