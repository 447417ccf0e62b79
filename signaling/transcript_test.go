package signaling_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

// TestTranscripts plays testdata/transcripts/*.txt, in virtual time, through real WebSockets and
// an embedded Redis. README.md beside them has the language.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/transcripts/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t)
				s.play(file)
				for _, b := range s.cast {
					for _, m := range b.leftover() {
						t.Errorf("%s: %s also heard %s", file, b.name, short(m))
					}
				}
				s.audit()
				s.secrecy()
			})
		})
	}
}

// play plays one file.
func (s *stage) play(file string) {
	s.t.Helper()
	text, err := os.Open(file)
	if err != nil {
		s.t.Fatal(err)
	}
	defer text.Close()
	for sc, n := bufio.NewScanner(text), 1; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := s.line(line); err != nil {
			s.t.Log(s.log.String())
			s.t.Fatalf("%s:%d: %v", file, n, err)
		}
	}
}

func (s *stage) line(line string) error {
	first, rest, _ := strings.Cut(line, " ")
	switch first {
	case "wait":
		d, err := time.ParseDuration(rest)
		s.redis.Pass(d)
		synctest.Wait()
		return err
	case "include":
		s.play(filepath.Join("testdata/transcripts/parts", rest+".txt"))
		return nil
	case "repeat":
		return s.repeat(rest)
	case "$i": // is 7
		n, err := strconv.Atoi(strings.TrimPrefix(rest, "is "))
		s.vars["$i"] = float64(n)
		return err
	case "accuse":
		return s.accuse(rest)
	case "redis":
		return s.store(rest)
	case "matching": // paused, or goes on
		s.paused.Store(rest == "paused")
		return nil
	case "nodes", "kill", "drain", "torn", "hush", "last", "unhush", "clog", "retire":
		n, err := strconv.Atoi(rest)
		if err == nil {
			s.many(first, n)
		}
		return err
	case "restart":
		s.kill()
		s.start()
		return nil
	case "down":
		s.kill()
		d, err := time.ParseDuration(rest)
		time.Sleep(d) // without the store, which would make it slow
		s.start()
		return err
	}
	verb, object, _ := strings.Cut(rest, " ")
	return s.act(s.browser(first), verb, object)
}

// many does what needs more than one node.
func (s *stage) many(what string, n int) {
	switch what {
	case "nodes":
		for len(s.more) < n-1 {
			s.more = append(s.more, s.launch(len(s.more)+2))
		}
		s.redis.Pass(2 * time.Second) // all know all
	case "kill":
		s.killOne(n)
	case "hush": // nothing that it sends to other nodes is taken
		s.at(n).valve.Close()
	case "last": // only the next letter
		s.at(n).valve.Last()
	case "clog":
		s.at(n).valve.Clog()
	case "unhush":
		s.at(n).valve.Open()
	case "retire": // its relay takes no new calls
		s.at(n).relay.retire()
	case "torn": // both sides of the link between the first node and this one lost something
		s.node.hub.Torn(s.at(n).name)
		s.at(n).hub.Torn(s.node.name)
	case "drain":
		at := s.at(n)
		at.done.Go(func() { at.hub.Drain(context.Background()) })
	}
	synctest.Wait()
}

func (s *stage) store(how string) error {
	switch how {
	case "away":
		s.redis.Away()
	case "back":
		s.redis.Back()
	case "forgets":
		s.redis.FlushAll(s.t.Context())
	default:
		d, err := time.ParseDuration(strings.TrimPrefix(how, "ages "))
		if err != nil {
			return fmt.Errorf("redis %s?", how)
		}
		s.redis.Advance(d) // leases of nodes too, which they renew
	}
	return nil
}

// repeat plays "1 300 LINE" with $i from 1 to 300.
func (s *stage) repeat(rest string) error {
	var from, to int
	if _, err := fmt.Sscan(rest, &from, &to); err != nil {
		return err
	}
	line := strings.SplitN(rest, " ", 3)[2]
	for i := from; i <= to; i++ {
		s.vars["$i"] = float64(i)
		if err := s.line(line); err != nil {
			return fmt.Errorf("$i = %d: %w", i, err)
		}
	}
	return nil
}

