package envelope_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"parley/internal/envelope"
)

func secret(t *testing.T) []byte {
	t.Helper()
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return b
}

func end(t *testing.T, me, peer string) *envelope.Seal {
	t.Helper()
	s, err := envelope.New("room", me, peer, secret(t))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// pair returns two ends that have each other's key.
func pair(t *testing.T) (ana, bo *envelope.Seal) {
	t.Helper()
	ana, bo = end(t, "ana", "bo"), end(t, "bo", "ana")
	for from, to := range map[*envelope.Seal]*envelope.Seal{ana: bo, bo: ana} {
		seq, box := from.Hello()
		if text, err := to.Open(seq, box); text != "" || err != nil {
			t.Fatalf("hello: %q, %v", text, err)
		}
	}
	return ana, bo
}

func TestTextArrives(t *testing.T) {
	ana, bo := pair(t)
	for _, text := range []string{"x", strings.Repeat("é", 300), strings.Repeat("y", 22998)} {
		seq, box, err := ana.Seal(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := bo.Open(seq, box); got != text || err != nil {
			t.Errorf("%d bytes: got %d, %v", len(text), len(got), err)
		}
	}
	if _, _, err := ana.Seal(strings.Repeat("y", 22999)); err == nil {
		t.Error("a text that is too long was sealed")
	}
}

func TestSizesAreFour(t *testing.T) {
	ana, _ := pair(t)
	for size, want := range map[int]int{1: 512, 510: 512, 511: 2048, 2046: 2048, 2047: 8192, 8191: 23000} {
		_, box, err := ana.Seal(strings.Repeat("x", size))
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := base64.RawURLEncoding.DecodeString(box); len(b) != 2+want+16 {
			t.Errorf("%d bytes make a box of %d, want %d", size, len(b), 2+want+16)
		}
	}
}

func TestOnlyOnceAndOnlyUnchanged(t *testing.T) {
	ana, bo := pair(t)
	var kept [][2]any
	for i := range 70 {
		seq, box, err := ana.Seal(fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, [2]any{seq, box})
	}
	open := func(i int) error { _, err := bo.Open(kept[i][0].(uint64), kept[i][1].(string)); return err }
	for _, i := range []int{10, 9, 69, 6} { // 69 makes 5 too old, but not 6
		if err := open(i); err != nil {
			t.Errorf("%d, first time: %v", i, err)
		}
		if err := open(i); !errors.Is(err, envelope.ErrRepeated) {
			t.Errorf("%d, second time: %v", i, err)
		}
	}
	if err := open(5); !errors.Is(err, envelope.ErrRepeated) {
		t.Errorf("5 after 69: %v", err)
	}
	seq, box := kept[20][0].(uint64), kept[20][1].(string)
	if _, err := bo.Open(seq+1, box); err == nil {
		t.Error("an envelope was opened under another number")
	}
	if _, err := bo.Open(seq, box[:40]+"AAAA"+box[44:]); err == nil {
		t.Error("a changed envelope was opened")
	}
}

func TestKeysHold(t *testing.T) {
	ana, bo := pair(t)
	seq, box := end(t, "bo", "ana").Hello()
	if _, err := ana.Open(seq, box); err == nil || !strings.Contains(err.Error(), "second key") {
		t.Errorf("another key of the peer: %v", err)
	}
	stranger := end(t, "ana", "bo")
	if _, _, err := stranger.Seal("x"); err == nil {
		t.Error("sealed without a key")
	}
	seq, box, _ = bo.Seal("x")
	if _, err := stranger.Open(seq, box); err == nil {
		t.Error("opened without a key")
	}
	zero := base64.RawURLEncoding.EncodeToString(append([]byte{1, 1}, make([]byte, 32)...))
	if _, err := stranger.Open(1, zero); err == nil {
		t.Error("a key that gives a known secret was taken")
	}
}

// TestPageAgrees talks with the page's own module.
func TestPageAgrees(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("needs node: apt-get install nodejs")
	}
	page := exec.CommandContext(t.Context(), node, "--input-type=module", "-e", `
import { createInterface } from 'node:readline';
import { pair, Seal } from './web/app/seal.js';
const seal = new Seal({ room: 'room', me: 'page', peer: 'go' }, await pair());
const say = ({ seq, box }) => console.log(seq + ' ' + box);
say(await seal.hello());
for await (const line of createInterface({ input: process.stdin })) {
  const [seq, box] = line.split(' ');
  const text = await seal.open('go', Number(seq), box);
  if (text) say(await seal.seal('page heard ' + text));
}`)
	page.Dir = "../.."
	page.WaitDelay = time.Second
	var faults bytes.Buffer
	page.Stderr = &faults
	in, err := page.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := page.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := page.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	us := end(t, "go", "page")
	read := func() string {
		if !lines.Scan() {
			t.Fatalf("the page says no more: %s", faults.String())
		}
		var seq uint64
		var box string
		if _, err := fmt.Sscan(lines.Text(), &seq, &box); err != nil {
			t.Fatal(err)
		}
		text, err := us.Open(seq, box)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	read() // its key
	seq, box := us.Hello()
	fmt.Fprintln(in, seq, box)
	for _, text := range []string{"one", strings.Repeat("two", 500)} {
		seq, box, err := us.Seal(text)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(in, seq, box)
		if got := read(); got != "page heard "+text {
			t.Errorf("got %.40q", got)
		}
	}
	in.Close()
	if err := page.Wait(); err != nil {
		t.Error(err, faults.String())
	}
}
