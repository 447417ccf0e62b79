package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// TestBrowserRoomInput: what people type wrong is named, before anything is sent, and so is a
// device that cannot be had; every control has a name throughout.
func TestBrowserRoomInput(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	p := bystander(t, browser, 700)
	p.do(chromedp.Navigate(server.URL + "room"))
	p.press("room-go")
	p.faults("phrase-fault", "without its words")
	for typed, want := range map[string]string{
		"abacus zooom abdomen abide ability ablaze able": "“zooom”, is not in the list",
		"abacus abdomen":             "Only 2 words",
		strings.Repeat("abacus ", 9): "These are 9 words",
		strings.Repeat("x", 2000):    "too long",
	} {
		p.types("phrase", typed)
		p.press("room-go")
		p.faults("phrase-fault", want)
	}
	p.everythingIsNamed("phrase")
	p.do(chromedp.Navigate(server.URL), chromedp.WaitVisible(testid("find")))
	p.press("join-channel")
	for number, want := range map[string]string{"0": "1 to 1000", "1001": "1 to 1000", "7.5": "whole number", "abc": "whole number", "٧": "digits 0 to 9"} {
		p.types("channel-number", number)
		p.press("room-go")
		p.faults("channel-fault", want)
	}
	p.types("channel-number", "7")
	p.press("room-go")
	p.faults("password-fault", "Type the password")
	js[bool](p, `(() => { const el = document.querySelector('[data-testid="channel-password"]'); el.value = 'x'.repeat(1001); return true; })()`)
	p.press("room-go")
	p.faults("password-fault", "1,000 characters")
	p.types("channel-password", "hello7")
	p.tells("strength", "Weak")
	p.everythingIsNamed("channel")
	p.press("room-go")
	for deny, want := range map[string]string{"NotReadableError": "Another program", "NotFoundError": "No such device", "NotAllowedError": "without an answer"} {
		js[bool](p, fmt.Sprintf(`Boolean(seen.deny = %q)`, deny))
		p.press("camera-switch")
		p.tells("camera-trouble", want)
	}
	p.everythingIsNamed("preview")
	p.press("room-enter") // with neither
	p.reaches("queued", 10*time.Second)
	p.everythingIsNamed("inside")
	if sent := js[[]string](p, `seen.frames.filter((f) => /^> \{"t":"(make|enter)"/.test(f))`); len(sent) != 1 {
		t.Errorf("the server was asked %d times: %q", len(sent), sent)
	}
}

// faults waits for a sentence below a field, and for the field to be marked.
func (p *person) faults(id, part string) {
	p.t.Helper()
	const look = `seen.until(5000, () => { const el = document.getElementById(%q); return !el.hidden && el.textContent.includes(%q) && document.querySelector('[aria-invalid="true"][aria-describedby~=%q]'); })`
	if !js[bool](p, fmt.Sprintf(look, id, part, id)) {
		p.t.Fatalf("%s does not say %q: %s", id, part, js[string](p, fmt.Sprintf(`document.getElementById(%q)?.textContent ?? 'not there'`, id)))
	}
}

