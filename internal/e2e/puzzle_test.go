package e2e_test

import (
	"crypto/sha256"
	"math/bits"
	"strconv"
	"strings"
	"testing"
)

// solving has the page's own solver work on a puzzle and counts the pictures that were drawn
// meanwhile.
const solving = `(async () => {
	const { Solver } = await import(new URL('solver.js', document.querySelector('script[type="module"]').src).href);
	const began = performance.now();
	let drawn = 0, on = true;
	const draw = () => { drawn += 1; if (on) requestAnimationFrame(draw); };
	requestAnimationFrame(draw);
	const out = { paces: [], took: 0, drawn: 0, proof: '' };
	await new Promise((done) => {
		const solver = new Solver((e) => {
			if (e.type === 'puzzle-pace') return out.paces.push(e.ms);
			out.proof = e.proof ?? e.type;
			done();
		});
		solver.solve({ challenge: 'the-challenge', bits: 19, within: 60000 });
	});
	on = false;
	return { ...out, took: performance.now() - began, drawn };
})()`

// TestBrowserPuzzle: a puzzle is solved under the page's own policy, beside the page, which goes on
// drawing.
func TestBrowserPuzzle(t *testing.T) {
	browser := chromium(t)
	p := newPerson(t, browser, startParley(t).URL, 700)
	type solution struct {
		Paces []float64 `json:"paces"`
		Took  float64   `json:"took"`
		Drawn int       `json:"drawn"`
		Proof string    `json:"proof"`
	}
	got := js[solution](p, solving)
	t.Logf("%.0f ms for %s, said %.0f ms, %d pictures", got.Took, got.Proof, got.Paces, got.Drawn)
	sum := sha256.Sum256([]byte(got.Proof))
	zeros := bits.LeadingZeros64(uint64(sum[0])<<56 | uint64(sum[1])<<48 | uint64(sum[2])<<40)
	if !strings.HasPrefix(got.Proof, "the-challenge.") || zeros < 19 {
		t.Errorf("%q is no proof: %d zero bits", got.Proof, zeros)
	}
	// How long it takes is a guess that may be wrong by luck and by load, but not by twenty.
	if usual := got.Took * (1 << 19) / float64(tries(t, got.Proof)); len(got.Paces) > 0 && (got.Paces[0] > 20*usual || got.Paces[0] < usual/20) {
		t.Errorf("said %.0f ms, and such a puzzle takes %.0f", got.Paces, usual)
	}
	if want := int(got.Took) / 200; got.Drawn < want {
		t.Errorf("%d pictures in %.0f ms, want %d: the page stood still", got.Drawn, got.Took, want)
	}
	// Nothing else may become code: not even the same file by a policy of another name.
	for _, forbidden := range []string{
		`trustedTypes.createPolicy('other', { createScriptURL: (x) => x })`,
		`trustedTypes.createPolicy('parley-solver', { createScriptURL: (x) => x })`,
		`new Worker(new URL('solver-worker.js', document.querySelector('script[type="module"]').src))`,
		`document.body.innerHTML = '<p>x'`,
	} {
		if js[bool](p, `(() => { try { `+forbidden+`; return true; } catch { return false; } })()`) {
			t.Errorf("the policy lets this through: %s", forbidden)
		}
	}
	js[bool](p, `(seen.problems.length = 0) === 0`) // the page's policy was tried on purpose
}

// tries is how many nonces came before the good one, which counts in base 36.
func tries(t *testing.T, proof string) int64 {
	t.Helper()
	_, nonce, _ := strings.Cut(proof, ".")
	n, err := strconv.ParseInt(nonce, 36, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n + 1
}
