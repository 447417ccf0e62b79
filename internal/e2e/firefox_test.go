package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestFirefoxTalksToChromium: a stranger with a stock Firefox and one with Chromium hear each other
// through the real page, whoever of them makes the offers.
func TestFirefoxTalksToChromium(t *testing.T) {
	path := findFirefox(t)
	browser := chromium(t)
	server := startParley(t)
	const foxTone = 800 // Firefox's own fake microphone hums, so its capture is what really runs
	for i, c := range []struct {
		name     string
		foxFirst bool // who waits answers; who comes makes the offers
	}{{"Firefox answers", true}, {"Firefox offers", false}} {
		t.Run(c.name, func(t *testing.T) {
			fox := startFirefox(t, path, foxTone)
			fox.open(server.URL)
			bo := newPerson(t, browser, server.URL, 1000+300*i)
			fox.ready("music")
			bo.ready("music")
			if c.foxFirst {
				fox.press("mic-ok")
				fox.reaches("queued")
				bo.searches()
			} else {
				bo.searches()
				bo.reaches("queued", 15*time.Second)
				fox.press("mic-ok")
			}
			fox.reaches("live")
			bo.reaches("live", 30*time.Second)

			s := bo.hears(foxTone, 30*time.Second)
			if s.Pair != "relay/relay" {
				t.Errorf("Chromium's call runs over %s", s.Pair)
			}
			fox.hears(bo.hz)
			fox.press("verify")
			var sas string
			fox.eval(`seen.until(20000, () => document.querySelector('[data-testid="sas"]').innerText.trim() !== '')
				.then(() => document.querySelector('[data-testid="sas"]').innerText.trim())`, &sas)
			if b := bo.sas(); len(sas) < 10 || strings.Join(strings.Fields(sas), " ") != strings.Join(strings.Fields(b), " ") {
				t.Errorf("authentication strings %q and %q", sas, b)
			}
			fox.keptItsAddress()
			bo.keptItsAddress()
			fox.press("leave")
			fox.reaches("ended")
			bo.reaches("ended", 10*time.Second)
			fox.hadNoProblem()
		})
	}
}

// findFirefox returns the path of Firefox, in nightly runs only: it starts slowly and takes memory.
func findFirefox(t testing.TB) string {
	t.Helper()
	const install = "apt-get install --no-install-recommends firefox-esr"
	if os.Getenv("PARLEY_NIGHTLY") == "" {
		t.Skip("Firefox runs with PARLEY_NIGHTLY=1, which make nightly sets; it needs: " + install)
	}
	for _, name := range []string{"firefox-esr", "firefox"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("PARLEY_E2E") == "require" {
		t.Fatal("Firefox is not installed: " + install)
	}
	t.Skip("Firefox is not installed: " + install)
	return ""
}

const foxPatience = 60 * time.Second // on a busy machine it takes half of that to start

// firefox speaks WebDriver BiDi (w3.org/TR/webdriver-bidi) to the one tab of one Firefox: JSON over
// a websocket, each command answered under its id. Events are not asked for.
type firefox struct {
	t    testing.TB
	conn *websocket.Conn
	tab  string

	mu   sync.Mutex // guards the following fields and writes to conn
	last int
	wait map[int]chan bidiReply
}

type bidiReply struct {
	ID             int
	Type           string // "success" or "error"
	Error, Message string
	Result         json.RawMessage
}

// startFirefox starts Firefox with a fresh profile whose fake microphone hums at hz, until the test
// ends. More settings are lines of user.js.
func startFirefox(t testing.TB, path string, hz int, more ...string) *firefox {
	t.Helper()
	dir := t.TempDir()
	var prefs strings.Builder
	for name, value := range map[string]any{
		"media.navigator.streams.fake":         true,
		"media.navigator.permission.disabled":  true,
		"media.navigator.audio.fake_frequency": hz,
		"media.peerconnection.ice.loopback":    true,
		"media.cubeb.force_mock_context":       true, // WebAudio without a sound card
		"media.autoplay.default":               0,
		"remote.prefs.recommended":             true,
	} {
		fmt.Fprintf(&prefs, "user_pref(%q, %v);\n", name, value)
	}
	prefs.WriteString(strings.Join(more, "\n")) // the last one counts
	if err := os.WriteFile(filepath.Join(dir, "user.js"), []byte(prefs.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "--headless", "--no-remote", "--profile", dir, "--remote-debugging-port", "0")
	cmd.Env = append(os.Environ(), "HOME="+dir, "MOZ_CRASHREPORTER_DISABLE=1")
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address := make(chan string, 1)
	var reading sync.WaitGroup
	reading.Go(func() { // until Firefox ends
		listening := regexp.MustCompile(`WebDriver BiDi listening on (ws://\S+)`)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				address <- m[1]
			}
		}
	})
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // so that its child processes end too; it may have ended
		kill := time.AfterFunc(15*time.Second, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
		reading.Wait()
		_ = cmd.Wait() // interrupted: the error says just that
	})
	select {
	case at := <-address:
		return talkBidi(t, at)
	case <-time.After(foxPatience):
		t.Fatal("Firefox does not say where it listens")
		return nil
	}
}

