package e2e_test

import (
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	sealedText  = regexp.MustCompile(`^[\w-]{16,}$`) // ids, tags, tokens and envelopes
	anyAddress  = regexp.MustCompile(`\b\d{1,3}(\.\d{1,3}){3}\b|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}\.local|\[?[0-9a-fA-F]{1,4}(:[0-9a-fA-F]{0,4}){3,7}\]?`)
	ofCandidate = regexp.MustCompile(`^(?:a=)?candidate:\S+ \d+ \S+ \d+ (\S+) `)
)

// betrayals is what frames tell that no server may know of a room: words of its people,
// descriptions, candidates, addresses, and the number of a channel. Envelopes are looked into as
// far as anybody can without the key.
func betrayals(frames, words []string, number string) []string {
	var all []string
	for _, frame := range frames {
		_, body, _ := strings.Cut(frame, " ")
		var value any
		if err := json.Unmarshal([]byte(body), &value); err != nil {
			all = append(all, "not JSON: "+frame)
			continue
		}
		for _, leaf := range leaves("", value) {
			if frame[0] == '<' && strings.HasPrefix(leaf.path, ".ice.") {
				continue // the relay's own address, told by the server
			}
			if leaf.fixed() {
				continue
			}
			if said := leaf.tells(words, number); said != "" {
				all = append(all, fmt.Sprintf("%s in %s of %.120s", said, leaf.path, frame))
			}
		}
	}
	return all
}

// leaf is one text or number of a frame, or the name of one.
type leaf struct {
	path, text string
	name       bool
}

//go:embed testdata/vocabulary.txt
var vocabulary string

// fixed tells whether a leaf is a word of the protocol in a place that takes no other: the words of a
// phrase are English, and "relay" is one of them.
func (l leaf) fixed() bool {
	closed := l.name || l.path == ".t" || l.path == ".kind" || l.path == ".state"
	return closed && slices.Contains(strings.Fields(vocabulary), l.text)
}

func leaves(path string, value any) []leaf {
	var all []leaf
	switch v := value.(type) {
	case map[string]any:
		for key, inner := range v {
			all = append(all, leaf{path, key, true})
			all = append(all, leaves(path+"."+key, inner)...)
		}
	case []any:
		for _, inner := range v {
			all = append(all, leaves(path+"[]", inner)...)
		}
	default:
		all = append(all, leaf{path, fmt.Sprint(v), false})
	}
	return all
}

// tells says which secret a leaf holds, "" for none.
func (l leaf) tells(words []string, number string) string {
	texts := []string{l.text}
	if sealedText.MatchString(l.text) {
		texts = nil // as written, by accident it may look like anything
		if opened, err := base64.RawURLEncoding.DecodeString(l.text); err == nil {
			texts = []string{string(opened)}
		}
	} else if number != "" && regexp.MustCompile(`(^|\D)`+number+`(\D|$)`).MatchString(l.text) {
		return "the number of the channel"
	}
	for _, text := range texts {
		for _, word := range words {
			if len(word) > 3 && strings.Contains(text, word) {
				return fmt.Sprintf("%q", word)
			}
		}
		if m := secrets.FindString(text); m != "" {
			return fmt.Sprintf("%q", m)
		}
	}
	if m := anyAddress.FindString(l.text); m != "" && !sealedText.MatchString(l.text) {
		return "the address " + m
	}
	return ""
}

// gaveNothingAway searches every frame that crossed the socket for what no server may see.
func (p *person) gaveNothingAway(number string, words ...string) {
	p.t.Helper()
	frames := js[[]string](p, "seen.frames")
	sealed := 0
	for _, f := range frames {
		if strings.Contains(f, `"box"`) {
			sealed++
		}
	}
	if sealed == 0 {
		p.t.Errorf("%d Hz: no envelope seen: the check saw nothing", p.hz)
	}
	// Its own addresses, as they stand in what it sealed.
	for _, c := range js[[]string](p, "seen.candidates") {
		if m := ofCandidate.FindStringSubmatch(c); m != nil && !strings.Contains(c, " typ relay") {
			words = append(words, m[1])
		}
	}
	for _, told := range betrayals(frames, words, number) {
		p.t.Errorf("%d Hz: over the server went %s", p.hz, told)
	}
}

// TestBetrayals: the search finds each kind of secret wherever it lies, and nothing in what pages
// say.
func TestBetrayals(t *testing.T) {
	hide := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	find := func(frame string) []string {
		return betrayals([]string{frame}, []string{"giraffe", "relay", "the fox is in the henhouse"}, "977")
	}
	for _, bad := range []string{
		`> {"t":"enter","kind":"channel","tag":"giraffe"}`,
		`> {"t":"enter","kind":"channel","tag":"x","number":977}`,
		`> {"t":"enter","kind":"channel","tag":"channel-977"}`,
		`> {"t":"relay","to":"a","seq":1,"box":"` + hide("so said: the fox is in the henhouse, he") + `"}`,
		`> {"t":"relay","to":"a","seq":1,"box":"` + hide(`{"k":"offer","sdp":"v=0\r\n"}`) + `"}`,
		`> {"t":"relay","to":"a","seq":1,"box":"candidate 192.0.2.7 4"}`,
		`> {"t":"x","about":"0b8c1b5e-7d6e-4f5b-9c3a-2f1d0e9c8b7a.local"}`,
		`> {"t":"x","about":"[2001:db8::5:1]"}`,
		`> {"t":"x","giraffe":1}`,
		`> {"t":"giraffe"}`,
		`> {"t":"x","tag":"relay"}`,
		`> {"t":"x","ice":{"servers":[{"urls":["stun:192.0.2.7:1"]}]}}`,
		`> giraffe`,
	} {
		if len(find(bad)) == 0 {
			t.Errorf("nothing is found in %s", bad)
		}
	}
	for _, good := range []string{
		`> {"t":"enter","kind":"channel","tag":"3vTlQ977oQ_bH4YQkQ0VfZ1u5nN2m7JtX0aBcDeFgHi","c":1}`,
		`< {"t":"joined","n":1,"ice":{"servers":[{"urls":["turn:127.0.0.1:9770"],"username":"1795311221:ipOw3gbloMtzHU2e","credential":"R+VXYYVd7P0CdRHHDEbtiGOMBK0="}],"ttl_ms":600000}}`,
		`< {"t":"ping"}`,
		`> {"t":"relay","relay":1}`,
	} {
		if found := find(good); len(found) > 0 {
			t.Errorf("found %v", found)
		}
	}
}
