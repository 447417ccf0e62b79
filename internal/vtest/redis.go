package vtest

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Redis is an embedded server inside the caller's synctest bubble, with a client.
type Redis struct {
	*redis.Client
	server  *miniredis.Miniredis
	clients []*redis.Client // all; one goroutine makes them
}

// NewRedis starts an embedded Redis. Call it inside the bubble; it ends with the test. Time passes
// in it only by [Redis.Pass].
func NewRedis(t testing.TB) *Redis {
	t.Helper()
	m := miniredis.NewMiniRedis()
	if err := m.Start(); err != nil {
		t.Fatal(err)
	}
	server := m.Server()
	server.Close() // no TCP: an accept loop would never be durably blocked
	m.SetTime(time.Now())
	r := &Redis{server: m}
	r.Client = r.Another()
	t.Cleanup(func() {
		for _, c := range r.clients {
			_ = c.Close()
		}
	})
	return r
}

// Another returns one more client of the same server. It is closed with the test, or before by the
// caller: then it fails, as when a node is cut off.
func (r *Redis) Another() *redis.Client {
	server := r.server.Server()
	rdb := redis.NewClient(&redis.Options{
		Addr: "192.0.2.9:6379", // an IP literal: go-redis resolves a name even with a Dialer
		Dialer: func(context.Context, string, string) (net.Conn, error) {
			c, s := Pipe()
			server.ServeConn(s)
			return c, nil
		},
		MaxRetries:               -1,
		ContextTimeoutEnabled:    true,
		DisableIdentity:          true,
		MaintNotificationsConfig: quiet(),
	})
	r.clients = append(r.clients, rdb)
	return rdb
}

// Pass lets d of virtual time pass, in the bubble and in the server, in steps short enough that
// leases of three seconds that somebody renews do not run out in between.
func (r *Redis) Pass(d time.Duration) {
	const step = 250 * time.Millisecond
	for d > 0 {
		s := min(d, step)
		time.Sleep(s) //nolint:forbidigo // virtual: the caller is in a synctest bubble
		r.server.FastForward(s)
		r.server.SetTime(time.Now())
		d -= s
	}
}

// Advance sets the server's clock d ahead of what it was and lets keys expire, without waiting: for
// suites outside a bubble whose only clock is the server's.
func (r *Redis) Advance(d time.Duration) {
	now := r.Time(context.Background()).Val()
	r.server.FastForward(d)
	r.server.SetTime(now.Add(d))
}

// Away makes every command fail until Back, as when the server is loading or gone.
func (r *Redis) Away() { r.server.SetError("LOADING the embedded server was told to be away") }

// Back ends Away.
func (r *Redis) Back() { r.server.SetError("") }

// Keys returns every key, for tests that look at what is remembered.
func (r *Redis) Keys() []string { return r.server.Keys() }

// StartRedis starts a real redis-server on a Unix socket and returns its client options. Without
// redis-server on the PATH the test is skipped, or fails when PARLEY_REDIS=require. The client is
// parley's, with the rights of deploy/redis-acl and no more.
func StartRedis(t testing.TB) *redis.Options {
	t.Helper()
	path := redisServer(t)
	dir, err := os.MkdirTemp("", "parley-redis") //nolint:usetesting // t.TempDir can be longer than the path of a socket may be
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	//nolint:gosec // the path is what LookPath found
	server := exec.Command(path, "--port", "0", "--unixsocket", socket, "--save", "", "--appendonly", "no", "--dir", dir, "--aclfile", accessList(t, dir))
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait() // killed: the error says just that
		_ = os.RemoveAll(dir)
	})
	opts := &redis.Options{
		Network: "unix", Addr: socket, Username: user, Password: password,
		MaxRetries: -1, ContextTimeoutEnabled: true, DisableIdentity: true,
		MaintNotificationsConfig: quiet(),
	}
	awaitRedis(t, opts)
	return opts
}

// awaitRedis returns once the server answers; it gives up after 10 s.
func awaitRedis(t testing.TB, opts *redis.Options) {
	t.Helper()
	rdb := redis.NewClient(opts)
	defer func() { _ = rdb.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for rdb.Ping(ctx).Err() != nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("redis-server does not answer")
		}
	}
}

// quiet switches off CLIENT MAINT_NOTIFICATIONS, which only one vendor's servers understand.
func quiet() *maintnotifications.Config {
	return &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
}