// talkBidi takes the first tab and puts the witness into every page of it.
func talkBidi(t testing.TB, address string) *firefox {
	t.Helper()
	conn, _, err := websocket.DefaultDialer.Dial(address+"/session", nil)
	if err != nil {
		t.Fatal(err)
	}
	f := &firefox{t: t, conn: conn, wait: map[int]chan bidiReply{}}
	var reading sync.WaitGroup
	reading.Go(f.read)
	t.Cleanup(func() {
		conn.Close()
		reading.Wait()
	})
	f.do("session.new", map[string]any{"capabilities": map[string]any{}}, nil)
	var tree struct{ Contexts []struct{ Context string } }
	f.do("browsingContext.getTree", map[string]any{}, &tree)
	f.tab = tree.Contexts[0].Context
	script := strings.ReplaceAll(witness, "TONE_HZ", strconv.Itoa(0)) // 0: the microphone is Firefox's own
	f.do("script.addPreloadScript", map[string]any{"functionDeclaration": "() => {" + script + "}"}, nil)
	return f
}

func (f *firefox) read() {
	for {
		var r bidiReply
		if err := f.conn.ReadJSON(&r); err != nil {
			return
		}
		f.mu.Lock()
		answer := f.wait[r.ID] // nil for an event
		delete(f.wait, r.ID)
		f.mu.Unlock()
		if answer != nil {
			answer <- r
		}
	}
}

