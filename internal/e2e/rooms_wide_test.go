package e2e_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// TestBrowserRoomFits: on the screen of a computer everything that one needs in a room lies in the
// window, whoever is there: all pictures with one's own, what is written, and all buttons; on a phone
// the buttons do. When somebody goes, whoever reads about another one keeps the focus there.
func TestBrowserRoomFits(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	people := crowd(t, browser, server.URL, 4)
	ana := people[0]
	ana.joinsChannel("7", "giraffe umbrella", "mic", "camera")
	ana.reaches("queued", 10*time.Second)
	ana.hasInWindow("alone", `[data-testid="my-video"]`, `[data-testid="allow-joining"]`)
	for i, p := range people[1:] {
		p.joinsChannel("7", "giraffe umbrella", "mic", "camera")
		p.reaches("live", time.Minute)
		ana.meetsSome(time.Minute, i+1, i+1)
		all := []string{`[data-testid="my-video"]`, `[data-testid="chat-input"]`, `[data-testid="chat-send"]`, `[data-testid="allow-joining"]`}
		for n := range i + 1 {
			for _, part := range []string{"video", "h2", "summary"} {
				all = append(all, fmt.Sprintf(`.peers > :nth-child(%d) %s`, n+1, part))
			}
		}
		ana.hasInWindow(fmt.Sprintf("%d people", i+2), all...)
	}
	js[bool](ana, `document.querySelectorAll('article summary')[1].focus() ?? true`)
	people[1].press("leave")
	ana.meetsSome(time.Minute, 2, 2)
	if !js[bool](ana, `document.activeElement === document.querySelectorAll('article summary')[0]`) {
		t.Errorf("who reads about one loses the focus when another goes: it is at %s", js[string](ana, `document.activeElement.outerHTML.slice(0, 100)`))
	}
}

// bar are the buttons that a room always has.
func bar() []string {
	return []string{`[data-testid="mute"]`, `[data-testid="mic-off"]`, `[data-testid="video"]`, `[data-testid="hide-address"]`, `[data-testid="leave"]`}
}

// hasInWindow fails unless these can be seen without scrolling on each size of a computer's window,
// and the buttons on each size at all.
func (p *person) hasInWindow(when string, parts ...string) {
	p.t.Helper()
	for _, size := range []struct {
		width, height int64
		wide          bool
	}{{1024, 700, true}, {1280, 800, true}, {1920, 1080, true}, {390, 844, false}, {844, 390, false}} {
		p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
				Width: size.width, Height: size.height, DeviceScaleFactor: 1, Mobile: !size.wide,
			})
			return err
		}))
		looked := bar()
		if size.wide {
			looked = slices.Concat(parts, bar())
		}
		for _, part := range looked {
			if said := js[string](p, fmt.Sprintf(inWindow, part)); said != "" {
				p.t.Errorf("%s, %d by %d: %s %s", when, size.width, size.height, part, said)
			}
		}
	}
}

// inWindow says what is wrong with the place of an element, "" when its middle can be seen and all of
// it lies in the window.
const inWindow = `new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))).then(() => {
	scrollTo(0, 0);
	const el = document.querySelector(%q);
	if (!el?.checkVisibility()) return 'is not there';
	const { left, right, top, bottom, width, height } = el.getBoundingClientRect();
	if (left < -1 || top < -1 || right > innerWidth + 1 || bottom > innerHeight + 1) return 'lies outside: ' + [left, top, right, bottom].map(Math.round);
	if (width < 16 || height < 16) return 'is too small: ' + [width, height].map(Math.round);
	if (el.localName === 'video' && height < 60) return 'is a picture of ' + height;
	const there = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
	return el === there || el.contains(there) ? '' : 'is covered by ' + there?.outerHTML.slice(0, 80);
})`
