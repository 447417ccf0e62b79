package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestBrowserLinkRoom: a room made by one, entered by another who knocks; both hear the tone and see
// the moving picture of the other, texts arrive, and no server saw words, addresses or text.
func TestBrowserLinkRoom(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	ana := newPerson(t, browser, server.URL, 700)
	link := ana.makesRoom("mic", "camera")
	bo := bystander(t, browser, 1100)
	bo.follows(link, "mic", "camera")
	ana.press("admit")
	for _, p := range []struct{ who, other *person }{{ana, bo}, {bo, ana}} {
		p.who.reaches("live", 30*time.Second)
		p.who.hears(p.other.hz, 10*time.Second)
		p.who.sees(10 * time.Second)
	}
	const text = "the fox is in the henhouse"
	bo.do(chromedp.SendKeys(testid("chat-input"), text))
	bo.press("chat-send")
	if !js[bool](ana, fmt.Sprintf("seen.until(5000, () => document.body.innerText.includes(%q))", text)) {
		t.Fatal("the text did not arrive\n" + ana.diary())
	}
	_, words, _ := strings.Cut(link, "#")
	for _, p := range []*person{ana, bo} {
		p.gaveNothingAway("", append(strings.Split(words, "-"), text)...)
	}
	if got := js[string](bo, "location.href"); strings.ContainsAny(got, "#") {
		t.Errorf("the address bar still says %s", got)
	}

	// The last one leaves, and the link is burnt.
	for _, p := range []*person{ana, bo} {
		p.press("leave")
		p.reaches("ended", 5*time.Second)
	}
	cy := bystander(t, browser, 1500)
	cy.follows(link)
	if got := cy.reaches("ended", 10*time.Second); got != "ended burnt" {
		t.Errorf("a burnt link says %q", got)
	}
}

// TestBrowserChannel: the right password meets, a wrong one nobody, the same wrong one each other.
func TestBrowserChannel(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	var people []*person
	for i, password := range []string{"giraffe umbrella", "giraffe umbrella", "giraffe parasol", "giraffe parasol"} {
		p := newPerson(t, browser, server.URL, 700+400*i)
		p.joinsChannel("977", password, "mic")
		people = append(people, p)
	}
	for i, p := range people {
		p.reaches("live", 30*time.Second)
		p.hears(people[i^1].hz, 10*time.Second)
		if n := js[int](p, `document.querySelectorAll('[data-testid="peer"]').length`); n != 1 {
			t.Errorf("%d Hz meets %d people, want 1", p.hz, n)
		}
		p.gaveNothingAway("977", "giraffe", "umbrella", "parasol")
	}
}

// TestBrowserChannelLocks: ten minutes after it opened nobody new is answered, even with the right
// password, until a member who did not open it allows joining.
func TestBrowserChannelLocks(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	var people []*person
	for i := range 3 {
		p := bystander(t, browser, 700+400*i)
		// Its clock can be put forward.
		p.runsFirst(`{ const now = performance.now.bind(performance); globalThis.ahead = 0; performance.now = () => now() + ahead; }`)
		p.do(chromedp.Navigate(server.URL), chromedp.WaitVisible(testid("find")))
		people = append(people, p)
		if i == 2 {
			break
		}
		p.joinsChannel("7", "giraffe umbrella", "mic")
	}
	ana, bo, cy := people[0], people[1], people[2]
	for _, p := range []*person{ana, bo} {
		p.reaches("live", 30*time.Second)
		js[bool](p, "(ahead = 600000) > 0")
		if !js[bool](p, `seen.until(5000, () => document.querySelector('[data-testid="locked"][data-locked="true"]'))`) {
			t.Fatal("the channel does not lock\n" + p.diary())
		}
	}
	// With their clocks both watch for silence too: they are live again before somebody comes.
	ana.reaches("live", 30*time.Second)
	bo.reaches("live", 30*time.Second)
	cy.joinsChannel("7", "giraffe umbrella", "mic")
	if !js[bool](ana, `seen.until(20000, () => document.querySelector('[data-testid="hint-held"]'))`) {
		t.Fatal("nobody stands at the locked door\n" + ana.diary())
	}
	if n := js[int](cy, `document.querySelectorAll('[data-testid="peer"]').length`); n != 0 {
		t.Errorf("a locked channel lets %d people be met", n)
	}
	bo.press("allow-joining")
	cy.reaches("live", 30*time.Second)
	const both = `seen.until(20000, () => document.querySelectorAll('[data-testid="peer"][data-phase="live"]').length === 2)`
	if !js[bool](cy, both) {
		t.Error("allowing to join opens one member, not all\n" + cy.diary())
	}
}

