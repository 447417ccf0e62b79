package replay_test

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"parley/moderation/replay"
	"parley/moderation/score"
)

var update = flag.Bool("update", false, "write the answers into testdata")

func fresh(tb testing.TB) *replay.Replay {
	tb.Helper()
	return replay.New(policy(tb), score.Policy.Check)
}

// answer returns the answer to one line.
func answer(r *replay.Replay, line string) string {
	return string(r.Answer(nil, []byte(line)))
}

// TestTranscript replays testdata/example.txt: # says what it is about, > is asked, < is answered.
func TestTranscript(t *testing.T) {
	text, err := os.ReadFile("testdata/example.txt")
	if err != nil {
		t.Fatal(err)
	}
	r := fresh(t)
	var played strings.Builder
	for line := range strings.Lines(string(text)) {
		switch {
		case strings.HasPrefix(line, ">"):
			ask := strings.TrimSuffix(strings.TrimPrefix(line[1:], " "), "\n")
			played.WriteString(line + "< " + answer(r, ask))
		case !strings.HasPrefix(line, "<"):
			played.WriteString(line)
		}
	}
	if *update {
		if err := os.WriteFile("testdata/example.txt", []byte(played.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, got := strings.Split(string(text), "\n"), strings.Split(played.String(), "\n")
	for i := range min(len(want), len(got)) {
		if rounded(want[i]) != rounded(got[i]) {
			t.Fatalf("line %d:\n%s\nwant\n%s", i+1, got[i], want[i])
		}
	}
	if len(want) != len(got) {
		t.Fatalf("%d lines, want %d", len(got), len(want))
	}
}

// rounded cuts a score to the digits on which all processors agree.
func rounded(answer string) string {
	before, digits, found := strings.Cut(answer, `"score":`)
	score, err := strconv.ParseFloat(strings.TrimSuffix(digits, "}"), 64)
	if !found || err != nil {
		return answer
	}
	return fmt.Sprintf("%s%.12f", before, score)
}

// TestLockStep asks only after it was answered, and ends without a last newline.
func TestLockStep(t *testing.T) {
	r := fresh(t)
	in, ask := io.Pipe()
	answers, out := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := r.Run(in, out)
		done <- errors.Join(err, out.Close())
	}()
	from := bufio.NewReader(answers)
	for i := range 100 {
		line := fmt.Sprintf(`{"op":"band","t":%d,"d":{"inst":"%016x"}}`+"\n", i, i)
		if i%10 == 3 {
			line = "\r\n" // a bad line
		}
		if _, err := io.WriteString(ask, line); err != nil {
			t.Fatal(err)
		}
		if got, err := from.ReadString('\n'); err != nil || strings.HasPrefix(got, `{"ok":true`) == (i%10 == 3) {
			t.Fatalf("line %d: %q, %v", i, got, err)
		}
	}
	go func() {
		_, err := io.WriteString(ask, `{"op":"policy"}`)
		done <- errors.Join(err, ask.Close())
	}()
	if rest, err := io.ReadAll(from); err != nil || string(rest) != `{"ok":true}`+"\n" {
		t.Errorf("%q, %v", rest, err)
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestEveryLineIsAnswered(t *testing.T) {
	long := strings.Repeat("x", 200_000)
	in := long + "\n" + `{"op":"policy"}` + "\n\n" + long + "\n" + `{"op":"policy"}` + "\n" + long
	var out bytes.Buffer
	if err := fresh(t).Run(strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	var got []bool
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.HasPrefix(line, `{"ok":true}`))
	}
	if fmt.Sprint(got) != "[false true false false true false]" {
		t.Errorf("%v:\n%s", got, out.String())
	}
}

type broken struct{ error }

func (b broken) Read([]byte) (int, error)  { return 0, b.error }
func (b broken) Write([]byte) (int, error) { return 0, b.error }

func TestBrokenPipes(t *testing.T) {
	gone := errors.New("gone")
	if err := fresh(t).Run(broken{gone}, io.Discard); !errors.Is(err, gone) {
		t.Errorf("reading: %v", err)
	}
	if err := fresh(t).Run(strings.NewReader("{}\n"), broken{gone}); !errors.Is(err, gone) {
		t.Errorf("writing: %v", err)
	}
}

// TestNamesDoNotMatter replays one history under other names.
func TestNamesDoNotMatter(t *testing.T) {
	lines := history(20_000)
	one, other := fresh(t), fresh(t)
	rng := rand.New(rand.NewPCG(3, 4))
	names := map[string]string{}
	for i, line := range lines {
		text := string(line)
		parts := strings.Split(text, `"`)
		for k, p := range parts {
			if len(p) == 16 && strings.Trim(p, "0123456789abcdef") == "" {
				if names[p] == "" {
					names[p] = fmt.Sprintf("%016x", rng.Uint64())
				}
				parts[k] = names[p]
			}
		}
		if a, b := answer(one, text), answer(other, strings.Join(parts, `"`)); a != b {
			t.Fatalf("line %d: %s %s", i, a, b)
		}
	}
}

// TestMemoryIsBounded replays two years in which every device comes once.
func TestMemoryIsBounded(t *testing.T) {
	r := fresh(t)
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	var early uint64
	var b []byte
	for i := range 30_000 {
		at := 1_800_000_000 + i*2100
		d := func(k int) string { return fmt.Sprintf(`{"inst":"%016x","fp":"%016x","net":"%016x"}`, k, k, k) }
		for _, line := range []string{
			fmt.Sprintf(`{"op":"report","t":%d,"target":%s,"reporter":%s,"reason":"hate"}`, at, d(2*i), d(2*i+1)),
			fmt.Sprintf(`{"op":"band","t":%d,"d":%s}`, at, d(2*i)),
		} {
			if b = r.Answer(b[:0], []byte(line)); !bytes.HasPrefix(b, []byte(`{"ok":true`)) {
				t.Fatalf("%s: %s", line, b)
			}
		}
		if i == 2_500 { // two months
			early = heap()
		}
	}
	if late := heap(); late > early*2 {
		t.Errorf("%d bytes after two months, %d after two years", early, late)
	}
	runtime.KeepAlive(r)
}

func FuzzAnswer(f *testing.F) {
	text, err := os.ReadFile("testdata/example.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "> ") {
			f.Add([]byte(line[2:]))
		}
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r := fresh(t)
		for range 2 {
			got := r.Answer(nil, line)
			if !bytes.HasSuffix(got, []byte("}\n")) || bytes.Count(got, []byte("\n")) != 1 {
				t.Fatalf("%q", got)
			}
			if !bytes.HasPrefix(got, []byte(`{"ok":true`)) && !bytes.HasPrefix(got, []byte(`{"ok":false,"err":"`)) {
				t.Fatalf("%q", got)
			}
		}
	})
}