func (s *stage) act(b *browser, verb, object string) error {
	s.vars["$"+b.name+".device"], s.vars["$"+b.name+".digest"], s.vars["$"+b.name+".age"] = b.device, b.digest, b.age
	switch verb {
	case ">":
		text, err := s.fill(object)
		if err != nil {
			return err
		}
		return b.say(text)
	case ">>":
		return b.say(object)
	case "<":
		got, err := b.hear()
		if err != nil {
			return fmt.Errorf("%s heard nothing (%w), want %s", b.name, err, object)
		}
		return s.compare(b.name, got, object)
	case "silent":
		if left := b.leftover(); len(left) > 0 {
			return fmt.Errorf("%s heard %s, want nothing", b.name, left[0])
		}
		return nil
	case "closed":
		code, err := b.end()
		if err == nil && strconv.Itoa(code) != object {
			err = fmt.Errorf("%s was closed with %d (%w), want %s", b.name, code, b.closed, object)
		}
		return err
	}
	return s.move(b, verb, object)
}

// move does what browsers do with sockets.
func (s *stage) move(b *browser, verb, object string) error {
	usual := dialing{origin, "parley.v1"}
	switch verb {
	case "opens":
		return b.open(usual)
	case "narrow": // opens a socket with little room
		b.narrow, _ = strconv.Atoi(object)
		return b.open(usual)
	case "arrives":
		if err := b.open(usual); err != nil {
			return err
		}
		delete(s.vars, "$"+b.name+".token") // of an earlier session
		return s.lines(b.name,
			`> {"t":"hello","token":"","last":0,"device":"$NAME.device","digest":"$NAME.digest","age":"$NAME.age"}`,
			`< {"t":"welcome","token":"$NAME.token","resumed":false,"c":0,"grace_ms":30000,"age":"*"}`)
	case "resumes":
		b.mu.Lock()
		last := b.last
		b.mu.Unlock()
		if err := b.open(usual); err != nil {
			return err
		}
		return s.lines(b.name, fmt.Sprintf(`> {"t":"hello","token":"$NAME.token","last":%d,"device":"$NAME.device","digest":"$NAME.digest","age":"$NAME.age"}`, last))
	case "newcomer", "guesses", "solves":
		return s.newcomer(b, verb)
	case "drops":
		b.drop()
	case "at": // which node it comes to
		n, err := strconv.Atoi(object)
		b.at = n
		return err
	case "sleeps":
		b.listen(false)
	case "sips": // waits so long before each frame that it reads
		d, err := time.ParseDuration(object)
		b.mu.Lock()
		b.sip = d
		b.mu.Unlock()
		return err
	case "wakes":
		b.listen(true)
	case "mute":
		b.mute = true
	case "binary":
		return b.write(b.ws, websocket.BinaryMessage, object)
	case "sends": // so many bytes in one frame
		n, err := strconv.Atoi(object)
		if err != nil {
			return err
		}
		return b.say(strings.Repeat(" ", n))
	case "box": // an envelope of so many characters, to nobody
		return b.box("nobody", 1, object)
	case "pours": // a box too large, and a frame right behind it
		_ = b.write(b.ws, websocket.TextMessage, boxed("nobody", 1, 32769))
		return b.say(object)
	case "pours-two": // a large envelope to somebody, and a small one right behind it
		to := s.vars[object].(string)
		_ = b.write(b.ws, websocket.TextMessage, boxed(to, 3, 8000))
		return b.say(boxed(to, 4, 100))
	case "box-to":
		to, size, _ := strings.Cut(object, " ")
		return b.box(s.vars[to].(string), int(s.vars["$i"].(float64)), size)
	case "searches": // and cancels
		i := int(s.vars["$i"].(float64))
		return s.lines(b.name,
			fmt.Sprintf(`> {"t":"find","c":%d,"a":%d,"languages":["en"],"interests":[],"widen":true,"avoid":[],"place":""}`, 2*i-1, 2*i-2),
			`< {"t":"queued","...":"*"}`,
			fmt.Sprintf(`> {"t":"cancel","c":%d,"a":%d}`, 2*i, 2*i-1),
			`< {"t":"cancelled","...":"*"}`)
	case "opens-and-leaves": // a room; $i counts from 1
		i := int(s.vars["$i"].(float64))
		return s.lines(b.name,
			fmt.Sprintf(`> {"t":"enter","c":%d,"a":%d,"kind":"channel","tag":"$tag.channel"}`, 2*i-1, 2*i-2),
			`< {"t":"joined","...":"*"}`,
			fmt.Sprintf(`> {"t":"leave","c":%d,"a":%d}`, 2*i, 2*i-1),
			`< {"t":"ended","...":"*"}`)
	case "asks": // how it stands
		i := int(s.vars["$i"].(float64))
		return s.lines(b.name, fmt.Sprintf(`> {"t":"standing","c":%d,"a":%d}`, i, i-1), `< {"t":"standing","...":"*"}`)
	case "pongs": // so many that nobody asked for
		return b.pongs(object)
	case "refused": // origin protocol status sentence
		return b.refused(object)
	default:
		return fmt.Errorf("%s %s?", b.name, verb)
	}
	synctest.Wait()
	return nil
}

