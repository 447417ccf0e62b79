package e2e_test

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"
)

var certificate = regexp.MustCompile(`a=fingerprint:sha-256 (\S+)`)

// spliceProof is one authentication exchange of a middleman with one browser, written from the
// comment of web/app/channels.js.
type spliceProof struct {
	nonce  []byte
	theirs []byte // the browser's commitment, then its nonce
	said   []string
}

func newProof() *spliceProof {
	nonce := make([]byte, 32)
	_, _ = rand.Read(nonce) // never fails
	return &spliceProof{nonce: nonce}
}

// proofMessage is what goes over the channel.
type proofMessage struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

// prove takes the next step: text is what the browser said, "" when the channel opened.
func (e *spliceEnd) prove(text string) {
	e.mu.Lock()
	answer, err := e.proof.answer(text)
	if text == "" && e.offers { // else the browser begins
		answer, err = e.proof.commit(fingerprint(e.pc.LocalDescription())), nil
	}
	e.mu.Unlock()
	switch {
	case err != nil:
		e.trouble("splice: proof: %v", err)
	case answer.Kind != "":
		said, _ := json.Marshal(answer) // two strings
		e.write("sas", string(said))
	}
}

// commit is what the side that offers says first.
func (p *spliceProof) commit(mine string) proofMessage {
	sum := sha256.Sum256(slices.Concat([]byte("parley sas1 commit\x00"), []byte(mine), p.nonce))
	return proofMessage{"commit", hex.EncodeToString(sum[:])}
}

// answer takes in what the browser said and says what comes next, if anything.
func (p *spliceProof) answer(text string) (proofMessage, error) {
	if text == "" {
		return proofMessage{}, nil
	}
	var m proofMessage
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return m, err
	}
	var err error
	p.said = append(p.said, m.Kind)
	if p.theirs, err = hex.DecodeString(m.Value); err != nil {
		return m, err
	}
	switch m.Kind {
	case "commit":
		return proofMessage{"nonce", hex.EncodeToString(p.nonce)}, nil
	case "nonce":
		return proofMessage{"reveal", hex.EncodeToString(p.nonce)}, nil
	case "reveal":
		return proofMessage{}, nil
	}
	return proofMessage{}, errors.New("the browser said " + m.Kind)
}

// fingerprint is that of the certificate in a description.
func fingerprint(d *webrtc.SessionDescription) string {
	return strings.ToLower(strings.ReplaceAll(certificate.FindStringSubmatch(d.SDP)[1], ":", ""))
}

// digits is the string that the browser of this end shows, if it took part in the exchange.
func (e *spliceEnd) digits() (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	mine, theirs := fingerprint(e.pc.LocalDescription()), fingerprint(e.pc.RemoteDescription())
	nonces, prints := slices.Concat(e.proof.theirs, e.proof.nonce), theirs+"\x00"+mine
	if e.offers {
		nonces, prints = slices.Concat(e.proof.nonce, e.proof.theirs), mine+"\x00"+theirs
	}
	key, err := hkdf.Key(sha256.New, nonces, make([]byte, 32), "parley sas1\x00"+prints, 4)
	if err != nil {
		return "", err
	}
	word := (uint32(key[0])<<24 | uint32(key[1])<<16 | uint32(key[2])<<8 | uint32(key[3])) >> 2
	return fmt.Sprintf("%05d %05d", word>>15, word&0x7fff), nil
}

// TestBrowserMiddlemanOwnExchange: a server that also runs the authentication exchange with each side
// cannot be found by the pages, which go live. But the strings that the two people compare differ.
func TestBrowserMiddlemanOwnExchange(t *testing.T) {
	browser := chromium(t)
	m := comeBetween(t, true)
	ana, bo := pair(t, browser, m.origin+"/")
	// Both hear the other, so that without the strings nobody would notice anything.
	ana.hears(bo.hz, 15*time.Second)
	bo.hears(ana.hz, 15*time.Second)
	a, b := ana.sas(), bo.sas()
	if a == b || len(a) < 10 || len(b) < 10 {
		t.Errorf("with a middleman the strings are %q and %q, want two that differ", a, b)
	}
	for _, p := range []*person{ana, bo} {
		p.reaches("live", time.Second)
		if got := js[string](p, `document.documentElement.dataset.reason ?? ''`); got != "" {
			t.Errorf("%d Hz: reason %q", p.hz, got)
		}
	}

	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.ends) != 2 {
		t.Fatalf("%d browsers came through the middleman: the test shows nothing", len(m.ends))
	}
	digits := map[*person]string{}
	for _, p := range []*person{ana, bo} {
		digits[p] = js[string](p, `/\d{5} \d{5}/.exec(document.querySelector('[data-testid="sas-digits"]').innerText)?.[0] ?? ''`)
	}
	for _, e := range m.ends {
		// Each string is that of an exchange with the middleman: they do not differ by mere accident.
		want, err := e.digits()
		if err != nil || want != digits[ana] && want != digits[bo] {
			t.Errorf("the exchange %q makes %q (%v), shown are %q and %q", e.proof.said, want, err, digits[ana], digits[bo])
		}
		e.pc.Close()
	}
	if digits[ana] == digits[bo] {
		t.Errorf("both read %q", digits[ana])
	}
}
