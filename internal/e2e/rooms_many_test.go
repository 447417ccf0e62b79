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
func (p *person) meets(within time.Duration, pictures int, all ...*person) {
	p.t.Helper()
	p.meetsSome(within, len(all)-1, pictures, all...)
}

// meetsSome fails unless so many others are there, each proven and connected, and among them these
// are heard with their own tone, and the moving pictures of so many are seen.
func (p *person) meetsSome(within time.Duration, members, pictures int, speak ...*person) {
	p.t.Helper()
	tones := []int{}
	for _, o := range speak {
		if o != p {
			tones = append(tones, o.hz)
		}
	}
	list, _ := json.Marshal(tones) // numbers
	company := js[[]other](p, fmt.Sprintf("seen.meets(%d, %s, %d, %d)", members, list, pictures, within.Milliseconds()))
	moving, live := 0, 0
	for _, o := range company {
		if o.Pictures > 2 {
			moving++
		}
		if o.Phase == "live" {
			live++
		}
	}
	deaf := slices.ContainsFunc(tones, func(hz int) bool {
		return !slices.ContainsFunc(company, func(o other) bool { return math.Abs(o.Hz-float64(hz)) <= 12 })
	})
	if deaf || live != members || len(company) != members || moving != pictures {
		p.t.Fatalf("%d Hz is with %+v, want %d, the tones %v and %d pictures that move\n%s\n%s", p.hz, company, members, tones, pictures,
			js[string](p, `seen.fares()`), p.diary())
	}
}

// small makes camera and witness do little: many people share one machine.
const small = `seen.many = true; { const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
	navigator.mediaDevices.getUserMedia = (wanted) => real(wanted.video ? { video: { width: 160, height: 90, frameRate: 5 } } : wanted); }`

// crowd opens the page for so many people with small cameras.
func crowd(t *testing.T, browser chrome, url string, many int) []*person {
	t.Helper()
	tones := make([]int, many)
	for i := range tones {
		tones[i] = 500 + 230*i
	}
	return crowdOf(t, browser, url, tones)
}

// crowdOf opens a page for each of these tones. Where it is 0 the microphone is the one that the
// browser makes up, which beeps: who only looks saves the machine a page's worth of sound.
func crowdOf(t *testing.T, browser chrome, url string, tones []int) []*person {
	t.Helper()
	var people []*person
	for _, hz := range tones {
		p := guest(t, browser, hz, 6*time.Minute)
		p.runsFirst(small)
		p.do(chromedp.Navigate(url), chromedp.WaitVisible(testid("find")))
		people = append(people, p)
	}
	return people
}

// TestBrowserRoomOfFour: in a link's room of four everybody hears and sees everybody else, a text
// of one reaches all, the codec is the one for their machine, the fifth is refused with a reason,
// and one who leaves takes nobody with them.
func TestBrowserRoomOfFour(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	people := crowd(t, browser, server.URL, 5)
	ana := people[0]
	ana.runsFirst(`Object.defineProperty(navigator, 'hardwareConcurrency', { value: 8 })`)
	ana.do(chromedp.Reload(), chromedp.WaitVisible(testid("find")))
	for _, p := range people[1:] {
		p.runsFirst(`Object.defineProperty(navigator, 'hardwareConcurrency', { value: 2 })`)
	}
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
		p.meets(2*time.Minute, 3, four...)
	}
	// Who has cores for it encodes pictures of this size in AV1, the others do not; both understand both.
	for p, codec := range map[*person]string{ana: "video/AV1", four[1]: "video/VP8"} {
		if !js[bool](p, fmt.Sprintf("seen.until(20000, async () => String(await seen.encodes()) === %q)", strings.Repeat(","+codec, 3)[1:])) {
			t.Errorf("%d Hz encodes %v, want %s", p.hz, js[[]string](p, "seen.encodes()"), codec)
		}
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

// TestBrowserChannelOfEight: eight with one password are all connected, and hear those who speak;
// the ninth is told that the group is full, nobody is disturbed, and when one of them leaves there
// is a place.
func TestBrowserChannelOfEight(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	people := crowd(t, browser, server.URL, 9)
	eight, ninth := people[:8], people[8]
	began := time.Now()
	speak := []*person{eight[0], eight[5]}
	for i, p := range eight {
		var devices []string
		if slices.Contains(speak, p) {
			devices = []string{"mic"}
		}
		p.joinsChannel("8", "giraffe umbrella", devices...)
		if i > 0 {
			p.reaches("live", time.Minute)
		}
		t.Logf("%d are in after %v", i+1, time.Since(began).Round(time.Second))
	}
	for _, p := range eight {
		p.meetsSome(2*time.Minute, 7, 0)
	}
	for _, p := range []*person{eight[0], eight[7]} { // to listen is work
		p.meetsSome(time.Minute, 7, 0, speak...)
	}
	t.Logf("all eight are connected after %v", time.Since(began).Round(time.Second))
	ninth.joinsChannel("8", "giraffe umbrella")
	if got := ninth.reaches("ended", time.Minute); got != "ended full" {
		t.Errorf("the ninth of eight sees %q\n%s", got, ninth.diary())
	}
	t.Logf("the ninth was refused after %v", time.Since(began).Round(time.Second))
	for _, p := range eight {
		p.meetsSome(time.Minute, 7, 0)
	}
	eight[2].press("leave")
	eight[2].reaches("ended", 5*time.Second)
	ninth.press("home")
	ninth.do(chromedp.WaitVisible(testid("find")))
	ninth.joinsChannel("8", "giraffe umbrella")
	for _, p := range []*person{ninth, eight[0], eight[7]} {
		p.meetsSome(2*time.Minute, 7, 0)
	}
}
