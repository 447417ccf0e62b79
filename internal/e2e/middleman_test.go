package e2e_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"parley/internal/vtest"
)

// connectedFrame is what a middleman reads of connected.
type connectedFrame struct {
	Room, Me, Peer, Role string
	Ice                  struct {
		Servers []struct {
			URLs                 []string
			Username, Credential string
		}
	}
}

// middleman stands where a dishonest server would: every frame goes through it, and envelopes end
// in it.
type middleman struct {
	t      testing.TB
	server string // host:port of the honest parley behind it
	origin string
	proves bool // each end runs an authentication exchange of its own

	mu   sync.Mutex // guards ends
	ends []*spliceEnd
}

// TestBrowserMiddleman: a server that poses as the peer of both and copies voice and text verbatim
// is found by the commitment, and the screen says so to both.
func TestBrowserMiddleman(t *testing.T) {
	browser := chromium(t)
	m := comeBetween(t, false)
	ana, bo := newPerson(t, browser, m.origin+"/", 700), newPerson(t, browser, m.origin+"/", 1000)
	ana.ready("music")
	bo.ready("music")
	ana.searches()
	ana.reaches("queued", 5*time.Second)
	bo.searches()
	const red = `seen.until(20000, () => document.documentElement.dataset.reason === 'mismatch')`
	for _, p := range []*person{ana, bo} {
		if !js[bool](p, red) {
			t.Errorf("%d Hz: the middleman was not noticed\n%s", p.hz, p.diary())
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.ends) != 2 {
		t.Fatal("the middleman never came between: the test shows nothing")
	}
	for _, e := range m.ends {
		if !e.carries("sas") {
			t.Error("the middleman's connection never opened: the test shows nothing")
		}
		e.pc.Close()
	}
}

// comeBetween starts a parley and a middleman in front of it; proves is that of middleman.
func comeBetween(t testing.TB, proves bool) *middleman {
	t.Helper()
	front := vtest.FreeAddr(t)
	origin := "http://" + localhost(front)
	server := startParley(t, "--public-url", origin)
	m := &middleman{t: t, server: server.host, origin: origin, proves: proves}
	serveInFront(t, front, server.host, m.socket)
	return m
}

// serveInFront answers at addr: with the pages of the server behind it, and with socket where they
// connect to.
func serveInFront(t testing.TB, addr, server string, socket http.HandlerFunc) {
	t.Helper()
	behind := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: server})
	mux := http.NewServeMux()
	mux.Handle("/", behind)
	mux.HandleFunc("/ws", socket)
	s := &http.Server{Addr: addr, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := s.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("in front of %s: %v", server, err)
		}
	}()
	t.Cleanup(func() { s.Close() })
	waitForHTTP(t, "http://"+localhost(addr))
}

// waitForHTTP returns once something answers at origin.
func waitForHTTP(t testing.TB, origin string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 250 {
		r, err := http.Get(origin)
		if err == nil {
			r.Body.Close()
			return
		}
		<-tick.C
	}
	t.Fatal("nothing answers at " + origin)
}

// wire is one browser's socket through the middleman, with numbers of its own towards the browser.
type wire struct {
	m       *middleman
	browser *websocket.Conn
	server  *websocket.Conn

	mu   sync.Mutex // guards the following fields and writes to browser
	n    uint64     // last number given to the browser
	real uint64     // last number of the server
	end  *spliceEnd
	peer string
}

// bothEnds accepts a browser's socket and opens one to the server behind; both are nil when one of
// them is gone.
func bothEnds(t testing.TB, w http.ResponseWriter, r *http.Request, server, origin string) (browser, behind *websocket.Conn) {
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }, Subprotocols: []string{"parley.v1"}}
	browser, err := up.Upgrade(w, r, nil)
	if err != nil {
		return nil, nil
	}
	dialer := websocket.Dialer{Subprotocols: []string{"parley.v1"}}
	behind, _, err = dialer.Dial("ws://"+server+"/ws", http.Header{"Origin": {origin}})
	if err != nil {
		t.Errorf("in front of %s: %v", server, err)
		browser.Close()
		return nil, nil
	}
	return browser, behind
}

func (m *middleman) socket(w http.ResponseWriter, r *http.Request) {
	browser, server := bothEnds(m.t, w, r, m.server, m.origin)
	if browser == nil {
		return
	}
	defer browser.Close()
	defer server.Close()
	c := &wire{m: m, browser: browser, server: server}
	var both sync.WaitGroup
	both.Go(func() { defer browser.Close(); c.down() })
	c.up()
	server.Close()
	both.Wait()
}

// down carries frames of the server to the browser, and steps in when a call is connected.
func (c *wire) down() {
	for {
		_, text, err := c.server.ReadMessage()
		if err != nil {
			return
		}
		var f map[string]any
		if err := decodeNumbers(text, &f); err != nil {
			c.m.t.Errorf("middleman: %v", err)
			return
		}
		if f["t"] == "relay" {
			c.m.t.Error("an envelope reached the server behind the middleman")
		}
		if f["t"] == "connected" {
			c.stepIn(text)
		}
		c.give(f)
	}
}

func (c *wire) stepIn(text []byte) {
	var f connectedFrame
	if err := json.Unmarshal(text, &f); err != nil {
		c.m.t.Errorf("middleman: %v", err)
		return
	}
	say := func(seq uint64, box string) {
		c.give(map[string]any{"t": "relay", "n": json.Number("0"), "c": json.Number("0"), "from": f.Peer, "seq": seq, "box": box})
	}
	end, err := newSpliceEnd(f, say, c.m.t.Logf)
	if err != nil {
		c.m.t.Errorf("middleman: %v", err)
		return
	}
	if c.m.proves {
		end.proof = newProof()
	}
	c.mu.Lock()
	c.end, c.peer = end, f.Peer
	c.mu.Unlock()
	c.m.mu.Lock()
	defer c.m.mu.Unlock()
	c.m.ends = append(c.m.ends, end)
	if len(c.m.ends) == 2 {
		joinEnds(c.m.ends[0], c.m.ends[1])
	}
}

// give writes a frame to the browser under our own number.
func (c *wire) give(f map[string]any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, numbered := f["n"]; numbered {
		if n, ok := f["n"].(json.Number); ok && n != "0" {
			c.real, _ = parseUint(n)
		}
		c.n++
		f["n"] = c.n
	}
	if err := c.browser.WriteJSON(f); err != nil && !strings.Contains(err.Error(), "closed") {
		c.m.t.Logf("middleman: %v", err)
	}
}

// up carries frames of the browser to the server, except envelopes.
func (c *wire) up() {
	for {
		_, text, err := c.browser.ReadMessage()
		if err != nil {
			return
		}
		var f map[string]any
		if err := decodeNumbers(text, &f); err != nil {
			c.m.t.Errorf("middleman: %v", err)
			return
		}
		if f["t"] == "relay" {
			c.open(f)
			continue
		}
		c.mu.Lock()
		if _, acks := f["a"]; acks {
			f["a"] = c.real
		}
		c.mu.Unlock()
		if err := c.server.WriteJSON(f); err != nil {
			return
		}
	}
}

func (c *wire) open(f map[string]any) {
	c.mu.Lock()
	end := c.end
	c.mu.Unlock()
	seq, _ := parseUint(f["seq"].(json.Number))
	if err := end.relay(seq, f["box"].(string)); err != nil {
		c.m.t.Errorf("middleman: %v", err)
	}
}

func decodeNumbers(text []byte, into any) error {
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	return d.Decode(into)
}

func parseUint(n json.Number) (uint64, error) {
	i, err := n.Int64()
	return uint64(i), err
}
