package main

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/internal/store"
	"parley/internal/vtest"
)

// TestReadyWithoutWaiting: while Redis is stopped, killed or back, /readyz answers at once, says so
// within 3 s, and the page is served all the time. The user of Redis may do no more than we say that
// parley needs.
func TestReadyWithoutWaiting(t *testing.T) {
	t.Parallel()
	t.Run("redis-server", func(t *testing.T) {
		server := vtest.StartServer(t, append([]string{"--user", "parley", "on", ">sesame"}, strings.Fields(store.Rights)...)...)
		var ports [3]string
		for i := range ports {
			var err error
			if ports[i], err = freePort(); err != nil {
				t.Fatal(err)
			}
		}
		cfg, _, err := load([]string{
			"--listen", "127.0.0.1:" + ports[0], "--operator-listen", "127.0.0.1:" + ports[1], "--relay-listen", "127.0.0.1:" + ports[2],
			"--state", t.TempDir(), "--redis", "redis://parley:sesame@" + server.Addr,
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		h, log := newHouse(), &lines{}
		t.Cleanup(func() {
			if err := h.close(); err != nil {
				t.Error(err)
			}
		})
		if _, err := build(t.Context(), h, cfg, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))); err != nil {
			t.Fatal(err)
		}
		d := door{page: "http://127.0.0.1:" + ports[0] + "/", ready: "http://127.0.0.1:" + ports[1] + "/readyz"}
		d.await(t, "200")
		for range 2 {
			server.Pause()
			d.await(t, "503")
			server.Resume()
			d.await(t, "200")
		}
		server.Kill()
		d.await(t, "503")
		server.Again()
		d.await(t, "200")
		if log.has("NOPERM") {
			t.Errorf("something is not permitted: %s", log)
		}
	})
}

// lines is a log that is read while it is written.
type lines struct {
	mu  sync.Mutex // guards buf
	buf strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) has(text string) bool { return strings.Contains(l.String(), text) }

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// door is where a program answers.
type door struct{ page, ready string }

// await asks until /readyz has that status, 3 s at most, and that every answer comes at once.
func (d door) await(t *testing.T, status string) {
	t.Helper()
	began := time.Now()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		is := d.ask(t, d.ready)
		if page := d.ask(t, d.page); page != "200" {
			t.Errorf("the page: %s", page)
		}
		if is == status {
			t.Logf("%s after %v", status, time.Since(began).Round(time.Millisecond))
			return
		}
		if <-tick.C; time.Since(began) > 3*time.Second {
			t.Fatalf("/readyz is %s after 3 s, want %s", is, status)
		}
	}
}

func (d door) ask(t *testing.T, url string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	began := time.Now()
	status, _, err := ask(ctx, url)
	if took := time.Since(began); err != nil || took > 300*time.Millisecond {
		t.Fatalf("%s: %v after %v", url, err, took)
	}
	return status
}
