package e2e_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// other is somebody else in a room, as one person hears and sees them.
type other struct {
	Phase    string  `json:"phase"`
	Way      string  `json:"way"`
	Hz       float64 `json:"hz"`
	Pictures int     `json:"pictures"`
}

// meets fails unless exactly these others are there, each heard with their own tone, and the moving
// pictures of so many.
func (p *person) meets(within time.Duration, pictures int, others ...*person) []other {
	p.t.Helper()
	var tones []int
	for _, o := range others {
		if o != p {
			tones = append(tones, o.hz)
		}
	}
	list, _ := json.Marshal(tones) // numbers
	company := js[[]other](p, fmt.Sprintf("seen.meets(%s, %d, %d)", list, pictures, within.Milliseconds()))
	moving := 0
	for _, o := range company {
		if o.Pictures > 2 {
			moving++
		}
	}
	for _, hz := range tones {
		heard := func(o other) bool { return math.Abs(o.Hz-float64(hz)) <= 12 && o.Phase == "live" }
		if !slices.ContainsFunc(company, heard) {
			p.t.Errorf("%d Hz does not hear %d Hz", p.hz, hz)
		}
	}
	if len(company) != len(tones) || moving != pictures || p.t.Failed() {
		p.t.Fatalf("%d Hz is with %+v, want %v and %d pictures that move\n%s", p.hz, company, tones, pictures, p.diary())
	}
	return company
}

// small makes the camera send little: many people share one machine.
const small = `{ const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
	navigator.mediaDevices.getUserMedia = (wanted) => real(wanted.video ? { video: { width: 160, height: 90, frameRate: 5 } } : wanted); }`

// crowd opens the page for so many people with small cameras.
func crowd(t *testing.T, browser chrome, url string, many int) []*person {
	t.Helper()
	var people []*person
	for i := range many {
		p := guest(t, browser, 500+230*i, 5*time.Minute)
		p.runsFirst(small)
		p.do(chromedp.Navigate(url), chromedp.WaitVisible(testid("find")))
		people = append(people, p)
	}
	return people
}

// TestBrowserRoomOfFour: in a link's room of four everybody hears and sees everybody else, a text of
// one reaches all, the fifth is refused with a reason, and one who leaves takes nobody with them.
func TestBrowserRoomOfFour(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	people := crowd(t, browser, server.URL, 5)
	ana := people[0]
	ana.press("create-link", "knock")
	ana.press("room-go")
	ana.goesIn("mic", "camera")
	ana.do(chromedp.WaitVisible(testid("link")))
	link := js[string](ana, `document.querySelector('[data-testid="link"]').value`)
	four, fifth := people[:4], people[4]
	for _, p := range four[1:] {
		p.follows(link, "mic", "camera")
		p.reaches("live", 30*time.Second)
	}
	for _, p := range four {
		p.meets(60*time.Second, 3, four...)
	}
	fifth.follows(link)
	if got := fifth.reaches("ended", 10*time.Second); got != "ended full" {
		t.Errorf("the fifth of four sees %q", got)
	}
	const text = "the goose has flown"
	four[3].do(chromedp.SendKeys(testid("chat-input"), text))
	four[3].press("chat-send")
	for _, p := range four[:3] {
		if !js[bool](p, fmt.Sprintf("seen.until(10000, () => document.body.innerText.includes(%q))", text)) {
			t.Errorf("%d Hz: the text did not arrive\n%s", p.hz, p.diary())
		}
	}
	_, words, _ := strings.Cut(link, "#")
	for _, p := range four {
		p.gaveNothingAway("", append(strings.Split(words, "-"), text)...)
	}
	four[3].press("leave")
	for _, p := range four[:3] {
		p.meets(60*time.Second, 2, four[:3]...)
	}
}

// TestBrowserChannelOfEight: eight with one password all hear each other; the ninth is told that the
// group is full, nobody is disturbed, and when one of them leaves there is a place.
func TestBrowserChannelOfEight(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	people := crowd(t, browser, server.URL, 9)
	eight, ninth := people[:8], people[8]
	for i, p := range eight {
		p.joinsChannel("8", "giraffe umbrella", "mic")
		if i > 0 {
			p.reaches("live", 60*time.Second)
		}
	}
	for _, p := range eight {
		p.meets(60*time.Second, 0, eight...)
	}
	ninth.joinsChannel("8", "giraffe umbrella", "mic")
	if got := ninth.reaches("ended", 30*time.Second); got != "ended full" {
		t.Errorf("the ninth of eight sees %q\n%s", got, ninth.diary())
	}
	for _, p := range eight {
		p.meets(60*time.Second, 0, eight...)
	}
	eight[2].press("leave")
	eight[2].reaches("ended", 5*time.Second)
	ninth.press("home")
	ninth.do(chromedp.WaitVisible(testid("find")))
	ninth.joinsChannel("8", "giraffe umbrella", "mic")
	now := append(slices.Delete(slices.Clone(eight), 2, 3), ninth)
	for _, p := range []*person{ninth, eight[0], eight[7]} {
		p.meets(60*time.Second, 0, now...)
	}
}
