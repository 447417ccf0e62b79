package e2e_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// victims is how many people who have nothing to do with each other it takes to make a device
// pause.
const victims = 5

// TestBrowserAbuserIsLimited: somebody talks to five people in five networks, who report it, by one
// tap in the call or after it. What the device is told of its own standing follows: after three
// reports it is limited, after five it has to pause, and says so in the place of a search. Emptying
// the browser's storage does not help where few others look the same; and who looks quite new is a
// newcomer, no more.
func TestBrowserAbuserIsLimited(t *testing.T) {
	browser := chromium(t)
	doors := newDoors(t, victims+1)
	max := newOffender(t, browser, doors[victims], 16)
	for i := range victims {
		max.talksTo(browser, doors[i])
	}
	// A report counts a little less with each full hour.
	js[bool](max.person, `seen.until(40000, () => new Date().getUTCMinutes() !== 59 || new Date().getSeconds() < 20)`)
	for i, p := range max.met {
		if band, told := map[int]string{0: "clear", 1: "watch", 3: "restricted"}[i]; told {
			max.standsAs(band)
		}
		p.complains("threat")
		p.reads("call the emergency number of your country")
	}
	max.standsAs("cooldown")
	max.reads("What was reported: threats.")
	max.press("panel-close", "again")
	max.reaches("held", 10*time.Second)
	max.everythingIsNamed("held")
	max.asksForReview()

	// Another token, and the same kind of browser, which nobody else here has.
	max.clears(doors[victims])
	max.ready("music")
	max.searches()
	max.reaches("held", 10*time.Second)

	// Another kind of browser too: a newcomer, who works for a search and is known since today only.
	max.seems(4)
	max.clears(doors[victims])
	max.standsAs("clear")
	max.press("panel-close")
	max.ready("music")
	max.searches()
	if !js[bool](max.person, `seen.until(30000, () => seen.frames.some((f) => f.startsWith('< {"t":"queued"')))`) {
		t.Fatal("a newcomer does not get into the queue\n" + max.diary())
	}
	if !js[bool](max.person, `seen.frames.some((f) => f.startsWith('< {"t":"puzzle"')) && seen.frames.some((f) => /"proof":"[^"]/.test(f))`) {
		t.Error("a newcomer did no work for its search\n" + max.diary())
	}
	if !js[bool](max.person, `JSON.parse(localStorage.parley).age !== ''`) {
		t.Error("a newcomer has no age ticket")
	}
}

// TestBrowserErase: who was reported sees what is stored and what erasing costs, erases it, and is a
// newcomer, for whom counts what is stored of browsers like this one.
func TestBrowserErase(t *testing.T) {
	browser := chromium(t)
	doors := newDoors(t, 2)
	max := newOffender(t, browser, doors[1], 16)
	max.talksTo(browser, doors[0])
	max.met[0].complains("threat")
	max.standsAs("watch")
	before := js[string](max.person, `localStorage.parley`)
	max.press("to-device")
	max.reads("reported for threats")
	max.everythingIsNamed("device")
	max.press("erase-ask", "erase-not", "erase-ask")
	max.reads("You may meet them again")
	max.reads("old number was given up")
	max.reads("So a limit or a pause may stay")
	max.everythingIsNamed("device, erase")
	max.press("erase")
	max.do(chromedp.WaitVisible(testid("find"))) // the page has started again
	for _, gone := range []string{"token", "age", "met"} {
		was := js[string](max.person, fmt.Sprintf(`JSON.stringify(JSON.parse(%q).%s)`, before, gone))
		is := js[string](max.person, fmt.Sprintf(`JSON.stringify(JSON.parse(localStorage.parley).%s)`, gone))
		if was == is {
			t.Errorf("%s is still %s", gone, is)
		}
	}
	max.press("device")
	// What was reported of browsers like this one is not its own to erase, and counts while it is new.
	max.reads("A record of what was reported of browsers that look the same")
	max.standsAs("watch")
}

