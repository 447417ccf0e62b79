package office

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Entry is what an operator does, before it has its place in the trail.
type Entry struct {
	When    time.Time      `json:"when"`
	Who     string         `json:"who"` // name of the operator's token
	Act     Act            `json:"act"`
	Old     jsontext.Value `json:"old,omitzero"` // what was, and
	New     jsontext.Value `json:"new,omitzero"` // what shall be; neither names a device
	Preview jsontext.Value `json:"preview,omitzero"`
	Reason  string         `json:"reason"`
	Cut     int            `json:"cut,omitzero"` // bytes of an unfinished line that made room for this one
}

// Act is one kind of what operators do.
type Act string

// The acts. Each stands in the trail before it takes effect.
const (
	ActBegin    Act = "begin"    // a trail was started; Old tells where the last one ended
	ActPolicy   Act = "policy"   // thresholds and weights were set
	ActPause    Act = "pause"    // matching was paused or resumed
	ActVoid     Act = "void"     // reports of one network were taken back
	ActReview   Act = "review"   // a record was expunged or kept
	ActToken    Act = "token"    // somebody was given a token for the console, or lost it
	ActRelayLog Act = "relaylog" // the relay log was read
	ActFailed   Act = "failed"   // the line before this one had no effect; New says why
)

// Line is one line of the trail.
type Line struct {
	Seq  int64  `json:"seq"`  // 1, 2, 3 ...
	Prev string `json:"prev"` // Hash of the line before, "" in the first
	Entry
	Hash string `json:"hash"` // SHA-256 of everything that stands before it in the line
}

// Anchor names the last line of a trail. Redis keeps one, so that a trail that lost its end is
// noticed. The zero value is that of an empty trail.
type Anchor struct {
	Seq  int64  `json:"seq"`
	Hash string `json:"hash"`
}

// Break is the first line at which a trail is not what was written.
type Break struct {
	Line int // counted from 1
	Says string
}

// Error fits error.
func (b *Break) Error() string { return fmt.Sprintf("line %d %s", b.Line, b.Says) }

// hashAt is where the hash of a line begins: it is the last member, and covers all before.
const hashAt = `,"hash":"`

// chain returns e as the line after last, and as bytes with a line feed.
func chain(last Anchor, e Entry) (Line, []byte, error) {
	e.When = e.When.UTC().Truncate(time.Second)
	l := Line{Seq: last.Seq + 1, Prev: last.Hash, Entry: e}
	text, err := json.Marshal(l, json.Deterministic(true))
	if err != nil {
		return Line{}, nil, fmt.Errorf("audit line: %w", err)
	}
	body := bytes.TrimSuffix(text, []byte(hashAt+`"}`))
	l.Hash = digest(body)
	text = append(slices.Clip(body), hashAt+l.Hash+"\"}\n"...)
	return l, text, nil
}

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// readLine checks one line, without its line feed, against the line before.
func readLine(last Anchor, text []byte) (l Line, says string) {
	at := bytes.LastIndex(text, []byte(hashAt))
	if at < 0 {
		return l, "is not a line of this trail"
	}
	if err := json.Unmarshal(text, &l, json.RejectUnknownMembers(true)); err != nil {
		return l, "cannot be read"
	}
	switch {
	case digest(text[:at]) != l.Hash || string(text[at:]) != hashAt+l.Hash+`"}`:
		return l, "was changed: its hash does not fit what it says"
	case l.Seq != last.Seq+1:
		return l, fmt.Sprintf("has number %d where %d must follow: lines are missing or in another order", l.Seq, last.Seq+1)
	case l.Prev != last.Hash:
		return l, "does not follow the line before it: that one was changed or exchanged"
	}
	return l, ""
}

// trailText is a trail as far as it can be read.
type trailText struct {
	lines []Line
	head  Anchor
	torn  int // bytes behind the last line feed
}

// readTrail reads a whole trail. The error is a [Break]; what stands before it is returned. A last
// line without its end is no break: whoever wrote it never acted on it.
func readTrail(text []byte) (trailText, error) {
	var t trailText
	for n := 1; len(text) > 0; n++ {
		line, rest, ended := bytes.Cut(text, []byte("\n"))
		if !ended {
			t.torn = len(line)
			return t, nil
		}
		l, says := readLine(t.head, line)
		if says != "" {
			return t, &Break{Line: n, Says: says}
		}
		t.lines, t.head, text = append(t.lines, l), Anchor{l.Seq, l.Hash}, rest
	}
	return t, nil
}

// holds checks that the trail still holds the line that Redis remembers. A trail may be longer: the
// program may have stopped between a line and what it announces.
func (t trailText) holds(a Anchor) error {
	switch {
	case a.Seq == 0:
		return nil
	case a.Seq > int64(len(t.lines)):
		return &Break{Line: len(t.lines) + 1, Says: fmt.Sprintf("is missing: the trail had at least %d lines", a.Seq)}
	case t.lines[a.Seq-1].Hash != a.Hash:
		return &Break{Line: int(a.Seq), Says: "is not the one that Redis remembers: the trail was written anew, or is another one"}
	}
	return nil
}

// MaxReason is how many characters a reason may have.
const MaxReason = 1000

// checkReason returns a reason as it is written down.
func checkReason(reason string) (string, error) {
	reason = strings.TrimSpace(reason)
	switch n := len([]rune(reason)); {
	case n < 3:
		return "", ErrReason
	case n > MaxReason:
		return "", fmt.Errorf("%w: it has %d characters, at most %d are kept", ErrReason, n, MaxReason)
	}
	return reason, nil
}