func (b *browser) pongs(count string) error {
	n, err := strconv.Atoi(count)
	for ; n > 0 && err == nil; n-- {
		err = b.write(b.ws, websocket.PongMessage, "")
	}
	return err
}

func (b *browser) box(to string, number int, size string) error {
	n, err := strconv.Atoi(size)
	if err != nil {
		return err
	}
	return b.say(boxed(to, number, n))
}

func boxed(to string, number, size int) string {
	return fmt.Sprintf(`{"t":"relay","c":%d,"a":0,"to":%q,"seq":%d,"box":%q}`, number, to, number, strings.Repeat("A", size))
}

func (b *browser) refused(object string) error {
	want := strings.SplitN(object, " ", 4)
	if err := b.open(dialing{want[0], want[1]}); err == nil {
		return fmt.Errorf("%s was let in", b.name)
	}
	if got := strconv.Itoa(b.status); got != want[2] || b.says != want[3] {
		return fmt.Errorf("%s was refused with %s %q", b.name, got, b.says)
	}
	return nil
}

func (s *stage) lines(name string, lines ...string) error {
	for _, line := range lines {
		if err := s.line(name + " " + strings.ReplaceAll(line, "$NAME", "$"+name)); err != nil {
			return err
		}
	}
	return nil
}

// fill replaces the placeholders of a frame.
func (s *stage) fill(text string) (string, error) {
	for name, value := range s.vars {
		v, err := json.Marshal(value)
		if err != nil {
			return "", err
		}
		text = strings.ReplaceAll(text, `"`+name+`"`, string(v))
	}
	if i := strings.Index(text, `"$`); i >= 0 {
		return "", fmt.Errorf("nothing is known of %s", text[i:])
	}
	return text, nil
}

func (s *stage) compare(name string, got []byte, want string) error {
	var g, w any
	if err := json.Unmarshal(got, &g); err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		return err
	}
	if !s.matches(g, w) {
		return fmt.Errorf("%s heard\n    %s, want\n    %s", name, short(got), want)
	}
	return nil
}

func short(text []byte) string {
	if len(text) > 1000 {
		text = append(text[:1000:1000], "..."...)
	}
	return string(text)
}

// matches compares; "*" fits everything, a field "..." allows more fields, and "$name" is bound
// when first seen.
func (s *stage) matches(got, want any) bool {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		_, more := w["..."]
		if !ok || (!more && len(g) != len(w)) {
			return false
		}
		for k, v := range w {
			if x, there := g[k]; k != "..." && (!there || !s.matches(x, v)) {
				return false
			}
		}
		return true
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for i := range w {
			if !s.matches(g[i], w[i]) {
				return false
			}
		}
		return true
	case string:
		if w == "*" {
			return true
		}
		if !strings.HasPrefix(w, "$") {
			return got == want
		}
		if bound, ok := s.vars[w]; ok {
			return reflect.DeepEqual(bound, got)
		}
		s.vars[w] = got
		return true
	}
	return reflect.DeepEqual(got, want)
}