// TestBrowserTokenOnly: a server that goes by the token alone hears of nothing else; and who
// reports a child in the call is out of it at once, and is told whom to turn to.
func TestBrowserTokenOnly(t *testing.T) {
	browser := chromium(t)
	server := startParley(t, "--device-signals", "token", "--contact", "help@example.org")
	ana, bo := pair(t, browser, server.URL)
	ana.hears(bo.hz, 10*time.Second)
	const hello = `seen.frames.filter((f) => f.includes('"t":"hello"'))`
	if !js[bool](ana, hello+`.length > 0 && `+hello+`.every((f) => f.includes('"digest":""'))`) {
		t.Errorf("the browser says of what kind it is: %s", js[[]string](ana, hello))
	}
	if js[bool](ana, `performance.getEntriesByType('resource').some((e) => /\/signals-\w+\.min\.js$/.test(e.name))`) {
		t.Error("the browser looks at itself for nothing")
	}
	ana.press("report")
	ana.chooses("minor")
	ana.reaches("ended", time.Second)
	ana.reads("call the emergency number of your country")
	ana.reads("help@example.org")
	ana.everythingIsNamed("ended, help")
	if href := js[string](ana, `document.querySelector('.helpers a').href`); href != "mailto:help@example.org" {
		t.Errorf("the link leads to %s", href)
	}
	bo.reaches("ended", 5*time.Second)
}

// TestBrowserLongWait: who has waited for a minute hears it if that is because of reports, and
// nobody else hears anything; before that the page does not even ask.
func TestBrowserLongWait(t *testing.T) {
	browser := chromium(t)
	p := newPerson(t, browser, startParley(t).URL, 700)
	p.ready("music")
	p.searches()
	p.waitsLong()
	if js[bool](p, `document.querySelector('[data-testid="limited"]').checkVisibility()`) {
		t.Error("somebody whom nobody reported hears of reports")
	}
	p.hearsSaid(`{"t":"standing","band":"restricted","until_ms":0,"reasons":["hate"],"expires_ms":1900000000,"records":true,"stored":["own"]}`)
	p.reads("Finding someone is slower for this device")
	p.everythingIsNamed("queued, limited")
	p.press("cancel")
	p.reaches("home", 5*time.Second)
}

// waitsLong is a minute in the queue, by a clock that jumps.
func (p *person) waitsLong() {
	p.t.Helper()
	p.reaches("queued", 10*time.Second)
	const queued, asked = `seen.frames.some((f) => f.startsWith('< {"t":"queued"'))`, `seen.frames.some((f) => f.startsWith('> {"t":"standing"'))`
	if !js[bool](p, `seen.until(20000, () => `+queued+`)`) || js[bool](p, asked) {
		p.t.Fatal("not in the queue, or asked for the standing at once\n" + p.diary())
	}
	js[bool](p, `(() => { const now = Date.now.bind(Date); Date.now = () => now() + 61000; return true; })()`)
	const told = `seen.frames.some((f) => f.startsWith('< {"t":"standing"'))`
	if !js[bool](p, `seen.until(10000, () => `+asked+` && `+told+`)`) {
		p.t.Fatal("after a minute the page does not ask for the standing\n" + p.diary())
	}
}

// TestBrowserReportWaits: a report that cannot be stored is said to wait, is sent until it is
// stored, and counts once.
func TestBrowserReportWaits(t *testing.T) {
	browser := chromium(t)
	store, rdb := startStore(t)
	server := startParley(t, "--redis", store)
	ana, bo := pair(t, browser, server.URL)
	ana.hears(bo.hz, 10*time.Second)
	bo.press("leave")
	ana.reaches("ended", 5*time.Second)
	ana.press("stay")
	server.Kill()
	ana.press("report")
	ana.chooses("spam")
	ana.reads("Your report is not stored yet")
	if n := js[int](ana, `JSON.parse(localStorage.parley).avoid.length`); n != 0 {
		t.Errorf("the browser keeps %d marks of a report that is not stored", n)
	}
	server.again(t)
	if !js[bool](ana, `seen.until(40000, () => document.body.innerText.includes('Your report is stored and counts'))`) {
		t.Fatal("the report is not stored\n" + ana.diary())
	}
	oneReport(t, rdb)
}

// newDoors starts a server behind so many proxies, each of another network, and returns their
// addresses.
func newDoors(t *testing.T, n int) []string {
	t.Helper()
	var doors, origins []string
	var listeners []net.Listener
	for range n {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners = append(listeners, l)
		origin := fmt.Sprintf("http://localhost:%d", l.Addr().(*net.TCPAddr).Port)
		origins, doors = append(origins, origin), append(doors, origin+"/")
	}
	server := startParley(t, "--public-url", strings.Join(origins, ","), "--trusted-proxies", "127.0.0.0/8")
	to, err := url.Parse(strings.Replace(server.URL, "localhost", "127.0.0.1", 1))
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range listeners {
		from := fmt.Sprintf("203.0.%d.7", 100+i)
		s := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host
			r.Out.Header.Set("X-Forwarded-For", from)
		}}}
		t.Cleanup(func() { _ = s.Close() }) // connections of browsers that are gone
		go func() { _ = s.Serve(l) }()      // until the test closes it
	}
	return doors
}

