package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"parley/retention"
)

// answerWithin is how long Redis may take to answer at start.
const answerWithin = 3 * time.Second

// openStore connects to the Redis of the configuration, or starts the embedded one.
func openStore(ctx context.Context, h *house, where *url.URL, log *slog.Logger) (*redis.Client, error) {
	redis.SetLogger(redisLog{log})
	options, err := storeOptions(ctx, h, where)
	if err != nil {
		return nil, err
	}
	rdb := redis.NewClient(options)
	h.closeLater("redis client", rdb.Close)
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	err = rdb.Ping(ctx).Err()
	switch {
	case err != nil && where == nil:
		return nil, fmt.Errorf("embedded store: %w", err)
	case err != nil:
		return nil, fmt.Errorf("redis: %s does not answer (%w); start it, mend the setting, or leave it out to try parley with its own store",
			redacted(where.String()), err)
	case where != nil:
		warnEviction(ctx, rdb, log)
	}
	return rdb, nil
}

// storeOptions never lets the client send a command twice: a script whose answer was lost may have
// paired two people already. See retention and matcher for how each call is repeated safely.
func storeOptions(ctx context.Context, h *house, where *url.URL) (*redis.Options, error) {
	options := &redis.Options{}
	if where == nil {
		server, password, err := startEmbedded(ctx, h)
		if err != nil {
			return nil, err
		}
		options.Addr, options.Password = server.Addr(), password
	} else {
		var err error
		if options, err = redis.ParseURL(where.String()); err != nil {
			return nil, errors.New("redis: the URL has a part that is not understood; it looks like redis://user:password@host:6379/0") // err may quote the password
		}
	}
	options.Protocol = 3
	options.MaxRetries = -1
	options.DialerRetries = 1
	options.ContextTimeoutEnabled = true
	options.DisableIdentity = true // Redis 7.0 cannot allow CLIENT SETINFO in an ACL file
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return options, nil
}

// startEmbedded starts a Redis inside this process, on a private port of the loopback interface
// with a password that nobody knows.
func startEmbedded(ctx context.Context, h *house) (*miniredis.Miniredis, string, error) {
	server, password := miniredis.NewMiniRedis(), rand.Text()
	server.RequireAuth(password)
	if err := server.StartAddr("127.0.0.1:0"); err != nil {
		return nil, "", fmt.Errorf("embedded store: %w", err)
	}
	h.closeLater("embedded store", func() error { server.Close(); return nil })
	h.run(ctx, "clock of the embedded store", func(ctx context.Context) error {
		keepTime(ctx, server)
		return nil
	})
	return server, password, nil
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

// warnEviction warns of a Redis that throws keys away when its memory is full: nearly all of ours
// carry an expiry, so it would throw away matches and reports.
func warnEviction(ctx context.Context, rdb *redis.Client, log *slog.Logger) {
	policy, err := rdb.ConfigGet(ctx, "maxmemory-policy").Result()
	if err != nil {
		log.LogAttrs(ctx, slog.LevelInfo, "redis does not tell its maxmemory-policy; make sure that it is noeviction", slog.Any("error", err))
		return
	}
	if p := policy["maxmemory-policy"]; p != "" && p != "noeviction" {
		log.LogAttrs(ctx, slog.LevelWarn, "redis may throw away matches and reports when its memory is full; set maxmemory-policy to noeviction", slog.String("policy", p))
	}
}

// acceptsWrites returns a check whether Redis would accept a write now. LPUSHX on a key that never
// exists leaves nothing behind, yet a replica, a full memory or a failed disk refuses it as it
// would refuse any write.
func acceptsWrites(rdb *redis.Client) func(context.Context) error {
	never := retention.Waits.Key("ready", "ready")
	return func(ctx context.Context) error { return rdb.LPushX(ctx, never, "").Err() }
}

// redisLog hands the client's own messages on to ours, without the addresses that they hold. They
// repeat what callers get as an error, for every attempt, hence debug.
type redisLog struct{ log *slog.Logger }

func (r redisLog) Printf(ctx context.Context, format string, args ...any) {
	r.log.LogAttrs(ctx, slog.LevelDebug, "redis client", slog.String("says", fmt.Sprintf(format, args...)))
}
