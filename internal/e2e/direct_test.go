package e2e_test

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestBrowserDirectByConsent: when one of two presses direct, nothing but relay candidates leaves
// either browser. When both did, others do, and the call goes over them; when one takes it back, it
// goes through the relay again. The authentication string stays throughout.
func TestBrowserDirectByConsent(t *testing.T) {
	browser := chromium(t)
	server := startParley(t)
	ana, bo := pair(t, browser, server.URL)
	ana.hears(bo.hz, 10*time.Second)
	bo.hears(ana.hz, 10*time.Second)
	before := ana.sas()
	ana.shuts()

	ana.press("path", "direct")
	if !js[bool](bo, `seen.until(5000, () => document.querySelector('[data-testid="hints"]').innerText.includes('direct line'))`) {
		t.Fatal("bo was not asked\n" + bo.diary())
	}
	// Alone it changes nothing, not even on the next search for a way.
	if s := ana.hears(bo.hz, 5*time.Second); s.Pair != "relay/relay" {
		t.Errorf("one side alone made the call run over %s", s.Pair)
	}
	for _, p := range []*person{ana, bo} {
		p.keptItsAddress()
		if n := js[int](p, `seen.pcs.length`); n != 1 {
			t.Errorf("%d Hz: %d connections were built before both agreed", p.hz, n)
		}
	}

	bo.press("path", "direct")
	for _, p := range []*person{ana, bo} {
		p.runsOver(t, "direct")
		if said := js[string](p, `seen.sealed.join('\n')`); !regexp.MustCompile(` typ (host|srflx) `).MatchString(said) {
			t.Errorf("%d Hz: a direct call without a candidate of its own: the test sees nothing", p.hz)
		}
	}
	s := ana.hears(bo.hz, 10*time.Second)
	if strings.Contains(s.Pair, "relay") {
		t.Errorf("a direct call runs over %s", s.Pair)
	}
	bo.hears(ana.hz, 10*time.Second)
	ana.proves(t, before, bo)

	// What was told cannot be taken back, but from now on nothing more is.
	js[bool](ana, `Boolean(seen.sealed.length = 0)`)
	js[bool](bo, `Boolean(seen.sealed.length = 0)`)
	ana.press("path", "direct")
	for _, p := range []*person{ana, bo} {
		p.runsOver(t, "relayed")
	}
	ana.hears(bo.hz, 10*time.Second)
	bo.hears(ana.hz, 10*time.Second)
	ana.keptItsAddress()
	bo.keptItsAddress()
	ana.proves(t, before, bo)
}

// runsOver waits until the page says which way the call goes.
func (p *person) runsOver(t *testing.T, way string) {
	t.Helper()
	if !js[bool](p, `seen.until(15000, () => document.querySelector('[data-testid="path"]')?.dataset.way === '`+way+`')`) {
		t.Fatalf("%d Hz: the call is not %s\n%s", p.hz, way, p.diary())
	}
}

// proves waits until the present connection of both has been proved, and fails unless the string
// stayed.
func (p *person) proves(t *testing.T, before string, other *person) {
	t.Helper()
	for _, one := range []*person{p, other} {
		const proved = `seen.until(10000, () => seen.proof.filter((m) => /"(nonce|reveal)"/.test(m)).length === seen.pcs.length)`
		if !js[bool](one, proved) {
			t.Errorf("%d Hz: not every connection was proved: %v", one.hz, js[[]string](one, `seen.proof`))
		}
		one.shuts()
		if got := one.sas(); got != before {
			t.Errorf("%d Hz: the string is %q, it was %q", one.hz, got, before)
		}
		one.shuts()
	}
}

// shuts closes the panel that is open, which may cover what is to be pressed next. By key: on a
// phone the panel grows upwards when its pictures come, and a click could meet another button.
func (p *person) shuts() {
	p.t.Helper()
	if js[bool](p, `Boolean(document.documentElement.dataset.panel)`) {
		p.keys(escape)
	}
	p.panelIs("")
}