// offender is somebody about whom others complain.
type offender struct {
	*person
	met []*person
}

// newOffender opens the page in a browser with so many cores, which nobody else here has.
func newOffender(t *testing.T, browser chrome, url string, cores int) *offender {
	t.Helper()
	o := &offender{person: guest(t, browser, 700, 4*time.Minute)}
	o.seems(cores)
	o.do(chromedp.Navigate(url), chromedp.WaitVisible(testid("find")))
	o.ready("music")
	return o
}

// seems makes the browser look like one with so many cores.
func (p *person) seems(cores int) {
	p.t.Helper()
	p.runsFirst(fmt.Sprintf(`Object.defineProperty(navigator, 'hardwareConcurrency', { get: () => %d, configurable: true })`, cores))
}

// talksTo has the offender meet somebody new, and leave: the other one stays at the end of the
// call.
func (o *offender) talksTo(browser chrome, url string) {
	o.t.Helper()
	p := guest(o.t, browser, 1000+60*len(o.met), 4*time.Minute)
	p.do(chromedp.Navigate(url), chromedp.WaitVisible(testid("find")))
	p.ready("music")
	p.searches()
	p.reaches("queued", 10*time.Second)
	if len(o.met) == 0 {
		o.searches()
	} else {
		o.press("again")
	}
	o.reaches("live", 20*time.Second)
	p.reaches("live", 20*time.Second)
	o.press("leave")
	p.reaches("ended", 5*time.Second)
	p.press("stay")
	o.met = append(o.met, p)
}

// chooses is the second tap of a report.
func (p *person) chooses(reason string) {
	p.t.Helper()
	at := chromedp.CSS(fmt.Sprintf(`[data-reason=%q]`, reason))
	p.do(chromedp.WaitVisible(at), chromedp.Click(at))
}

// complains reports the last call by two taps, and waits until that is counted.
func (p *person) complains(reason string) {
	p.t.Helper()
	p.press("report")
	p.chooses(reason)
	p.reads("Your report is stored and counts")
}

// reads waits until the page or a panel of it shows these words.
func (p *person) reads(words string) {
	p.t.Helper()
	if !js[bool](p, fmt.Sprintf(`seen.until(10000, () => document.body.innerText.includes(%q))`, words)) {
		p.t.Errorf("%d Hz: the page does not say %q but\n%s", p.hz, words, js[string](p, `document.body.innerText`))
	}
}

// standsAs opens My standing and fails unless it says this band.
func (p *person) standsAs(band string) {
	p.t.Helper()
	if js[string](p, `document.documentElement.dataset.panel ?? ''`) != "" {
		p.press("panel-close")
	}
	p.press("my-standing")
	const at = `document.querySelector('[data-testid="band"]')?.dataset.band`
	if !js[bool](p, fmt.Sprintf(`seen.until(5000, () => %s === %q)`, at, band)) {
		p.t.Fatalf("the standing is %q, want %s\n%s", js[string](p, at+` ?? ''`), band, p.diary())
	}
}

// asksForReview gets a code and asks with it for an answer that nobody has given yet.
func (p *person) asksForReview() {
	p.t.Helper()
	p.press("review")
	const code = `document.querySelector('[data-testid="review-code"]').textContent`
	if !js[bool](p, `seen.until(5000, () => `+code+` !== '')`) {
		p.t.Fatal("no code of a review\n" + p.diary())
	}
	p.press("review-look")
	p.reads("Nobody has looked at it yet")
	if kept := js[bool](p, `JSON.parse(localStorage.parley).review.code === `+code); !kept {
		p.t.Error("the code is not kept")
	}
}

// clears throws away what the browser keeps for this site, on a page where no script would write it
// back.
func (p *person) clears(url string) {
	p.t.Helper()
	p.do(chromedp.Navigate(url + "privacy"))
	js[bool](p, `(localStorage.clear(), true)`)
	p.do(chromedp.Navigate(url), chromedp.WaitVisible(testid("find")))
}
