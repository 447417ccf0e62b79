package simulate

import (
	"crypto/sha256"
	"encoding/base64"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"parley/internal/envelope"
)

// What a page says to build a connection, as long as it is there: one description from each side,
// trickled candidates, and a word now and then. It makes some forty envelopes in a call of a minute.
const (
	descriptionSize = 1500
	candidateSize   = 110
	wordSize        = 60
	candidates      = 8
	candidateEvery  = 150 * time.Millisecond
	wordEvery       = 6 * time.Second
)

// talk is one call as one side sees it.
type talk struct {
	room, me, peer, role string
	match                string
	handle, pass         string
	began                time.Duration
	seal                 *envelope.Seal
	early                []early
	lines                []line // to be said at their time, in order
	said                 uint64 // texts of ours
	heard                uint64 // texts of the peer: the number of the last in order
	any                  bool   // an envelope of the peer came
	described            bool
	sound                sound
	missing              map[uint64]time.Duration // texts of the peer that did not come: since when; 0 when it is known why
	newest               time.Duration            // when its newest text was due
	refused              []uint64                 // texts of ours that the peer could not take, at least not at once
	back                 bool                     // on the way back into the call: nothing is said
	reset                bool                     // a side was forgotten by the server: what was under way may be lost
	leaveAt              time.Duration
}

// line is something that is due to be said.
type line struct {
	at   time.Duration
	what string
	size int    // of a body that is made up
	body string // one that is not
	g    int    // of which connection it speaks
}

// text is what stands in an envelope.
type text struct {
	Sim  string   `json:"sim"`           // of which run
	K    uint64   `json:"k"`             // 1, 2, 3, ... of this side
	At   int64    `json:"at"`            // when it was due, nanoseconds since the run began
	Away bool     `json:"away"`          // the sender had no connection then
	Gone []uint64 `json:"gone,omitzero"` // which ones the server refused to the sender
	What string   `json:"what"`
	G    int      `json:"g,omitzero"` // the connection that it speaks of
	Body string   `json:"body"`
	Sum  string   `json:"sum"`
}

func (c *talk) deadline() time.Duration {
	at := soonest(c.leaveAt, c.sound.dueAt)
	if len(c.lines) > 0 && !c.back && c.seal.Ready() {
		at = soonest(at, c.lines[0].at)
	}
	return at
}

// later plans a line behind those that are planned.
func (c *talk) later(at time.Duration, what string, size int) {
	if n := len(c.lines); n > 0 {
		at = max(at, c.lines[n-1].at)
	}
	c.lines = append(c.lines, line{at: at, what: what, size: size})
}

// describe plans a description and the candidates behind it.
func (c *talk) describe(now time.Duration, rnd *rand.Rand, what string) {
	c.described = true
	c.later(now, what, descriptionSize)
	at := now
	for range candidates {
		at += around(rnd, candidateEvery)
		c.later(at, "candidate", candidateSize)
	}
	c.later(at+around(rnd, wordEvery), "word", wordSize)
}

// due returns the lines whose time has come.
func (c *talk) due(now time.Duration) []line {
	n := 0
	for n < len(c.lines) && c.lines[n].at <= now {
		n++
	}
	said := c.lines[:n]
	c.lines = c.lines[n:]
	return said
}

// write makes the text of a line, with a body that the other side can check.
func (c *talk) write(run string, l line, away bool) (string, error) {
	c.said++
	t := text{Sim: run, K: c.said, At: int64(l.at), Away: away, Gone: c.refused, What: l.what, G: l.g, Body: l.body}
	if l.size > 0 {
		seed := c.sum(c.me, t.K, "")
		t.Body = strings.Repeat(seed, l.size/len(seed)+1)[:l.size]
	}
	t.Sum = c.sum(c.me, t.K, t.Body)
	b, err := json.Marshal(t)
	return string(b), err
}

// sum binds a body to its call, sender and number.
func (c *talk) sum(from string, k uint64, body string) string {
	h := sha256.Sum256([]byte(c.room + "|" + from + "|" + strconv.FormatUint(k, 10) + "|" + body))
	return base64.RawURLEncoding.EncodeToString(h[:18])
}

// verdict is what the receiver found about a text.
type verdict string

// The verdicts. All but fine and foreign are counted under their own names.
const (
	fine     verdict = "fine"
	foreign  verdict = "envelopes of others" // a real page, or another run
	altered  verdict = "envelopes altered"
	doubled  verdict = "envelopes doubled"
	late     verdict = "envelopes out of order"
	skipping verdict = "envelopes with a gap in front"
)

// hear checks a text of the peer: content, order, no loss, no doubling.
func (c *talk) hear(run, plain string) (text, verdict) {
	var t text
	if err := json.Unmarshal([]byte(plain), &t, json.RejectUnknownMembers(true)); err != nil || t.Sim != run {
		return t, foreign
	}
	if t.Sum != c.sum(c.peer, t.K, t.Body) {
		return t, altered
	}
	c.newest = max(c.newest, time.Duration(t.At))
	v := c.order(t.K)
	for _, k := range t.Gone {
		if c.missing[k] > 0 {
			c.missing[k] = 0
		}
	}
	return t, v
}

// excuseWithin is how long a sender may take to learn that the server refused an envelope.
const excuseWithin = 3 * time.Second

// lost counts what did not come, although the sender had the time to say why and said more.
func (c *talk) lost() int {
	n := 0
	for _, since := range c.missing {
		if since > 0 && c.newest-since >= excuseWithin {
			n++
		}
	}
	return n
}

// order finds a text in the order of those before.
func (c *talk) order(k uint64) verdict {
	_, missed := c.missing[k]
	switch {
	case missed:
		delete(c.missing, k)
		return late
	case k <= c.heard:
		return doubled
	case k == c.heard+1:
		c.heard, c.reset = k, false
		return fine
	}
	if c.missing == nil {
		c.missing = map[uint64]time.Duration{}
	}
	for lost := c.heard + 1; lost < k; lost++ {
		c.missing[lost] = c.newest
		if c.reset { // it was said to be possible
			c.missing[lost] = 0
		}
	}
	announced := c.reset
	c.heard, c.reset = k, false
	if announced {
		return fine
	}
	return skipping
}