// TestBrowserRoomHelp: the page about permissions has its four steps and all browsers, and says
// how it stands now, also after that changed.
func TestBrowserRoomHelp(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	p := bystander(t, browser, 700)
	p.do(chromedp.Navigate(server.URL + "room#permissions"))
	p.tells("permission-state", "microphone")
	said := js[string](p, `document.querySelector('main').innerText`)
	for _, want := range []string{"until another member is connected", "Chrome on a computer", "Edge on a computer", "Firefox on a computer", "Safari on a Mac", "Android", "iPhone"} {
		if !strings.Contains(said, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if n := js[int](p, `document.querySelectorAll('main ol li').length`); n != 4 {
		t.Errorf("%d steps, want 4", n)
	}
	p.tells("permission-state", "microphone will be asked")
	js[bool](p, `navigator.mediaDevices.getUserMedia({ audio: true }).then((s) => s.getTracks().map((t) => t.stop())).then(() => true)`)
	p.press("permission-check")
	p.tells("permission-state", "microphone")
	p.everythingIsNamed("help")
}

// TestBrowserRoomOtherTab: a second tab of somebody who is in the room is told so, and disturbs
// nobody.
func TestBrowserRoomOtherTab(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	ana := newPerson(t, browser, server.URL, 700)
	ana.press("create-link", "knock")
	ana.press("room-go")
	ana.goesIn()
	ana.do(chromedp.WaitVisible(testid("link")))
	link := js[string](ana, `document.querySelector('[data-testid="link"]').value`)
	ctx, cancel := chromedp.NewContext(ana.ctx) // the same browser, so the same device
	t.Cleanup(cancel)
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	t.Cleanup(stop)
	tab := &person{t: t, ctx: ctx, close: cancel, hz: 701}
	tab.runsFirst(strings.ReplaceAll(witness, "TONE_HZ", "701"))
	tab.follows(link)
	if got := tab.reaches("ended", 10*time.Second); got != "ended other_tab" {
		t.Errorf("the second tab sees %q", got)
	}
	ana.reaches("queued", time.Second)
}

// TestBrowserRoomHostileMember: a member who says everything again that it heard, to its sender
// and to others, and garbage besides, disturbs nobody.
func TestBrowserRoomHostileMember(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	three := crowd(t, browser, server.URL, 3)
	ana, bo, cy := three[0], three[1], three[2]
	ana.press("create-link", "knock")
	ana.press("room-go")
	ana.goesIn("mic")
	ana.do(chromedp.WaitVisible(testid("link")))
	link := js[string](ana, `document.querySelector('[data-testid="link"]').value`)
	bo.follows(link, "mic")
	cy.follows(link, "mic")
	for _, p := range three {
		p.meets(30*time.Second, 0, three...)
	}
	// The page of the hostile member still heals its connections, as all do on a busy machine. So what it says
	// gets numbers behind those of the attack, or the server would take it for said already, for ever; but
	// new keys it makes none, as a page in hostile hands would not.
	const attack = `(() => {
		const heard = seen.frames.filter((f) => /^< \{"t":"relay"/.test(f)).map((f) => JSON.parse(f.slice(2)));
		const others = [...new Set(heard.map((f) => f.from))];
		const socket = seen.sockets.at(-1), send = socket.send.bind(socket);
		const last = Math.max(...seen.frames.filter((f) => f[0] === '>').map((f) => JSON.parse(f.slice(2)).c ?? 0));
		let more = 0;
		socket.send = (data) => {
			const { c, ...frame } = JSON.parse(data);
			if (frame.t !== 'relay' || !/^AQ[E-H]/.test(frame.box)) send(JSON.stringify(c ? { ...frame, c: c + more } : frame));
		};
		const say = (to, seq, box) => send(JSON.stringify({ t: 'relay', c: last + ++more, to, seq, box }));
		for (const to of others) {
			for (const { seq, box } of heard.slice(0, 30)) say(to, seq, box);
			for (const box of ['', 'AAAA', 'AQ', 'A'.repeat(88), 'AQ' + 'M'.repeat(86), 'z'.repeat(5000)]) say(to, 90000, box);
		}
		return heard.length > 5 && others.length === 2;
	})()`
	if !js[bool](cy, attack) {
		t.Fatal("the hostile member has heard nothing: the test shows nothing")
	}
	const text = "still here after all that"
	bo.do(chromedp.SendKeys(testid("chat-input"), text))
	bo.press("chat-send")
	if !js[bool](ana, fmt.Sprintf("seen.until(10000, () => document.body.innerText.includes(%q))", text)) {
		t.Error("the text did not arrive\n" + ana.diary())
	}
	for _, p := range []*person{ana, bo} {
		p.meets(20*time.Second, 0, three...)
		if n := js[int](p, `seen.pcs.length`); n != 2 {
			t.Errorf("%d Hz has built %d connections, want the first two only", p.hz, n)
		}
	}
}
