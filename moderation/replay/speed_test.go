package replay_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"parley/moderation/replay"
	"parley/moderation/score"
)

// history returns so many lines of a small site: one line in twenty is a report, two in five ends.
func history(n int) [][]byte {
	rng := rand.New(rand.NewPCG(1, 2))
	device := func() string {
		k := rng.IntN(2000)
		return fmt.Sprintf(`{"inst":"%016x","fp":"%016x","net":"%016x","new":%t}`, k*7919, k%500, k%900, k%10 == 0)
	}
	lines := make([][]byte, 0, n)
	t := 1_800_000_000
	for len(lines) < n {
		a, b := device(), device()
		if a == b {
			continue
		}
		t += rng.IntN(20)
		lines = append(lines,
			fmt.Appendf(nil, `{"op":"band","t":%d,"d":%s}`+"\n", t, a),
			fmt.Appendf(nil, `{"op":"band","t":%d,"d":%s}`+"\n", t, b))
		if rng.IntN(8) == 0 {
			lines = append(lines, fmt.Appendf(nil, `{"op":"report","t":%d,"target":%s,"reporter":%s,"reason":"hate","sec":30.5}`+"\n", t+60, a, b))
		}
		lines = append(lines, fmt.Appendf(nil, `{"op":"end","t":%d,"a":%s,"b":%s,"sec":61.25}`+"\n", t+61, a, b))
	}
	return lines[:n]
}

func policy(tb testing.TB) score.Policy {
	tb.Helper()
	p, err := score.Preset(score.Default)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// BenchmarkLockStep sends a line through a pipe of the system and waits for its answer, as a program
// does that drives a replay. The baseline answers each line without reading it.
func BenchmarkLockStep(b *testing.B) {
	b.Run("replay", func(b *testing.B) {
		r := replay.New(policy(b), score.Policy.Check)
		lockStep(b, r.Run)
	})
	b.Run("baseline", func(b *testing.B) { lockStep(b, echo) })
}

// echo answers every line with the same words.
func echo(in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	for {
		if _, err := lines.ReadSlice('\n'); err != nil {
			return nil //nolint:nilerr // the end
		}
		if _, err := io.WriteString(out, `{"ok":true}`+"\n"); err != nil {
			return err
		}
	}
}

func lockStep(b *testing.B, run func(io.Reader, io.Writer) error) {
	lines := history(100_000)
	in, ask := pipe(b)
	answers, out := pipe(b)
	done := make(chan error, 1)
	go func() { done <- run(in, out) }()
	from := bufio.NewReader(answers)
	b.ResetTimer()
	began := time.Now()
	for i := range b.N {
		if _, err := ask.Write(lines[i%len(lines)]); err != nil {
			b.Fatal(err)
		}
		if _, err := from.ReadSlice('\n'); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "lines/s")
	b.StopTimer()
	if err := ask.Close(); err != nil {
		b.Fatal(err)
	}
	if err := <-done; err != nil {
		b.Fatal(err)
	}
}

func pipe(b *testing.B) (from, into *os.File) {
	b.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// BenchmarkAnswer is one line without pipes.
func BenchmarkAnswer(b *testing.B) {
	lines := history(100_000)
	r := replay.New(policy(b), score.Policy.Check)
	var answer []byte
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		answer = r.Answer(answer[:0], lines[i%len(lines)])
	}
}
