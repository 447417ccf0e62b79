package chaos_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/simulate"
	"parley/internal/vtest"
	"parley/retention"
)

const (
	soakers  = 200
	readings = 40

	starting = 3 * time.Second  // that a server needs to have started
	parting  = 40 * time.Second // that it needs to forget who went: the grace of a session is 30 s
)

// TestSoak lets 200 people use one node for as long as PARLEY_SOAK says, and looks whether memory,
// goroutines and keys come back to what they were.
func TestSoak(t *testing.T) {
	v := os.Getenv("PARLEY_SOAK")
	if v == "" {
		t.Skip("the soak takes minutes: PARLEY_SOAK=5m, or make soak")
	}
	long, err := time.ParseDuration(v)
	if err != nil {
		t.Fatal("PARLEY_SOAK: ", err)
	}
	rdb := redis.NewClient(vtest.StartRedis(t))
	t.Cleanup(func() { _ = rdb.Close() })
	s := startServer(t, rdb.Options().Addr)
	before := s.settled(t, starting)

	var watch sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	var heaps []float64 // MiB
	watch.Go(func() { heaps = s.watch(ctx, long/readings) })
	summary := s.soak(t, long)
	cancel()
	watch.Wait()

	after := s.settled(t, parting)
	slope, mean := trend(heaps[len(heaps)/4:]) // the rest is for filling up
	t.Logf("%d people, %d calls, %d envelopes in %v; heap %.1f to %.1f MiB, slope %+.2f %% of its mean over the run; goroutines %d, then %d",
		summary.Arrived, summary.Calls, summary.Counts["envelopes received"], long, before.heap, after.heap, 100*slope/mean, before.goroutines, after.goroutines)
	if summary.Calls == 0 {
		t.Error("nobody talked")
	}
	if after.goroutines > before.goroutines+5 {
		t.Errorf("%d goroutines before, %d afterwards", before.goroutines, after.goroutines)
	}
	if after.heap > before.heap+8 {
		t.Errorf("%.1f MiB of heap before, %.1f afterwards", before.heap, after.heap)
	}
	if long >= 4*time.Minute && slope > mean/10 {
		t.Errorf("the heap grows by %.1f MiB over the run, at a mean of %.1f", slope, mean)
	}
	checkKeys(t, rdb)
}

// soak lets people come and go; it returns when all are gone.
func (s *server) soak(t *testing.T, long time.Duration) *simulate.Summary {
	t.Helper()
	target, err := simulate.ParseTarget("http://" + s.address)
	if err != nil {
		t.Fatal(err)
	}
	summary, err := simulate.Run(t.Context(), simulate.Config{
		Targets: []simulate.Target{target},
		Rate:    20, People: soakers, For: long, Ramp: long / 20, Seed: 1,
		Behaviour: simulate.Behaviour{
			Talk: 20 * time.Second, Patience: time.Minute, Next: 0.8, Skip: 0.2, Report: 0.02, Block: 0.02,
			Drop: 0.1, Vanish: 0.02, Languages: []string{"en", "es", "de"},
		},
		Limits: simulate.Limits{MaxErrors: -1, MaxLost: -1},
	}, io.Discard, nil)
	if err != nil {
		t.Fatal(err)
	}
	return summary
}

// checkKeys fails when a key remains that nobody needs: of a search, a match or a node's mail.
// Records of calls, reports and waiting times stay until their time is over, as the catalogue
// says.
func checkKeys(t *testing.T, parleys *redis.Client) {
	rdb, done := vtest.Admin(parleys)
	defer done()
	t.Helper()
	faults, err := retention.Audit(t.Context(), rdb)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Errorf("%s %s", f.Key, f.Says)
	}
	gone := []retention.Class{retention.Ticket, retention.Home}
	for _, class := range gone {
		pattern := strings.ReplaceAll(class.Format(), "%s", "*")
		for i := 0; ; i++ { // tickets and matches leave a tombstone for a minute
			keys, err := rdb.Keys(t.Context(), pattern).Result()
			if err != nil {
				t.Fatal(err)
			}
			if len(keys) == 0 {
				break
			}
			if i == 180 {
				t.Errorf("%d keys like %s remain, for example %s", len(keys), pattern, keys[0])
				break
			}
			wait(t.Context(), time.Second)
		}
	}
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// trend fits a line: how much it rises from the first to the last, and the mean.
func trend(ys []float64) (rise, mean float64) {
	n := float64(len(ys))
	var x, y, xy, xx float64
	for i, v := range ys {
		at := float64(i)
		x, y, xy, xx = x+at, y+v, xy+at*v, xx+at*at
	}
	slope := (n*xy - x*y) / (n*xx - x*x)
	return slope * (n - 1), y / n
}

// server is the benchmark's child: parley's web server, signaling and queue in a process that tells
// what it uses.
type server struct {
	address string
	mu      sync.Mutex // guards asking
	orders  io.WriteCloser
	answers *bufio.Scanner
}

// usage is what the server uses after a garbage collection.
type usage struct {
	heap       float64 // MiB
	goroutines int
}

func startServer(t *testing.T, socket string) *server {
	t.Helper()
	child := exec.Command(vtest.Program("bench"), "-child", "parley:"+socket)
	child.Stderr = os.Stderr
	orders, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		orders.Close() // it ends with its input
		_ = child.Wait()
	})
	s := &server{orders: orders, answers: bufio.NewScanner(out)}
	if !s.answers.Scan() {
		t.Fatal("the server does not start")
	}
	s.address = s.answers.Text()
	return s
}

func (s *server) use() (u usage, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := fmt.Fprintln(s.orders, "collect"); err != nil {
		return u, err
	}
	if !s.answers.Scan() {
		return u, io.ErrUnexpectedEOF
	}
	var cpu, resident, heap, stack int64
	_, err = fmt.Sscan(s.answers.Text(), &cpu, &resident, &heap, &stack, &u.goroutines)
	u.heap = float64(heap) / (1 << 20)
	return u, err
}

// settled returns the least that the server uses within a time.
func (s *server) settled(t *testing.T, within time.Duration) usage {
	t.Helper()
	least, err := s.use()
	if err != nil {
		t.Fatal(err)
	}
	for range within / time.Second {
		wait(t.Context(), time.Second)
		u, err := s.use()
		if err != nil {
			t.Fatal(err)
		}
		if u.goroutines <= least.goroutines {
			least = u
		}
	}
	return least
}

// watch reads the heap again and again.
func (s *server) watch(ctx context.Context, every time.Duration) (heaps []float64) {
	for ctx.Err() == nil {
		wait(ctx, every)
		u, err := s.use()
		if err != nil {
			return heaps
		}
		heaps = append(heaps, u.heap)
	}
	return heaps
}
