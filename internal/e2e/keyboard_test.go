package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

const (
	tab    = "\t"
	enter  = "\r"
	space  = " "
	escape = "\u001b"
)

// TestBrowserKeyboardAlone: everything from home to the end of a call goes without a mouse, and every
// control on the way has a name for those who do not see it.
func TestBrowserKeyboardAlone(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	ana := bystander(t, browser, 700)
	ana.keepsFocus()
	ana.do(chromedp.Navigate(server.URL), chromedp.WaitVisible(testid("find")))
	ana.readyByKeyboard()

	bo := newPerson(t, browser, server.URL, 1000)
	bo.ready("music")
	bo.searches()
	ana.reaches("live", 20*time.Second)
	ana.hears(bo.hz, 15*time.Second)
	bo.hears(ana.hz, 15*time.Second)
	ana.everythingIsNamed("live")
	ana.panelsByKeyboard()

	const quiet, muted = `seen.until(8000, () => seen.tone() === 0)`, `document.querySelector('[data-testid="mute"]').hasAttribute('data-on')`
	ana.keys("m")
	if !js[bool](bo, quiet) || !js[bool](ana, muted) {
		t.Fatal("M does not mute\n" + ana.diary())
	}
	ana.everythingIsNamed("live, muted")
	ana.keys("m")
	bo.hears(ana.hz, 8*time.Second)
	ana.onto("mute")
	ana.keys(enter)
	if !js[bool](bo, quiet) {
		t.Error("enter on the mute button does not mute")
	}

	ana.keys("n")
	ana.reaches("queued", 8*time.Second)
	bo.reaches("ended", 8*time.Second)
	bo.everythingIsNamed("ended by the peer")
	cy := newPerson(t, browser, server.URL, 1300)
	cy.ready("music")
	cy.searches()
	ana.reaches("live", 20*time.Second)
	cy.hears(ana.hz, 15*time.Second)

	// One Esc says what a second one does, and two go on to the next stranger.
	ana.keys(escape)
	ana.reaches("live", time.Second)
	ana.keys(escape, escape)
	ana.reaches("queued", 8*time.Second)
	cy.reaches("ended", 8*time.Second)
	ana.keys(escape, escape)
	ana.reaches("ended", 8*time.Second) // not home: the last call can still be reported
	ana.onto("home")
	ana.keys(space)
	ana.reaches("home", 8*time.Second)
}

// TestBrowserKeyboardLeaves: the buttons of a call and of its end are within reach of Tab too.
func TestBrowserKeyboardLeaves(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	ana := bystander(t, browser, 700)
	ana.keepsFocus()
	ana.do(chromedp.Navigate(server.URL))
	ana.do(chromedp.WaitVisible(testid("find")))
	ana.readyByKeyboard()
	bo := newPerson(t, browser, server.URL, 1000)
	bo.ready("music")
	bo.searches()
	ana.reaches("live", 20*time.Second)
	bo.reaches("live", 20*time.Second)

	ana.onto("leave")
	ana.keys(enter)
	ana.reaches("ended", 8*time.Second)
	bo.reaches("ended", 8*time.Second)
	ana.everythingIsNamed("ended by me")
	ana.onto("report")
	ana.keys(enter)
	ana.everythingIsNamed("ended, report")
	ana.onto("report-reason")
	ana.keys(enter)
	if !js[bool](ana, `seen.until(8000, () => seen.frames.some((f) => f.includes('"reported"')))`) {
		t.Fatal("no answer to the report\n" + ana.diary())
	}
	ana.everythingIsNamed("ended, reported")
	ana.onto("again")
	ana.keys(space)
	ana.reaches("queued", 8*time.Second)
	ana.onto("cancel")
	ana.keys(space)
	ana.reaches("home", 8*time.Second)
}

// readyByKeyboard goes from home into the queue without a mouse.
func (p *person) readyByKeyboard() {
	p.t.Helper()
	p.everythingIsNamed("home")
	p.onto("interest-music")
	p.keys(space)
	p.onto("adult")
	p.keys(space)
	p.onto("find")
	p.keys(enter)
	p.reaches("mic", 8*time.Second)
	p.everythingIsNamed("mic, explained")

	js[string](p, `seen.deny = 'NotAllowedError'`)
	p.onto("mic-ask")
	p.keys(enter)
	p.do(chromedp.WaitVisible(testid("mic-retry")))
	p.everythingIsNamed("mic, denied")
	js[string](p, `seen.deny = ''`)
	p.onto("mic-retry")
	p.keys(space)
	p.do(chromedp.WaitVisible(testid("mic-ok")))
	p.everythingIsNamed("mic, test")
	p.onto("mic-ok")
	p.keys(enter)
	p.reaches("queued", 8*time.Second)
	p.everythingIsNamed("queued")
}

