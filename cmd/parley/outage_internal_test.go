package main

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"parley/internal/vtest"
	"parley/retention"
)

// TestReadyWithoutWaiting: while Redis is stopped, killed or back, /readyz answers at once, says so
// within 3 s, and the page is served all the time. The user of Redis may do no more than we say that
// parley needs.
func TestReadyWithoutWaiting(t *testing.T) { // by itself: it asks for seconds
	t.Run("redis-server", func(t *testing.T) {
		server, log := vtest.StartServer(t), &vtest.Log{}
		d := openDoors(t, server.URL(), log)
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
		marked(t, server) // it came back empty
		if log.Has("NOPERM") {
			t.Errorf("something is not permitted: %s", log)
		}
	})
}

// TestEveryShape: parley runs on a Sentinel set and on a Cluster, and outlives the primary of a set.
func TestEveryShape(t *testing.T) {
	t.Run("sentinel", func(t *testing.T) {
		t.Parallel()
		set, log := vtest.StartSentinel(t), &vtest.Log{}
		d := openDoors(t, set.URL(), log)
		d.await(t, "200")
		set.Primary().Kill()
		d.await(t, "503")
		d.within(t, 10*time.Second, "200")
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		log := &vtest.Log{}
		openDoors(t, vtest.StartCluster(t).URL(), log).await(t, "200")
		if log.Has("level=WARN") || log.Has("level=ERROR") {
			t.Errorf("not all is well: %s", log)
		}
	})
}

// openDoors runs the whole program on a Redis, until the test ends.
func openDoors(t *testing.T, redis string, log *vtest.Log) door {
	t.Helper()
	var ports [3]string
	for i := range ports {
		var err error
		if ports[i], err = freePort(); err != nil {
			t.Fatal(err)
		}
	}
	cfg, _, err := load([]string{
		"--listen", "127.0.0.1:" + ports[0], "--operator-listen", "127.0.0.1:" + ports[1], "--relay-listen", "127.0.0.1:" + ports[2],
		"--state", t.TempDir(), "--redis", redis,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse()
	t.Cleanup(func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := build(t.Context(), h, cfg, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))); err != nil {
		t.Fatal(err)
	}
	return door{page: "http://127.0.0.1:" + ports[0] + "/", ready: "http://127.0.0.1:" + ports[1] + "/readyz"}
}

// door is where a program answers.
type door struct{ page, ready string }

// await is within 3 s.
func (d door) await(t *testing.T, status string) {
	t.Helper()
	d.within(t, 3*time.Second, status)
}

// marked waits until Redis knows again which key file its data belongs to.
func marked(t *testing.T, server *vtest.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for rdb := server.Client(); !rdb.HExists(ctx, retention.Schema.Key(), "key").Val(); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("Redis came back empty, and the mark of the key file is missing")
		}
	}
}

// within asks until /readyz has that status, and that every answer comes at once.
func (d door) within(t *testing.T, limit time.Duration, status string) {
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
		if <-tick.C; time.Since(began) > limit {
			t.Fatalf("/readyz is %s after %v, want %s", is, limit, status)
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
