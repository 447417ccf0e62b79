package main

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/store"
	"parley/retention"
)

// openTrial opens a store that is closed with the test.
func openTrial(t *testing.T, where store.Where) (*house, *memory) {
	t.Helper()
	h := newHouse()
	t.Cleanup(func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	})
	m, err := openStore(t.Context(), h, where, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return h, m
}

// TestEmbeddedKeepsTime: keys of the embedded store run out in real time, and nobody gets in
// without its password.
func TestEmbeddedKeepsTime(t *testing.T) {
	h, m := openTrial(t, store.Where{})
	key := retention.Call.Key("x")
	if err := m.rdb.Set(t.Context(), key, "", 50*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for m.rdb.Exists(ctx, key).Val() > 0 { // each question waits for its answer
		continue
	}
	if ctx.Err() != nil {
		t.Error("the key is still there after 5 s")
	}
	listener, ok := m.listener(h).(*redis.Client)
	if !ok || listener.Options().Protocol != 2 {
		t.Fatalf("the client for listening is %v", listener)
	}
	if err := listener.Ping(ctx).Err(); err != nil {
		t.Error(err)
	}
	stranger := redis.NewClient(&redis.Options{Addr: listener.Options().Addr, MaxRetries: -1, DisableIdentity: true})
	defer stranger.Close()
	if err := stranger.Ping(t.Context()).Err(); err == nil {
		t.Error("the embedded store takes commands without a password")
	}
	if err := m.ready(t.Context()); err != nil {
		t.Error(err)
	}
	if n := m.rdb.DBSize(t.Context()).Val(); n != 0 {
		t.Errorf("%d keys were left behind", n)
	}
}

// TestPortsOverlap: two places to listen at are one when they share a port and an address.
func TestPortsOverlap(t *testing.T) {
	for pair, want := range map[[2]string]bool{
		{"127.0.0.1:80", "127.0.0.1:80"}: true, {":80", "127.0.0.1:80"}: true, {"[::]:80", "192.0.2.1:80"}: true,
		{"localhost:80", "127.0.0.1:80"}: true, {"0.0.0.0:80", ":80"}: true,
		{"127.0.0.1:80", "127.0.0.1:81"}: false, {"127.0.0.1:80", "192.0.2.1:80"}: false, {":0", ":0"}: false,
	} {
		if got := overlap(pair[0], pair[1]); got != want {
			t.Errorf("%s: %t", fmt.Sprint(pair), got)
		}
	}
}
