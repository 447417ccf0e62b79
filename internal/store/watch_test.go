package store_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"parley/internal/store"
	"parley/internal/vtest"
)

// watching runs a watch until the test ends.
func watching(t *testing.T, url string) (*store.Watch, *vtest.Log) {
	t.Helper()
	_, rdb := open(t, url)
	log := &vtest.Log{}
	w := store.NewWatch(rdb, slog.New(slog.NewTextHandler(log, nil)))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	return w, log
}

// within returns how long it took until is, and fails the test after limit.
func within(t *testing.T, limit time.Duration, what string, is func() bool) {
	t.Helper()
	began := time.Now()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		if <-tick.C; time.Since(began) > limit {
			t.Fatalf("%s: not within %v", what, limit)
		}
	}
	t.Logf("%s: %v", what, time.Since(began).Round(time.Millisecond))
}

// TestWatchIsNotHeldUp: an outage that begins while settings are looked at is noticed in time.
func TestWatchIsNotHeldUp(t *testing.T) {
	t.Parallel()
	server := vtest.StartServer(t)
	_, rdb := open(t, server.URL())
	w := store.NewWatch(rdb, slog.New(slog.DiscardHandler))
	began := make(chan struct{}, 1)
	w.Also(func(ctx context.Context) {
		began <- struct{}{}
		<-ctx.Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	<-began
	server.Pause()
	within(t, 3*time.Second, "stopped", func() bool { return w.Err() != nil })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestWatch: however Redis goes away, it is known within 3 s, and its return within 3 s.
func TestWatch(t *testing.T) {
	t.Parallel()
	t.Run("redis-server", func(t *testing.T) {
		server := vtest.StartServer(t)
		w, _ := watching(t, server.URL())
		is := func() bool { return w.Err() == nil }
		isNot := func() bool { return w.Err() != nil }
		within(t, 3*time.Second, "at first", is)
		server.Pause()
		within(t, 3*time.Second, "stopped", isNot)
		if says := store.Kind(w.Err()); says != "it does not answer in time" {
			t.Errorf("stopped: %s", says)
		}
		server.Resume()
		within(t, 3*time.Second, "resumed", is)
		server.Kill()
		within(t, 3*time.Second, "killed", isNot)
		server.Again()
		within(t, 3*time.Second, "started again", is)
		server.Run("CONFIG", "SET", "min-replicas-to-write", 1)
		within(t, 3*time.Second, "writes refused", isNot)
		if says := store.Kind(w.Err()); says != "it answers NOREPLICAS" {
			t.Errorf("writes refused: %s", says)
		}
		server.Run("CONFIG", "SET", "min-replicas-to-write", 0)
		within(t, 3*time.Second, "writes taken", is)
		if n := server.Run("DBSIZE"); n != int64(0) {
			t.Errorf("the watch left %d keys behind", n)
		}
	})
}

// TestWatchSeesEviction: at the start, and when the operator changes it while Redis restarts.
func TestWatchSeesEviction(t *testing.T) {
	t.Parallel()
	t.Run("redis-server", func(t *testing.T) {
		server := vtest.StartServer(t)
		_, log := watching(t, server.URL())
		within(t, 3*time.Second, "the watch has looked", func() bool {
			return strings.Contains(fmt.Sprint(server.Run("INFO", "commandstats")), "config|get")
		})
		server.Run("CONFIG", "SET", "maxmemory-policy", "volatile-lru")
		w, also := watching(t, server.URL())
		within(t, 3*time.Second, "another watch warns", func() bool { return also.Has("level=WARN") && also.Has("policy=volatile-lru") })
		if log.Has("level=WARN") {
			t.Error("warned before there was a reason")
		}
		server.Kill()
		within(t, 3*time.Second, "killed", func() bool { return w.Err() != nil })
		server.Again() // with the policy that it has by default
		within(t, 5*time.Second, "it is told that all is well", func() bool { return also.Has("maxmemory-policy is noeviction") })
	})
	t.Run("cluster", func(t *testing.T) {
		c := vtest.StartCluster(t)
		c.Nodes[2].Run("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
		_, log := watching(t, c.URL())
		within(t, 3*time.Second, "one node of a Cluster evicts", func() bool { return log.Has("policy=allkeys-random") })
	})
}
