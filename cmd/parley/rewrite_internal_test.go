package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/vtest"
	"parley/retention"
)

// holds tells whether a file of a server's folder holds text.
func holds(t *testing.T, dir, text string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "appendonlydir", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no append-only file: %v", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err == nil && bytes.Contains(b, []byte(text)) { // an old file may be gone by now
			return true
		}
	}
	return false
}

// until asks again and again, each time with its own answer, for 20 s at the most.
func until(t *testing.T, fault string, is func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for !is() {
		if ctx.Err() != nil {
			t.Fatal(fault)
		}
	}
}

// rewrites is how often a server was told to rewrite its file.
func rewrites(rdb *redis.Client) string {
	facts := factsOf(rdb.Info(context.Background(), "commandstats").Val())
	calls, _, _ := strings.Cut(facts["cmdstat_bgrewriteaof"], ",")
	return calls
}

// TestRewrite: what has expired leaves the disk, on a server that would not rewrite its file by
// itself; of two nodes one asks for it, once a day.
func TestRewrite(t *testing.T) {
	server := vtest.StartServer(t, "--appendonly", "yes", "--appendfsync", "always", "--auto-aof-rewrite-percentage", "0")
	rdb, admin, ctx := server.AsParley(), server.Client(), t.Context()
	const secret = "what-is-to-leave-the-disk"
	if err := rdb.Set(ctx, retention.Call.Key("c"), secret, time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	until(t, "it does not expire", func() bool { return rdb.Exists(ctx, retention.Call.Key("c")).Val() == 0 })
	if !holds(t, server.Dir, secret) {
		t.Fatal("control: it is not on the disk")
	}
	var said strings.Builder
	log := slog.New(slog.NewTextHandler(&said, nil))
	one, other := &rewriter{rdb: rdb, log: log}, &rewriter{rdb: server.AsParley(), log: log}
	one.look(ctx)
	until(t, "it is still on the disk", func() bool { return !holds(t, server.Dir, secret) })
	one.look(ctx)
	other.look(ctx)
	if got := rewrites(admin); got != "calls=1" {
		t.Errorf("the server was told to rewrite: %s, want calls=1", got)
	}
	if left := admin.PTTL(ctx, admin.Keys(ctx, "*rewrite*").Val()[0]).Val(); left < 22*time.Hour || left > 23*time.Hour {
		t.Errorf("it is noted for %v", left)
	}
	if faults, err := retention.Audit(ctx, rdb); err != nil || len(faults) != 0 {
		t.Errorf("%v, %v", faults, err)
	}
	if said.Len() > 0 {
		t.Errorf("it says\n%s", &said)
	}
}

// TestRewriteRefused: a server that does not allow it leaves no note that it was done, so that it is
// tried again; and one without an append-only file is left alone.
func TestRewriteRefused(t *testing.T) {
	server := vtest.StartServer(t, "--appendonly", "yes")
	server.Run("ACL", "SETUSER", "parley", "-bgrewriteaof")
	var said strings.Builder
	r := &rewriter{rdb: server.AsParley(), log: slog.New(slog.NewTextHandler(&said, nil))}
	r.look(t.Context())
	r.look(t.Context())
	if n := server.Client().DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("%d keys are left behind", n)
	}
	if text := said.String(); strings.Count(text, "level=WARN") != 1 || !strings.Contains(text, "+bgrewriteaof") || !strings.Contains(text, "NOPERM") {
		t.Errorf("it says\n%s", text)
	}
	server.Run("ACL", "SETUSER", "parley", "+bgrewriteaof")
	server.Run("CONFIG", "SET", "appendonly", "no")
	r.look(t.Context())
	server.Run("CONFIG", "SET", "appendonly", "yes")
	if got := rewrites(server.Client()); got != "" && got != "calls=0" {
		t.Errorf("a server without the file was told: %s", got)
	}
	until(t, "it is not told again", func() bool {
		r.look(t.Context())
		return rewrites(server.Client()) == "calls=1"
	})
}

// TestRewriteWaits: nothing happens in the first minutes after a start, and what cannot be done is
// told once a day, however often it is tried.
func TestRewriteWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb := vtest.NewRedis(t)
		rdb.Away()
		said := &vtest.Log{}
		r := &rewriter{rdb: rdb.Client, log: slog.New(slog.NewTextHandler(said, nil))}
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- r.Run(ctx) }()
		for _, at := range []struct {
			after time.Duration
			told  int
		}{{rewriteFirst - time.Second, 0}, {2 * time.Second, 1}, {23 * time.Hour, 1}, {2 * time.Hour, 2}} {
			time.Sleep(at.after)
			synctest.Wait()
			if got := strings.Count(said.String(), "level=WARN"); got != at.told {
				t.Errorf("after %v more it has been told %d times, want %d", at.after, got, at.told)
			}
		}
		cancel()
		if err := <-ran; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// TestRewriteCluster: every master of a Cluster is told, each once.
func TestRewriteCluster(t *testing.T) {
	cluster := vtest.StartCluster(t)
	for _, node := range cluster.Nodes {
		node.Run("CONFIG", "SET", "appendonly", "yes")
	}
	var said strings.Builder
	r := &rewriter{rdb: cluster.Client(), log: slog.New(slog.NewTextHandler(&said, nil))}
	r.look(t.Context())
	r.look(t.Context())
	for i, node := range cluster.Nodes {
		if got := rewrites(node.Client()); got != "calls=1" {
			t.Errorf("server %d: %s", i, got)
		}
	}
	if said.Len() > 0 {
		t.Errorf("it says\n%s", &said)
	}
}
