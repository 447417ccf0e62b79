package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"parley/internal/store"
)

// answerWithin is how long Redis may take to answer at start.
const answerWithin = 3 * time.Second

// memory is the way to the common store.
type memory struct {
	where store.Where // of the embedded one too
	rdb   redis.UniversalClient
	watch *store.Watch
}

// openStore connects to the Redis of the configuration, or starts the embedded one, and returns once
// it takes a write. The watch is the caller's to run.
func openStore(ctx context.Context, h *house, where store.Where, log *slog.Logger) (*memory, error) {
	redis.SetLogger(redisLog{log})
	m := &memory{where: where}
	if where.IsEmbedded() {
		var err error
		if m.where, err = startEmbedded(ctx, h); err != nil {
			return nil, err
		}
	}
	m.rdb = m.where.Open()
	h.closeLater("redis client", m.rdb.Close)
	m.watch = store.NewWatch(m.rdb, log)
	if where.IsEmbedded() {
		m.watch.KeepsAll()
	}
	first, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if err := m.watch.Ask(first); err != nil {
		return nil, where.Explain(err)
	}
	return m, nil
}

// ready says why visitors should go elsewhere, nil if they need not. It answers at once, from what
// the watch saw last.
func (m *memory) ready(context.Context) error { return m.watch.Err() }

// listener returns a second client, for subscriptions.
func (m *memory) listener(h *house) redis.UniversalClient {
	rdb := m.where.Listener()
	h.closeLater("redis client for listening", rdb.Close)
	return rdb
}

// startEmbedded starts a Redis inside this process, on a private port of the loopback interface
// with a password that nobody knows.
func startEmbedded(ctx context.Context, h *house) (store.Where, error) {
	server, password := miniredis.NewMiniRedis(), rand.Text()
	server.RequireAuth(password)
	if err := server.StartAddr("127.0.0.1:0"); err != nil {
		return store.Where{}, fmt.Errorf("embedded store: %w", err)
	}
	h.closeLater("embedded store", func() error { server.Close(); return nil })
	h.run(ctx, "clock of the embedded store", func(ctx context.Context) error {
		keepTime(ctx, server)
		return nil
	})
	return store.Parse("redis://:" + password + "@" + server.Addr())
}

// keepTime lets keys expire in real time. The server could look at the clock itself, but would
// then walk through all keys on every command.
func keepTime(ctx context.Context, server *miniredis.Miniredis) {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			now := time.Now()
			server.FastForward(now.Sub(last))
			last = now
		}
	}
}

// quietClient keeps the client of Redis from writing lines of its own beside the answer of a command:
// what it says of a connection, the error says too. A store that is opened tells them to its log.
func quietClient() { redis.SetLogger(redisLog{slog.New(slog.DiscardHandler)}) }

// redisLog hands the client's own messages on to ours, without the addresses that they hold. They
// repeat what callers get as an error, for every attempt, hence debug.
type redisLog struct{ log *slog.Logger }

func (r redisLog) Printf(ctx context.Context, format string, args ...any) {
	r.log.LogAttrs(ctx, slog.LevelDebug, "redis client", slog.String("says", fmt.Sprintf(format, args...)))
}