// panelsByKeyboard opens and shuts every panel of a call; the focus goes in and comes back.
func (p *person) panelsByKeyboard() {
	p.t.Helper()
	p.onto("next")
	for _, panel := range []struct{ key, name string }{{"v", "verify"}, {"c", "chat"}, {"r", "report"}, {"?", "keys"}} {
		p.keys(panel.key)
		p.panelIs(panel.name)
		if !js[bool](p, `document.querySelector('[role="dialog"]').contains(document.activeElement)`) {
			p.t.Errorf("the panel %s opens without the focus", panel.name)
		}
		p.everythingIsNamed("live, panel " + panel.name)
		p.keys(escape)
		p.panelIs("")
		if at := p.at(); at != "next" {
			p.t.Errorf("after the panel %s the focus is at %q, it was at next", panel.name, at)
		}
	}
	for _, panel := range []struct{ opener, name string }{{"devices", "devices"}, {"path", "direct"}} {
		p.onto(panel.opener)
		p.keys(enter)
		p.panelIs(panel.name)
		p.everythingIsNamed("live, panel " + panel.name)
		p.onto("panel-close")
		p.keys(space)
		p.panelIs("")
	}
}

func (p *person) panelIs(name string) {
	p.t.Helper()
	if !js[bool](p, fmt.Sprintf(`seen.until(5000, () => (document.documentElement.dataset.panel ?? '') === %q)`, name)) {
		p.t.Fatalf("%d Hz: the panel is %q, want %q", p.hz, js[string](p, `document.documentElement.dataset.panel ?? ''`), name)
	}
}

// keepsFocus makes the page believe that its window is in front, as every page of a browser without
// windows should.
func (p *person) keepsFocus() {
	p.t.Helper()
	p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
		return err
	}))
}

func (p *person) keys(pressed ...string) {
	p.t.Helper()
	for _, key := range pressed {
		p.do(chromedp.KeyEvent(key))
	}
}

// at is the data-testid of the control that has the focus.
func (p *person) at() string {
	p.t.Helper()
	return js[string](p, `document.activeElement?.getAttribute('data-testid') ?? ''`)
}

// onto presses Tab until the control has the focus, and looks whether the focus can be seen.
func (p *person) onto(id string) {
	p.t.Helper()
	var passed []string
	for range 80 {
		if at := p.at(); at == id {
			if !js[bool](p, `getComputedStyle(document.activeElement).outlineStyle !== 'none'`) {
				p.t.Errorf("nobody sees that %s has the focus", id)
			}
			return
		}
		p.keys(tab)
		passed = append(passed, p.at())
	}
	p.t.Fatalf("%d Hz: Tab does not lead to %s, only to %q\n%s", p.hz, id, passed, p.diary())
}

// controls are the roles of what a person can press or fill in.
const controls = " button checkbox combobox link listbox radio searchbox slider spinbutton switch textbox "

// everythingIsNamed fails unless every control that can be seen is in the accessibility tree, by name.
func (p *person) everythingIsNamed(screen string) {
	p.t.Helper()
	const visible = `[...document.querySelectorAll('button, input, select, textarea, a[href]')].filter((e) => e.checkVisibility()).length`
	var named, want int
	for range 5 { // a screen may change between the two looks
		want = js[int](p, visible)
		if named = p.named(screen); named == want {
			break
		}
	}
	if named != want || want == 0 {
		p.t.Errorf("%s: %d controls can be seen, %d are in the accessibility tree", screen, want, named)
	}
}

// named counts the controls in the accessibility tree and fails for each without a name.
func (p *person) named(screen string) int {
	p.t.Helper()
	count := 0
	p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		tree, err := chromedp.Call(ctx, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		if err != nil {
			return err
		}
		for _, node := range tree.Nodes {
			role := said(node.Role)
			if node.Ignored || role == "" || !strings.Contains(controls, " "+role+" ") {
				continue
			}
			count++
			if strings.TrimSpace(said(node.Name)) == "" {
				p.t.Errorf("%s: a %s (node %d) has no name", screen, role, node.BackendDOMNodeID)
			}
		}
		return nil
	}))
	return count
}

// said is the text of a value of the tree.
func said(v *accessibility.Value) string {
	if v == nil {
		return ""
	}
	var text string
	if err := json.Unmarshal(v.Value, &text); err != nil {
		return ""
	}
	return text
}