// do sends one command and stores its result in out, unless out is nil.
func (f *firefox) do(method string, params, out any) {
	f.t.Helper()
	answer := make(chan bidiReply, 1)
	f.mu.Lock()
	f.last++
	f.wait[f.last] = answer
	err := f.conn.WriteJSON(map[string]any{"id": f.last, "method": method, "params": params})
	f.mu.Unlock()
	if err != nil {
		f.t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(f.t.Context(), foxPatience)
	defer stop()
	select {
	case r := <-answer:
		if r.Type != "success" {
			f.t.Fatalf("%s: %s: %s", method, r.Error, r.Message)
		}
		if out == nil {
			return
		}
		if err := json.Unmarshal(r.Result, out); err != nil {
			f.t.Fatalf("%s: %v", method, err)
		}
	case <-ctx.Done():
		f.t.Fatalf("%s: no answer", method)
	}
}

// bidiValue is what a script returned.
type bidiValue struct {
	Type   string // "success" or "exception"
	Result struct {
		Value    any // a string from eval
		SharedID string
	}
	ExceptionDetails struct{ Text string }
}

func (f *firefox) script(expression string) bidiValue {
	f.t.Helper()
	var v bidiValue
	f.do("script.evaluate", map[string]any{
		"expression": expression, "target": map[string]any{"context": f.tab}, "awaitPromise": true,
	}, &v)
	if v.Type != "success" {
		f.t.Fatalf("%s: %s", expression, v.ExceptionDetails.Text)
	}
	return v
}

// eval awaits an expression, which must yield a value that JSON can carry, and stores it in out.
func (f *firefox) eval(expression string, out any) {
	f.t.Helper()
	v := f.script("(async () => JSON.stringify(await (" + expression + ")))()")
	text, _ := v.Result.Value.(string)
	if err := json.Unmarshal([]byte(text), out); err != nil {
		f.t.Fatalf("%s: %v", expression, err)
	}
}

func (f *firefox) open(url string) {
	f.t.Helper()
	f.do("browsingContext.navigate", map[string]any{"context": f.tab, "url": url, "wait": "complete"}, nil)
}

// press clicks controls with a real pointer, each as soon as it can be seen.
func (f *firefox) press(ids ...string) {
	f.t.Helper()
	for _, id := range ids {
		el := fmt.Sprintf("document.querySelector('[data-testid=%q]')", id)
		v := f.script(fmt.Sprintf(`seen.until(20000, () => %s?.checkVisibility()).then((ok) => {
			if (!ok) throw new Error('it cannot be seen');
			%s.scrollIntoView({ block: 'center', behavior: 'instant' });
			return %s;
		})`, el, el, el))
		middle := map[string]any{"type": "element", "element": map[string]any{"sharedId": v.Result.SharedID}}
		f.do("input.performActions", map[string]any{"context": f.tab, "actions": []any{map[string]any{
			"type": "pointer", "id": "mouse", "actions": []any{
				map[string]any{"type": "pointerMove", "x": 0, "y": 0, "origin": middle},
				map[string]any{"type": "pointerDown", "button": 0},
				map[string]any{"type": "pointerUp", "button": 0},
			},
		}}}, nil)
	}
}

// ready goes from home through the microphone test to the point before the search.
func (f *firefox) ready(interests ...string) {
	f.t.Helper()
	f.press("adult")
	for _, i := range interests {
		f.press("interest-" + i)
	}
	f.press("find", "mic-ask")
	var seen bool
	f.eval(`seen.until(20000, () => document.querySelector('[data-testid="mic-ok"]').checkVisibility())`, &seen)
	if !seen {
		f.t.Fatal("no microphone test\n" + f.diary())
	}
}

func (f *firefox) reaches(state string) {
	f.t.Helper()
	var got string
	f.eval(fmt.Sprintf("seen.state([%q], 30000)", state), &got)
	if first, _, _ := strings.Cut(got, " "); first != state {
		f.t.Fatalf("Firefox: screen is %q, want %s\n%s", got, state, f.diary())
	}
}

func (f *firefox) hears(hz int) {
	f.t.Helper()
	var s sound
	f.eval(fmt.Sprintf("seen.hears(%d, 30000)", hz), &s)
	if math.Abs(s.Hz-float64(hz)) > 12 || s.Energy <= 1e-5 || s.Received == 0 {
		f.t.Fatalf("Firefox: want to hear %d Hz, got %+v\n%s", hz, s, f.diary())
	}
	if s.Pair != "relay/relay" {
		f.t.Errorf("Firefox's call runs over %s", s.Pair)
	}
}

func (f *firefox) keptItsAddress() {
	f.t.Helper()
	var said []string
	f.eval(`seen.sealed`, &said)
	for _, leak := range leaks(said) {
		f.t.Errorf("Firefox: %s", leak)
	}
	var policy string
	f.eval(`seen.pcs.at(-1).getConfiguration().iceTransportPolicy`, &policy)
	if policy != "relay" {
		f.t.Errorf("Firefox: iceTransportPolicy is %q", policy)
	}
}

func (f *firefox) hadNoProblem() {
	f.t.Helper()
	var problems []string
	f.eval(`seen.problems`, &problems)
	for _, problem := range problems {
		f.t.Errorf("Firefox: %s", problem)
	}
}

// diary is what the page did, for the message of a failed test.
func (f *firefox) diary() string {
	f.t.Helper()
	var d string
	f.eval(`[document.documentElement.outerHTML.slice(0, 120), ...seen.problems, ...seen.frames.slice(-30).map((f) => f.slice(0, 300))].join('\n')`, &d)
	return d
}
