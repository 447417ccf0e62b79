package e2e_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	permit "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

const arrowUp = "\u0304"

// TestBrowserRoomKeyboard: everything of a private room goes without a mouse, from its making to its
// end, for who makes it and for who follows the link. The focus can be seen, and is never lost: what
// had it and goes away gives it on. Every control on the way has a name.
func TestBrowserRoomKeyboard(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	ana, bo := guest(t, browser, 700, 4*time.Minute), guest(t, browser, 1100, 4*time.Minute)
	for _, p := range []*person{ana, bo} {
		p.keepsFocus()
	}
	ana.do(chromedp.Navigate(server.URL), chromedp.WaitVisible(testid("find")))
	ana.mayCopy()
	link := ana.makesByKeyboard()
	bo.do(chromedp.Navigate(link), chromedp.WaitVisible(testid("phrase")))
	bo.atTitle("phrase")
	bo.everythingIsNamed("phrase")
	bo.onto("room-go")
	bo.keys(enter)
	bo.goesInByKeyboard()
	bo.atTitle("knocking")
	bo.everythingIsNamed("knocking")

	ana.do(chromedp.WaitVisible(testid("admit")))
	ana.everythingIsNamed("inside, a knock")
	ana.onto("admit")
	ana.keys(enter)
	bo.reaches("live", 30*time.Second)
	ana.atTitle("inside, after the knock")
	ana.hears(bo.hz, 15*time.Second)
	bo.hears(ana.hz, 15*time.Second)
	ana.sees(15 * time.Second)
	bo.atTitle("inside")
	bo.everythingIsNamed("inside")

	bo.devicesByKeyboard(ana)
	bo.onto("chat-input")
	for _, letter := range "mv hello" { // M and V are letters here
		bo.keys(string(letter))
	}
	bo.keys(enter)
	if !js[bool](ana, `seen.until(10000, () => document.querySelector('[data-testid="chat-log"]').innerText.includes('mv hello'))`) {
		t.Error("the text did not arrive\n" + ana.diary())
	}
	if at := bo.at(); at != "chat-input" {
		t.Errorf("after a text the focus is at %q", at)
	}

	bo.onto("leave")
	bo.keys(space)
	bo.reaches("ended", 8*time.Second)
	bo.atTitle("ended")
	bo.everythingIsNamed("ended")
	bo.onto("home")
	bo.keys(enter)
	bo.do(chromedp.WaitVisible(testid("find")))
	ana.reaches("queued", 10*time.Second)
	ana.onto("leave")
	ana.keys(enter)
	ana.reaches("ended", 8*time.Second)
}

// makesByKeyboard makes a room for three from home, goes in, copies the link and shows the code.
func (p *person) makesByKeyboard() string {
	p.t.Helper()
	p.onto("create-link")
	p.keys(enter)
	p.do(chromedp.WaitVisible(testid("capacity")))
	p.atTitle("make")
	p.everythingIsNamed("make")
	p.onto("capacity")
	p.keys(arrowUp)
	if got := js[string](p, `document.querySelector('[data-testid="capacity"]').value`); got != "3" {
		p.t.Errorf("an arrow chooses room for %s", got)
	}
	p.onto("knock")
	p.keys(space, space)
	p.onto("room-go")
	p.keys(enter)
	p.goesInByKeyboard()
	p.do(chromedp.WaitVisible(testid("link")))
	p.atTitle("inside, alone")
	p.everythingIsNamed("inside, alone")
	p.onto("copy-link")
	p.keys(enter)
	p.says("Copied.")
	p.keys(tab)
	if !js[bool](p, `document.activeElement.localName === 'summary'`) {
		p.t.Errorf("behind the link comes %q, want its code", p.at())
	}
	p.keys(enter)
	if !js[bool](p, `seen.until(8000, () => document.querySelector('[data-testid="qr"] svg')?.checkVisibility())`) {
		p.t.Error("no code is shown\n" + p.diary())
	}
	p.onto("knock-switch")
	return js[string](p, `document.querySelector('[data-testid="link"]').value`)
}

// goesInByKeyboard turns microphone and camera on and goes in.
func (p *person) goesInByKeyboard() {
	p.t.Helper()
	p.do(chromedp.WaitVisible(testid("mic-switch")))
	p.atTitle("preview")
	for _, device := range []string{"mic-switch", "camera-switch"} {
		p.onto(device)
		p.keys(space)
		p.pressed(device)
	}
	p.everythingIsNamed("preview")
	p.onto("room-enter")
	p.keys(enter)
}

// devicesByKeyboard mutes, turns off and on, and hides, by key and by button; the other one notices.
func (p *person) devicesByKeyboard(other *person) {
	p.t.Helper()
	const quiet, picture = `seen.until(8000, () => seen.tone() === 0)`, `seen.until(10000, () => document.querySelector('[data-testid="peer-video"]').hidden === %t)`
	noticed := func(what, expression string) {
		p.t.Helper()
		if !js[bool](other, expression) {
			p.t.Errorf("the other does not notice: %s\n%s", what, other.diary())
		}
	}
	p.onto("mute")
	p.keys(enter)
	noticed("muted by enter", quiet)
	p.keys("m")
	other.hears(p.hz, 10*time.Second)
	p.onto("mic-off")
	p.keys(space)
	noticed("microphone off", quiet)
	if at := p.at(); at != "mute" {
		p.t.Errorf("with the microphone goes its button; the focus is at %q, want mute", at)
	}
	p.keys(enter)
	other.hears(p.hz, 10*time.Second)
	p.onto("video")
	p.keys(enter)
	noticed("camera off", fmt.Sprintf(picture, true))
	p.keys("v")
	noticed("camera on by key", fmt.Sprintf(picture, false))
	p.onto("hide-address")
	p.keys(space)
	if !js[bool](p, `seen.until(5000, () => document.querySelector('[data-testid="hide-address"]').getAttribute('aria-pressed') === 'true')`) {
		p.t.Error("the address is not hidden")
	}
	p.keys(space)
	p.reaches("live", 30*time.Second)
	other.hears(p.hz, 20*time.Second)
}

// mayCopy lets the page write to the clipboard, as a browser with a window does after a key.
func (p *person) mayCopy() {
	p.t.Helper()
	params := permit.SetPermissionParams{
		Permission: &permit.PermissionDescriptor{Name: "clipboard-write"}, Setting: permit.PermissionSettingGranted,
		Origin: js[string](p, `location.origin`), BrowserContextID: chromedp.FromContext(p.ctx).BrowserContextID,
	}
	p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, permit.SetPermission, params)
		return err
	}))
}

// atTitle fails unless the heading of the screen has the focus: where somebody who does not see goes
// on when what they pressed is gone.
func (p *person) atTitle(screen string) {
	p.t.Helper()
	if !js[bool](p, `seen.until(8000, () => document.activeElement?.localName === 'h1' && document.activeElement.checkVisibility())`) {
		p.t.Errorf("%d Hz, %s: the focus is at %s", p.hz, screen, js[string](p, `document.activeElement?.outerHTML.slice(0, 100) ?? 'nothing'`))
	}
}
