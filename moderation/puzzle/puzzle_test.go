package puzzle_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/moderation/puzzle"
)

var noon = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

// solve tries one nonce after the other, and reads the zeros as a string of digits: another way than
// the program's.
func solve(challenge string, zeros int) string {
	for i := 0; ; i++ {
		proof := challenge + "." + strconv.Itoa(i)
		digits := ""
		for _, b := range sha256.Sum256([]byte(proof)) {
			digits += fmt.Sprintf("%08b", b)
			if b != 0 {
				break
			}
		}
		if strings.Index(digits, "1") >= zeros {
			return proof
		}
	}
}

func press() puzzle.Press { return puzzle.NewPress(bytes.Repeat([]byte{1}, 32)) }

func TestSolved(t *testing.T) {
	p := press()
	proof := solve(p.Make("session", 3, 8, noon), 8)
	for _, c := range []struct {
		name    string
		press   puzzle.Press
		session string
		proof   string
		at      time.Duration
		want    uint32
	}{
		{"good", p, "session", proof, 0, 3},
		{"good, at the end", p, "session", proof, puzzle.Within - time.Millisecond, 3},
		{"good, with a clock a minute behind", p, "session", proof, -time.Minute, 3},
		{"expired", p, "session", proof, puzzle.Within, 0},
		{"of a foreign session", p, "session2", proof, 0, 0},
		{"of another key", puzzle.NewPress(bytes.Repeat([]byte{2}, 32)), "session", proof, 0, 0},
		{"empty", p, "session", "", 0, 0},
		{"the challenge alone", p, "session", proof[:strings.Index(proof, ".")], 0, 0},
		{"without a nonce", p, "session", proof[:strings.Index(proof, ".")+1], 0, 0},
		{"a long nonce", p, "session", proof + strings.Repeat("A", 33), 0, 0},
		{"cut", p, "session", proof[4:], 0, 0},
		{"longer", p, "session", "AAAA" + proof, 0, 0},
	} {
		if got := c.press.Solved(c.session, c.proof, noon.Add(c.at)); got != c.want {
			t.Errorf("%s: challenge %d, want %d", c.name, got, c.want)
		}
	}
}

// TestForgedIsRefused: whoever changes any bit of a challenge, and works for what came of it, has no
// proof.
func TestForgedIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, zeros := press(), rapid.IntRange(0, 6).Draw(t, "zeros")
		session, number := rapid.StringN(0, 30, -1).Draw(t, "session"), rapid.Uint32Min(1).Draw(t, "number")
		challenge := p.Make(session, number, zeros, noon)
		if p.Solved(session, solve(challenge, zeros), noon) != number {
			t.Fatal("the honest proof is refused")
		}
		raw, err := base64.RawURLEncoding.DecodeString(challenge)
		if err != nil {
			t.Fatal(err)
		}
		raw[rapid.IntRange(0, len(raw)-1).Draw(t, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		forged := base64.RawURLEncoding.EncodeToString(raw)
		if p.Solved(session, solve(forged, 8), noon) != 0 {
			t.Fatalf("a changed challenge is accepted: %x", raw)
		}
	})
}

// TestWorkIsNeeded: a proof has as many zeros as its challenge asks for.
func TestWorkIsNeeded(t *testing.T) {
	p, solved := press(), 0
	challenge := p.Make("session", 1, 6, noon)
	const tries = 1 << 12
	for i := range tries {
		if p.Solved("session", challenge+"."+strconv.Itoa(i), noon) == 1 {
			solved++
		}
	}
	if want := tries >> 6; solved < want/3 || solved > want*3 {
		t.Errorf("%d of %d nonces solve 6 bits, want about %d", solved, tries, want)
	}
}

// TestChallengesDiffer: what was solved ahead of time is worth nothing.
func TestChallengesDiffer(t *testing.T) {
	p, seen := press(), map[string]bool{}
	for range 100 {
		seen[p.Make("session", 1, 16, noon)] = true
	}
	if len(seen) != 100 {
		t.Errorf("%d different challenges of 100", len(seen))
	}
}

// TestSplicedFields: the same bytes, divided otherwise, have another code.
func TestSplicedFields(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(1, 40, -1).Draw(t, "text")
		i, j := rapid.IntRange(0, len(text)).Draw(t, "i"), rapid.IntRange(0, len(text)).Draw(t, "j")
		key := []byte("key")
		same := bytes.Equal(puzzle.Mac(key, text[:i], text[i:]), puzzle.Mac(key, text[:j], text[j:]))
		if same != (i == j) {
			t.Fatalf("%q divided at %d and at %d", text, i, j)
		}
		if bytes.Equal(puzzle.Mac(key, text), puzzle.Mac(key, text, "")) {
			t.Fatal("an empty field does not show")
		}
	})
}

func TestRule(t *testing.T) {
	for _, c := range []struct {
		fresh bool
		rate  float64
		want  int
	}{
		{false, 0, 0},
		{false, 499, 0},
		{false, 500, 16},
		{false, 999, 16},
		{false, 1000, 17},
		{false, 4000, 19},
		{false, 8000, 20},
		{false, 1e9, 20},
		{true, 0, 16},
		{true, 499, 16},
		{true, 500, 16},
		{true, 1000, 17},
		{true, 1e9, 20},
	} {
		if got := puzzle.Usual().Bits(c.fresh, c.rate); got != c.want {
			t.Errorf("fresh %v, %v searches a second: %d bits, want %d", c.fresh, c.rate, got, c.want)
		}
	}
}

func TestMeter(t *testing.T) {
	var m puzzle.Meter
	for i := range 10 {
		if got := m.Count(noon); got != float64(i+1) {
			t.Errorf("search %d of the first second: %v", i+1, got)
		}
	}
	if got := m.Count(noon.Add(time.Second)); got != 10 {
		t.Errorf("in the next second: %v, want the 10 of the last", got)
	}
	if got := m.Count(noon.Add(3 * time.Second)); got != 1 {
		t.Errorf("after a pause: %v, want 1", got)
	}
	if got := m.Count(noon); got != 1 {
		t.Errorf("after the clock went back: %v, want 1", got)
	}
}