// TestBrowserKnockRefused: who is turned away is told so, and nobody inside is disturbed.
func TestBrowserKnockRefused(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	ana, bo := newPerson(t, browser, server.URL, 700), bystander(t, browser, 1100)
	bo.follows(ana.makesRoom())
	ana.press("turn-away")
	if got := bo.reaches("ended", 10*time.Second); got != "ended turned_away" {
		t.Errorf("who was turned away sees %q", got)
	}
	ana.reaches("queued", time.Second)
}

// TestBrowserRoomReload: a member whose page is loaded again is back with one press, and heard.
func TestBrowserRoomReload(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	for _, room := range []string{"link", "channel"} {
		t.Run(room, func(t *testing.T) {
			ana, bo := newPerson(t, browser, server.URL, 700), bystander(t, browser, 1100)
			if room == "link" {
				bo.follows(ana.makesRoom("mic"), "mic")
				ana.press("admit")
			} else {
				ana.joinsChannel("42", "giraffe umbrella", "mic")
				bo.do(chromedp.Navigate(server.URL), chromedp.WaitVisible(testid("find")))
				bo.joinsChannel("42", "giraffe umbrella", "mic")
			}
			bo.reaches("live", 30*time.Second)
			for _, p := range []*person{bo, ana} {
				p.do(chromedp.Reload())
				p.press("mic-switch")
				p.pressed("mic-switch")
				p.press("room-enter")
				p.reaches("live", 30*time.Second)
				for _, q := range []struct{ who, other *person }{{ana, bo}, {bo, ana}} {
					q.who.reaches("live", 30*time.Second)
					q.who.hears(q.other.hz, 15*time.Second)
				}
			}
		})
	}
}

// TestBrowserRoomHidden: of who hides their address only relays leave the browser, also after they
// switch that on inside.
func TestBrowserRoomHidden(t *testing.T) {
	browser := chromium(t)
	server := startParley(t, "--relay-allow-loopback")
	ana, bo := newPerson(t, browser, server.URL, 700), bystander(t, browser, 1100)
	ana.press("create-link", "room-go", "hide-address", "mic-switch")
	ana.pressed("mic-switch")
	ana.press("room-enter")
	ana.do(chromedp.WaitVisible(testid("link")))
	bo.follows(js[string](ana, `document.querySelector('[data-testid="link"]').value`), "mic")
	ana.press("admit")
	ana.reaches("live", 30*time.Second)
	ana.hears(bo.hz, 10*time.Second)
	ana.keptItsAddress()
	if path := js[string](ana, `seen.until(5000, () => document.querySelector('[data-testid="peer"]').dataset.path).then(() => document.querySelector('[data-testid="peer"]').dataset.path)`); path != "relayed" {
		t.Errorf("the way is %q, want relayed", path)
	}
}

// makesRoom creates a link and goes in with these devices; it returns the link.
func (p *person) makesRoom(devices ...string) string {
	p.t.Helper()
	p.press("create-link", "room-go")
	p.goesIn(devices...)
	p.do(chromedp.WaitVisible(testid("link")))
	return js[string](p, `document.querySelector('[data-testid="link"]').value`)
}

// follows opens a link.
func (p *person) follows(link string, devices ...string) {
	p.t.Helper()
	p.do(chromedp.Navigate(link))
	p.press("room-go")
	p.goesIn(devices...)
}

func (p *person) joinsChannel(number, password string, devices ...string) {
	p.t.Helper()
	p.press("join-channel")
	p.do(chromedp.WaitVisible(testid("channel-number")),
		chromedp.SendKeys(testid("channel-number"), number), chromedp.SendKeys(testid("channel-password"), password))
	p.press("room-go")
	p.goesIn(devices...)
}

// goesIn turns devices on, one at a time, and enters.
func (p *person) goesIn(devices ...string) {
	p.t.Helper()
	for _, kind := range devices {
		p.press(kind + "-switch")
		p.pressed(kind + "-switch")
	}
	p.press("room-enter")
}

// pressed waits until a switch is on and no longer asking.
func (p *person) pressed(id string) {
	p.t.Helper()
	on := fmt.Sprintf(`seen.until(30000, () => document.querySelector('[data-testid=%q][aria-checked="true"]:not([aria-busy])'))`, id)
	if !js[bool](p, on) {
		p.t.Fatalf("%d Hz: %s is not on\n%s", p.hz, id, p.diary())
	}
}

// sees fails unless a picture of somebody else moves.
func (p *person) sees(within time.Duration) {
	p.t.Helper()
	const moving = `seen.until(%d, () => [...document.querySelectorAll('[data-testid="peer-video"]')].some((v) => !v.hidden && v.videoWidth > 0 && v.currentTime > 0.3))`
	if !js[bool](p, fmt.Sprintf(moving, within.Milliseconds())) {
		p.t.Fatalf("%d Hz sees nobody\n%s", p.hz, p.diary())
	}
}
