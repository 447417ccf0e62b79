package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/vtest"
	"parley/retention"
)

// openTrial opens a store that is closed with the test.
func openTrial(t *testing.T, where *url.URL) (*redis.Client, *bytes.Buffer) {
	t.Helper()
	var out bytes.Buffer
	h := newHouse()
	t.Cleanup(func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	})
	rdb, err := openStore(t.Context(), h, where, slog.New(slog.NewTextHandler(&out, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return rdb, &out
}

// TestEmbeddedKeepsTime: keys of the embedded store run out in real time, and nobody gets in
// without its password.
func TestEmbeddedKeepsTime(t *testing.T) {
	rdb, _ := openTrial(t, nil)
	key := retention.Call.Key("x")
	if err := rdb.Set(t.Context(), key, "", 50*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for rdb.Exists(ctx, key).Val() > 0 { // each question waits for its answer
		continue
	}
	if ctx.Err() != nil {
		t.Error("the key is still there after 5 s")
	}
	stranger := redis.NewClient(&redis.Options{Addr: rdb.Options().Addr, MaxRetries: -1, DisableIdentity: true})
	defer stranger.Close()
	if err := stranger.Ping(t.Context()).Err(); err == nil {
		t.Error("the embedded store takes commands without a password")
	}
}

// realRedis starts a redis-server and returns where it is.
func realRedis(t *testing.T) (*url.URL, *redis.Client) {
	t.Helper()
	options := vtest.StartRedis(t)
	admin := redis.NewClient(options)
	t.Cleanup(func() { admin.Close() })
	return &url.URL{Scheme: "unix", Path: options.Addr}, admin
}

// TestAcceptsWrites: the check leaves nothing behind, and fails where a write would.
func TestAcceptsWrites(t *testing.T) {
	t.Run("embedded", func(t *testing.T) {
		rdb, _ := openTrial(t, nil)
		leavesNothing(t, rdb)
	})
	t.Run("redis-server", func(t *testing.T) {
		where, admin := realRedis(t)
		rdb, _ := openTrial(t, where)
		leavesNothing(t, rdb)
		for _, c := range [][3]string{{"maxmemory", "1", "0"}, {"min-replicas-to-write", "1", "0"}} {
			if err := admin.ConfigSet(t.Context(), c[0], c[1]).Err(); err != nil {
				t.Fatal(err)
			}
			if err := acceptsWrites(rdb)(t.Context()); err == nil {
				t.Errorf("writes seem possible with %s %s", c[0], c[1])
			}
			if err := admin.ConfigSet(t.Context(), c[0], c[2]).Err(); err != nil {
				t.Fatal(err)
			}
		}
		leavesNothing(t, rdb)
	})
}

func leavesNothing(t *testing.T, rdb *redis.Client) {
	t.Helper()
	if err := acceptsWrites(rdb)(t.Context()); err != nil {
		t.Error(err)
	}
	if n := rdb.DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("%d keys were left behind", n)
	}
}

// TestEvictionIsWarnedOf: a Redis that throws keys away is said to do so, one that does not is not.
func TestEvictionIsWarnedOf(t *testing.T) {
	t.Run("redis-server", func(t *testing.T) {
		where, admin := realRedis(t)
		for policy, warned := range map[string]bool{"noeviction": false, "volatile-lru": true, "allkeys-random": true} {
			if err := admin.ConfigSet(t.Context(), "maxmemory-policy", policy).Err(); err != nil {
				t.Fatal(err)
			}
			if _, log := openTrial(t, where); strings.Contains(log.String(), "policy="+policy) != warned {
				t.Errorf("%s: %s", policy, log)
			}
		}
	})
}
