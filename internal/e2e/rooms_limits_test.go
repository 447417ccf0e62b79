package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// slowly lets the clock of a page run a fiftieth as fast, so that a minute of the page outlasts
// whatever the machine does meanwhile; ahead puts it forward.
const slowly = `{ const now = performance.now.bind(performance), began = now(); globalThis.ahead = 0; performance.now = () => began + (now() - began) / 50 + ahead; }`

// TestBrowserRoomGuesses: after five wrong passwords within a minute a member's browser says so, for
// how long, and answers nobody new, even with the right password; when the minute is over it does so
// by itself.
func TestBrowserRoomGuesses(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	ana, bo, thief := guest(t, browser, 700, 4*time.Minute), guest(t, browser, 1100, 4*time.Minute), guest(t, browser, 1500, 4*time.Minute)
	ana.runsFirst(slowly)
	for _, p := range []*person{ana, bo, thief} {
		p.do(chromedp.Navigate(server.URL), chromedp.WaitVisible(testid("find")))
	}
	ana.joinsChannel("7", "giraffe umbrella")
	ana.do(chromedp.WaitVisible(testid("allow-joining")))
	const refuses = `document.querySelector('[data-testid="hint-guesses"]')`
	for i := range 5 {
		if js[bool](ana, `Boolean(`+refuses+`)`) {
			t.Fatalf("after %d wrong passwords nobody is answered", i)
		}
		thief.joinsChannel("7", fmt.Sprintf("giraffe parasol %d", i))
		ana.wasGuessed(i + 1)
		thief.press("leave")
		thief.reaches("ended", 5*time.Second)
		thief.press("home")
		thief.do(chromedp.WaitVisible(testid("find")))
	}
	ana.tells("hint-guesses", "Five passwords did not match within a minute")
	if said := js[string](ana, refuses+`.textContent`); !js[bool](ana, fmt.Sprintf(`/For \d+ seconds more your browser answers nobody new/.test(%q)`, said)) {
		t.Errorf("it is not said until when: %q", said)
	}

	bo.joinsChannel("7", "giraffe umbrella")
	bo.tells("hint-others", "takes a minute's rest after wrong passwords")
	before := js[int](ana, envelopes)
	if before == 0 {
		t.Fatal("not even those who guessed were answered: the test shows nothing")
	}
	member := js[string](bo, `JSON.parse(seen.frames.find((f) => f.startsWith('< {"t":"joined"')).slice(2)).me`)
	if js[bool](ana, fmt.Sprintf(`seen.frames.some((f) => f.startsWith('> {"t":"relay"') && f.includes(%q))`, member)) {
		t.Error("the sixth is answered within the minute\n" + ana.diary())
	}
	js[bool](ana, `(ahead += 60000) > 0`)
	for _, p := range []*person{ana, bo} {
		p.reaches("live", 60*time.Second)
		if js[bool](p, `Boolean(`+refuses+`)`) {
			t.Errorf("%d Hz: a right password counts as a wrong one", p.hz)
		}
	}
}

// envelopes counts those that a browser sent.
const envelopes = `seen.frames.filter((f) => f.startsWith('> {"t":"relay"')).length`

// wasGuessed waits until so many others have got, or given, an answer from which a guess can be told
// right or wrong (kind 4 of room-cpace.js, in base64url).
func (p *person) wasGuessed(times int) {
	p.t.Helper()
	const answers = `new Set(seen.frames.map((f) => JSON.parse(f.slice(2))).filter(({ t, box }) => t === 'relay' && /^AQ[Q-T]/.test(box)).map(({ from, to }) => from ?? to)).size`
	if !js[bool](p, fmt.Sprintf(`(async () => { for (let i = 0; i < 1500 && (%s) < %d; i++) await new Promise((go) => setTimeout(go, 20)); return (%s) === %d; })()`, answers, times, answers, times)) {
		p.t.Fatalf("%d others were answered, want %d\n%s", js[int](p, answers), times, p.diary())
	}
}

// estimated makes the browser believe of all its connections together that the line upstream carries
// so many kbit/s: that figure is the browser's own guess, and one of just so many cannot be had to
// order. What is done and said about it is the page's.
const estimated = `globalThis.carries = %d; { const real = RTCPeerConnection.prototype.getStats;
	RTCPeerConnection.prototype.getStats = async function () {
		const open = seen.pcs.filter((pc) => pc.connectionState === 'connected').length;
		const report = new Map([...(await real.call(this)).entries()]);
		for (const [id, x] of report) if (x.type === 'candidate-pair') report.set(id, { ...x, availableOutgoingBitrate: (carries * 1000) / open });
		return report;
	}; }`

// TestBrowserRoomLimit: two whose line would not carry a third at full size are told so while it
// still carries two, with what is needed against what there is; when the third comes the picture is
// made smaller, and that is said too.
func TestBrowserRoomLimit(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	three := crowd(t, browser, server.URL, 3)
	ana, bo, cy := three[0], three[1], three[2]
	ana.runsFirst(`Object.defineProperty(navigator, 'hardwareConcurrency', { value: 8 })`)
	ana.runsFirst(fmt.Sprintf(estimated, 1700))
	ana.do(chromedp.Reload(), chromedp.WaitVisible(testid("find")))
	ana.joinsChannel("7", "giraffe umbrella", "mic", "camera")
	bo.joinsChannel("7", "giraffe umbrella", "mic")
	bo.meets(30*time.Second, 1, ana, bo)
	ana.tells("hint-near", "With 3 people your line would need 1.6 Mbit/s upstream; it carries about 1.7.")
	ana.sends("1200")
	if js[bool](ana, `Boolean(document.querySelector('[data-testid="hint-over"]'))`) {
		t.Error("the line is said to be full before it is")
	}
	cy.joinsChannel("7", "giraffe umbrella", "mic")
	ana.tells("hint-over", "the full picture would need 1.6. Your picture is smaller.")
	ana.sends("400 400")
	for _, p := range three {
		pictures := 1
		if p == ana {
			pictures = 0
		}
		p.meets(30*time.Second, pictures, three...)
	}
}

// sends waits until the pictures that leave a browser may take so many kbit/s, one for each peer.
func (p *person) sends(kbps string) {
	p.t.Helper()
	const allowed = `seen.pcs.filter((pc) => pc.connectionState === 'connected').flatMap((pc) => pc.getSenders()).filter((s) => s.track?.kind === 'video')
		.map((s) => (s.getParameters().encodings[0].maxBitrate ?? 0) / 1000).join(' ')`
	if !js[bool](p, fmt.Sprintf("seen.until(20000, () => %s === %q)", allowed, kbps)) {
		p.t.Errorf("the pictures may take %q kbit/s, want %q", js[string](p, allowed), kbps)
	}
}
