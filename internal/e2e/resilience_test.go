package e2e_test

import (
	"testing"
	"time"

	"parley/internal/vtest"
)

// TestBrowserSocketDropped: the signaling socket is gone for five seconds; the call goes on
// meanwhile and the session resumes.
func TestBrowserSocketDropped(t *testing.T) {
	browser := chromium(t)
	front := vtest.FreeAddr(t)
	public := "http://" + front
	server := startParley(t, "--public-url", public)
	g := newGate(t, front, server.host)
	ana, bo := pair(t, browser, public+"/")
	ana.hears(bo.hz, 10*time.Second)
	token := welcomeToken(ana)

	g.Shut()
	if !js[bool](ana, `seen.until(5000, () => seen.sockets.at(-1).readyState === 3)`) {
		t.Fatal("the socket was not cut")
	}
	before := ana.hears(bo.hz, 5*time.Second)
	quiet := js[sound](ana, `new Promise((done) => setTimeout(done, 5000)).then(() => seen.stats())`)
	if quiet.Received-before.Received < 100 {
		t.Errorf("only %v packets arrived in the 5 s without a socket", quiet.Received-before.Received)
	}
	g.Open()
	if !js[bool](ana, `seen.until(15000, () => seen.frames.some((f) => f.startsWith('< ') && f.includes('"resumed":true')))`) {
		t.Fatal("the session did not resume\n" + ana.diary())
	}
	if again := welcomeToken(ana); again != token {
		t.Error("the session that came back is another one")
	}
	ana.reaches("live", time.Second)
	bo.reaches("live", 15*time.Second)
	ana.hears(bo.hz, 5*time.Second)
	bo.hears(ana.hz, 5*time.Second)

	// The resumed session still works: leaving reaches the peer at once.
	ana.press("leave")
	bo.reaches("ended", 3*time.Second)
}

func welcomeToken(p *person) string {
	p.t.Helper()
	return js[string](p, `JSON.parse(seen.frames.findLast((f) => f.includes('"welcome"')).slice(2)).token`)
}

// TestBrowserServerKilled: kill -9 and a new start. The running call goes on talking through the
// new process, a waiting browser comes back to the queue by itself with its place, and nobody is
// matched with a ghost.
func TestBrowserServerKilled(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	ana, bo := pair(t, browser, server.URL)
	ana.hears(bo.hz, 10*time.Second)
	before := ana.sas()
	waiting := newPerson(t, browser, server.URL, 1300)
	waiting.ready("film")
	waiting.searches()
	waiting.reaches("queued", 5*time.Second)
	ghost := newPerson(t, browser, server.URL, 1600)
	ghost.ready("art")
	ghost.searches()
	ghost.reaches("queued", 5*time.Second)

	server.Kill()
	js[bool](ghost, `(location.href = 'about:blank', true)`) // never comes back
	server.again(t)

	waiting.reaches("queued", 15*time.Second)
	if !js[bool](waiting, `seen.until(20000, () => seen.frames.filter((f) => f.includes('"queued"')).length >= 2)`) {
		t.Fatal("the waiting browser did not go back to the queue\n" + waiting.diary())
	}
	for _, p := range []struct {
		who   *person
		hears int
	}{{ana, bo.hz}, {bo, ana.hz}} {
		p.who.reaches("live", 30*time.Second)
		p.who.hears(p.hears, 30*time.Second)
		p.who.keptItsAddress()
	}
	if a, b := ana.sas(), bo.sas(); a != b || a != before {
		t.Errorf("authentication strings %q and %q, it was %q", a, b, before)
	}

	// Somebody with the ghost's interest meets the one who waits, never the ghost.
	cy := newPerson(t, browser, server.URL, 1900)
	cy.ready("art", "film")
	cy.searches()
	cy.reaches("live", 15*time.Second)
	waiting.reaches("live", 15*time.Second)
	cy.hears(waiting.hz, 10*time.Second)

	// And the call that outlived the server can still be left and reported.
	ana.press("leave")
	bo.reaches("ended", 5*time.Second)
}

// TestBrowserNotTakenBack: the server that comes back has lost its keys with its state, so that it
// cannot know whose call this was, and the relay has lost the call. Nothing can mend it, and both
// are told so at once, not after the watch over the call has tried for twenty seconds.
func TestBrowserNotTakenBack(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	ana, bo := pair(t, browser, server.URL)
	ana.hears(bo.hz, 10*time.Second)
	bo.hears(ana.hz, 10*time.Second)
	server.Kill()
	server.forgets(t)
	server.again(t)
	for _, p := range []*person{ana, bo} {
		if !js[bool](p, `seen.until(30000, () => seen.frames.some((f) => f.startsWith('< ') && f.includes('"error"')))`) {
			t.Fatalf("%d Hz: the server took the call back: the test shows nothing\n%s", p.hz, p.diary())
		}
		if got := p.reaches("ended", 8*time.Second); got != "ended lost" {
			t.Errorf("%d Hz: the page says %q, want that the connection was lost", p.hz, got)
		}
	}
}
