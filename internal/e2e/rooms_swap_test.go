package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/gorilla/websocket"

	"parley/internal/vtest"
)

// exchanger stands where a dishonest server would, and leads browsers to another room than the one
// they ask for.
type exchanger struct {
	t      testing.TB
	server string // host:port of the honest parley behind it
	origin string

	mu   sync.Mutex        // guards lead
	lead map[string]string // from the tag that is asked for to the one that is entered
	led  int               // how many were led astray
}

// newExchanger starts a parley and an exchanger in front of it, which is honest until it is told
// whom to lead where.
func newExchanger(t testing.TB) *exchanger {
	t.Helper()
	front := vtest.FreeAddr(t)
	origin := "http://" + localhost(front)
	server := startParley(t, "--public-url", origin)
	x := &exchanger{t: t, server: server.host, origin: origin, lead: map[string]string{}}
	serveInFront(t, front, server.host, x.socket)
	return x
}

// astray leads who asks for one tag to another from now on.
func (x *exchanger) astray(from, to string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.lead[from] = to
}

func (x *exchanger) socket(w http.ResponseWriter, r *http.Request) {
	browser, server := bothEnds(x.t, w, r, x.server, x.origin)
	if browser == nil {
		return
	}
	defer browser.Close()
	defer server.Close()
	var down sync.WaitGroup
	down.Go(func() {
		defer browser.Close()
		pass(server, browser, func(text string) string { return text })
	})
	pass(browser, server, x.exchange)
	server.Close()
	down.Wait()
}

// pass carries frames until one of the two sockets ends.
func pass(from, to *websocket.Conn, change func(string) string) {
	for {
		_, text, err := from.ReadMessage()
		if err != nil {
			return
		}
		if err := to.WriteMessage(websocket.TextMessage, []byte(change(string(text)))); err != nil {
			return
		}
	}
}

// exchange replaces the tag in a frame.
func (x *exchanger) exchange(frame string) string {
	x.mu.Lock()
	defer x.mu.Unlock()
	for from, to := range x.lead {
		if strings.Contains(frame, from) {
			x.led++
			return strings.ReplaceAll(frame, from, to)
		}
	}
	return frame
}

// tag is the one under which a browser went to its room.
func (p *person) tag() string {
	p.t.Helper()
	return js[string](p, `seen.frames.map((f) => /^> \{"t":"(?:make|enter)".*"tag":"([\w-]+)"/.exec(f)?.[1]).findLast(Boolean)`)
}

// TestBrowserRoomsExchanged: a server that leads whoever follows one link into the room of another,
// or whoever joins one channel into another where the password is the same, brings nobody together.
// Who was led astray is told that something is wrong, and so is a link's room; the two in it go on
// talking over the connection that they had.
func TestBrowserRoomsExchanged(t *testing.T) {
	browser := chromium(t)
	for _, kind := range []string{"link", "channel"} {
		t.Run(kind, func(t *testing.T) {
			x := newExchanger(t)
			four := crowd(t, browser, x.origin+"/", 4)
			ana, bo, cy, host := four[0], four[1], four[2], four[3]
			var astray string
			if kind == "link" {
				link := ana.makesOpenRoom()
				bo.follows(link, "mic")
				other := host.makesOpenRoom()
				astray = host.tag()
				x.astray(astray, ana.tag())
				ana.meets(30*time.Second, 0, ana, bo)
				cy.follows(other, "mic")
			} else {
				ana.joinsChannel("7", "giraffe umbrella", "mic")
				bo.joinsChannel("7", "giraffe umbrella", "mic")
				host.joinsChannel("8", "giraffe umbrella")
				astray = host.tag()
				x.astray(astray, ana.tag())
				ana.meets(30*time.Second, 0, ana, bo)
				cy.joinsChannel("8", "giraffe umbrella", "mic")
			}
			words := map[string]string{"link": "this server mixes up rooms", "channel": "Nobody has answered your password"}[kind]
			warned := map[string][]*person{"link": {ana, bo, cy}, "channel": {cy}}[kind]
			for _, p := range warned {
				if !js[bool](p, fmt.Sprintf("seen.until(40000, () => document.querySelector('main').innerText.includes(%q))", words)) {
					t.Errorf("%d Hz is not told that something is wrong\n%s", p.hz, p.diary())
				}
			}
			x.mu.Lock()
			if x.led != 1 || astray == ana.tag() {
				t.Errorf("%d were led astray, from %q to %q: the test shows nothing", x.led, astray, ana.tag())
			}
			x.mu.Unlock()
			if n := js[int](cy, `seen.pcs.length + document.querySelectorAll('[data-testid="peer"]').length`); n != 0 {
				t.Errorf("who was led astray has %d connections and sees people\n%s", n, cy.diary())
			}
			for _, p := range []*person{ana, bo} {
				p.meets(10*time.Second, 0, ana, bo)
				if n := js[int](p, `seen.pcs.length`); n != 1 {
					t.Errorf("%d Hz has built %d connections, want the first only", p.hz, n)
				}
			}
			const text = "whoever came in shall not read this"
			bo.do(chromedp.SendKeys(testid("chat-input"), text))
			bo.press("chat-send")
			if !js[bool](ana, fmt.Sprintf("seen.until(10000, () => document.body.innerText.includes(%q))", text)) {
				t.Error("the text did not arrive\n" + ana.diary())
			}
			for _, p := range []*person{cy, host} {
				if js[bool](p, fmt.Sprintf("document.body.innerText.includes(%q)", text)) {
					t.Errorf("%d Hz reads what was not for them", p.hz)
				}
			}
			host.reaches("queued", time.Second)
		})
	}
}

// makesOpenRoom creates a link at whose door nobody knocks, goes in, and returns it.
func (p *person) makesOpenRoom() string {
	p.t.Helper()
	p.press("create-link", "knock", "room-go")
	p.goesIn("mic")
	p.do(chromedp.WaitVisible(testid("link")))
	return js[string](p, `document.querySelector('[data-testid="link"]').value`)
}
