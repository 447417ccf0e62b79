package store_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/store"
	"parley/internal/vtest"
)

func open(t *testing.T, url string) (store.Where, redis.UniversalClient) {
	t.Helper()
	where, err := store.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	rdb := where.Open()
	t.Cleanup(func() { rdb.Close() })
	return where, rdb
}

// front stands before a server and can swallow one answer, with the connection.
type front struct {
	net.Listener
	swallow atomic.Bool
}

func newFront(t *testing.T) *front {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return &front{Listener: l}
}

// freePort returns a port for the bus of a Cluster.
func freePort(t *testing.T) string {
	t.Helper()
	f := newFront(t)
	defer f.Close()
	_, port, err := net.SplitHostPort(f.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// serve passes everything on until the test ends.
func (f *front) serve(t *testing.T, to string) {
	var all sync.WaitGroup
	t.Cleanup(func() {
		f.Close()
		all.Wait()
	})
	all.Go(func() {
		for {
			in, err := f.Accept()
			if err != nil {
				return
			}
			out, err := new(net.Dialer).DialContext(context.Background(), "tcp4", to)
			if err != nil {
				in.Close()
				continue
			}
			all.Go(func() { _, _ = io.Copy(out, in); out.Close() })
			all.Go(func() { f.back(in, out); in.Close() })
		}
	})
}

func (f *front) back(to, from net.Conn) {
	p := make([]byte, 64<<10)
	for {
		n, err := from.Read(p)
		if err != nil || f.swallow.Swap(false) {
			return
		}
		if _, err := to.Write(p[:n]); err != nil {
			return
		}
	}
}

// TestNothingIsSentTwice: an answer is lost after the command was done. The client must not do it
// again, on one server or in a Cluster, where it would by itself.
func TestNothingIsSentTwice(t *testing.T) {
	t.Parallel()
	t.Run("redis-server", func(t *testing.T) {
		f, server := newFront(t), vtest.StartServer(t)
		f.serve(t, server.Addr)
		sentOnce(t, f, "redis://"+f.Addr().String())
	})
	t.Run("cluster", func(t *testing.T) {
		f := newFront(t)
		host, port, _ := strings.Cut(f.Addr().String(), ":")
		bus := freePort(t)
		server := vtest.StartServer(t, "--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-announce-ip", host, "--cluster-announce-port", port)
		server.Run("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
		f.serve(t, server.Addr)
		sentOnce(t, f, "redis-cluster://"+f.Addr().String())
	})
}

func sentOnce(t *testing.T, f *front, url string) {
	t.Helper()
	_, rdb := open(t, url)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for rdb.Set(ctx, "n", 0, 0).Err() != nil && ctx.Err() == nil {
		<-tick.C // a Cluster needs a moment
	}
	script := redis.NewScript("return redis.call('INCR', KEYS[1])")
	if err := script.Run(ctx, rdb, []string{"n"}).Err(); err != nil { // it is loaded from now on
		t.Fatal(err)
	}
	for i := range 20 {
		before := rdb.Get(ctx, "n").Val()
		f.swallow.Store(true)
		err := script.Run(ctx, rdb, []string{"n"}).Err()
		n, errGet := rdb.Get(ctx, "n").Int()
		if err == nil || errGet != nil || n != i+2 {
			t.Fatalf("the answer was lost (%v): n was %s and is %d (%v), want %d", err, before, n, errGet, i+2)
		}
	}
}

// TestStoppedServer: no call outlives two seconds, its own bound or none, and however long the server
// is away, what waits for it does not grow.
func TestStoppedServer(t *testing.T) {
	server := vtest.StartServer(t)
	_, rdb := open(t, server.URL())
	if err := rdb.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	server.Pause()
	defer server.Resume()
	const workers = 60 // more than the pool has connections
	var longest atomic.Int64
	var calls sync.WaitGroup
	until := time.Now().Add(5 * time.Second)
	for i := range workers {
		bound := 2 * time.Second
		if i%2 == 0 {
			bound = 200 * time.Millisecond
		}
		calls.Go(func() {
			for time.Now().Before(until) {
				began := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), bound)
				if err := rdb.Ping(ctx).Err(); err == nil {
					t.Error("a stopped server answered")
				}
				cancel()
				if over := time.Since(began) - bound; int64(over) > longest.Load() {
					longest.Store(int64(over))
				}
			}
		})
	}
	half := time.NewTimer(2500 * time.Millisecond)
	<-half.C
	early := runtime.NumGoroutine()
	half.Reset(2 * time.Second)
	<-half.C
	late := runtime.NumGoroutine()
	calls.Wait()
	t.Logf("goroutines: %d before, %d and %d meanwhile; calls took up to %v too long", before, early, late, time.Duration(longest.Load()))
	if late > early+10 || late > before+2*workers {
		t.Errorf("goroutines grew from %d to %d to %d", before, early, late)
	}
	if over := time.Duration(longest.Load()); over > 500*time.Millisecond {
		t.Errorf("a call took %v longer than it might", over)
	}
	server.Resume()
	within(t, 3*time.Second, "all is as before", func() bool {
		return rdb.Ping(t.Context()).Err() == nil && runtime.NumGoroutine() <= before+10
	})
}

// TestListener: what is published by the client for commands comes to the client for listening.
func TestListener(t *testing.T) {
	t.Parallel()
	for _, start := range []struct {
		name string
		url  func(*testing.T) string
	}{
		{"redis-server", func(t *testing.T) string { return vtest.StartServer(t).URL() }},
		{"sentinel", func(t *testing.T) string { return vtest.StartSentinel(t).URL() }},
		{"cluster", func(t *testing.T) string { return vtest.StartCluster(t).URL() }},
	} {
		t.Run(start.name, func(t *testing.T) {
			where, rdb := open(t, start.url(t))
			ears := where.Listener()
			defer ears.Close()
			sub := ears.Subscribe(t.Context(), "parley:x")
			defer sub.Close()
			if _, err := sub.Receive(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := rdb.Publish(t.Context(), "parley:x", "hello").Err(); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			if m, err := sub.ReceiveMessage(ctx); err != nil || m.Payload != "hello" {
				t.Errorf("%v, %v", m, err)
			}
		})
	}
}

// probe asks until the answer is not that the server has just started.
func probe(t *testing.T, rdb redis.UniversalClient) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	return store.NewWatch(rdb, slog.New(slog.DiscardHandler)).Ask(ctx)
}

// TestExplain: what a real Redis refuses becomes a sentence with what to do, and no secret.
func TestExplain(t *testing.T) {
	t.Parallel()
	server := vtest.StartServer(t)
	_, port, _ := strings.Cut(server.Addr, ":")
	server.Run("ACL", "SETUSER", "weak", "on", ">sesame", "+ping", "+hello")
	server.Run("ACL", "SETUSER", "parley", "on", ">sesame", "resetkeys", "resetchannels")
	server.Run(append([]any{"ACL", "SETUSER", "parley"}, fields(store.Rights())...)...)
	locked := vtest.StartServer(t, "--requirepass", "sesame")
	replica := vtest.StartServer(t, "--replicaof", "127.0.0.1 "+port)
	full := vtest.StartServer(t, "--maxmemory", "1")
	lonely := vtest.StartServer(t, "--min-replicas-to-write", "1")
	gone := vtest.StartServer(t)
	gone.Kill()
	bus := freePort(t)
	empty := vtest.StartServer(t, "--cluster-enabled", "yes", "--cluster-port", bus)
	for _, c := range []struct{ url, says string }{
		{"redis://" + locked.Addr, "wants a password: put user:password@"},
		{"redis://:sesam@" + locked.Addr, "refuses the user or password"},
		{"redis://weak:sesam@" + server.Addr, "refuses the user or password"},
		{"redis://weak:sesame@" + server.Addr, "does not let this user do what parley needs: allow it what deploy/redis-acl allows"},
		{"redis://" + replica.Addr, "is a replica, which takes no writes"},
		{"redis://" + full.Addr, "its memory is full"},
		{"redis://" + lonely.Addr, "too few replicas"},
		{"redis://" + empty.Addr, "is a Cluster that does not serve all slots"},
		{"redis-cluster://" + server.Addr, "is no Cluster"},
		{"redis://" + server.Addr + "/99", "no database of that number"},
		{"rediss://" + server.Addr, "if it does not speak TLS"},
		{"redis://" + gone.Addr, "does not answer (dial tcp " + gone.Addr + ": connect: connection refused); start it"},
		{"redis-sentinel://" + gone.Addr + "/main", "start the Sentinels"},
		{"redis-cluster://" + gone.Addr, "connection refused); start it"},
		{"redis://parley:sesame@" + server.Addr, ""},
		{"redis://:sesame@" + locked.Addr, ""},
	} {
		where, rdb := open(t, c.url)
		err := where.Explain(probe(t, rdb))
		switch {
		case c.says == "" && err != nil, c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: %v; want %q", c.url, err, c.says)
		case err != nil && (strings.Contains(err.Error(), "sesam") || strings.Contains(err.Error(), "\n")):
			t.Errorf("%s: not one sentence without secrets: %v", c.url, err)
		}
	}
}

func fields(text string) []any {
	var all []any
	for f := range strings.FieldsSeq(text) {
		all = append(all, f)
	}
	return all
}

// TestExplainRemote: what only a set or a Cluster answers.
func TestExplainRemote(t *testing.T) {
	t.Parallel()
	set := vtest.StartSentinel(t)
	for url, says := range map[string]string{
		strings.TrimSuffix(set.URL(), "/parley") + "/main": "do not watch a master called main",
		"redis://" + set.Sentinels[0].Addr:                 "for a Sentinel use redis-sentinel://",
	} {
		where, rdb := open(t, url)
		if err := where.Explain(probe(t, rdb)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// TestExplainAnswers: what takes a disaster to produce, by the words that Redis has for it.
func TestExplainAnswers(t *testing.T) {
	where, err := store.Parse("redis://ana:sesame@localhost")
	if err != nil {
		t.Fatal(err)
	}
	for answer, says := range map[string]string{
		"LOADING Redis is loading the dataset in memory":                                   "is reading its data",
		"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.": "lost its primary",
		"MISCONF Redis is configured to save RDB snapshots":                                "cannot save",
		"MOVED 3999 127.0.0.1:6381":                                                        "use redis-cluster://",
		"ERR max number of clients reached":                                                "raise maxclients",
		"ERR something new":                                                                "does not answer (ERR something new)",
	} {
		if err := where.Explain(errors.New(answer)); err == nil || !strings.Contains(err.Error(), "redis://localhost:6379 "+says) && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", answer, err)
		}
	}
}
