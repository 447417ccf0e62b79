package vtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/store"
)

// Server is one real redis-server process on a port of the loopback interface.
type Server struct {
	Addr string // host:port
	Dir  string // what is its own
	t    testing.TB
	path string
	args []string
	proc *exec.Cmd
	open bool  // it has users of its own, or none
	door *Door // before it; see [Server.told]

	mu     sync.Mutex // guards client
	client *redis.Client
}

// StartServer starts a redis-server that keeps nothing on disk, with more arguments after its own.
// It ends with the test. Without redis-server the test is skipped as by [StartRedis].
func StartServer(t testing.TB, args ...string) *Server {
	t.Helper()
	s := newServer(t)
	s.start(append([]string{"--save", "", "--appendonly", "no"}, args...)...)
	s.await()
	return s
}

// newServer finds a free port and a directory.
func newServer(t testing.TB) *Server {
	t.Helper()
	dir, err := os.MkdirTemp("", "parley-redis") //nolint:usetesting // removed after the process has ended
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Addr: FreeAddr(t), Dir: dir, t: t, path: redisServer(t)}
	t.Cleanup(func() {
		s.Kill()
		_ = os.RemoveAll(dir)
	})
	return s
}

// redisServer returns the program that PARLEY_REDIS_PROGRAM names, like valkey-server, else
// redis-server; or ends the test.
func redisServer(t testing.TB) string {
	t.Helper()
	name := cmp.Or(os.Getenv("PARLEY_REDIS_PROGRAM"), "redis-server")
	path, err := exec.LookPath(name)
	if err != nil && name != "redis-server" {
		t.Fatalf("PARLEY_REDIS_PROGRAM: %v", err)
	}
	if err != nil {
		if os.Getenv("PARLEY_REDIS") == "require" {
			t.Fatal("redis-server is not installed: apt-get install redis-server")
		}
		t.Skip("redis-server is not installed: apt-get install redis-server")
	}
	return path
}

// FreeAddr returns an address of the loopback interface that was free a moment ago, for TCP and for
// UDP, and that no other test gets before this one has ended. Its port is below those from which the
// system takes one for each connection, so that none of these takes it.
func FreeAddr(t testing.TB) string {
	t.Helper()
	for range 50 {
		port := 10_000 + rand.IntN(20_000) //nolint:gosec // no secret
		if port == unsafePort || !reserved(t, port) {
			continue
		}
		at := fmt.Sprintf("127.0.0.1:%d", port)
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp4", at)
		if err != nil {
			continue
		}
		u, err := new(net.ListenConfig).ListenPacket(context.Background(), "udp4", at)
		_ = l.Close()
		if err != nil {
			continue
		}
		_ = u.Close()
		return at
	}
	t.Fatal("no port is free")
	return ""
}

// unsafePort is the only port of those that Chromium opens no page from (net::ERR_UNSAFE_PORT).
const unsafePort = 10_080

// reserved takes a port for the test, unless another one has it, be it of another process.
func reserved(t testing.TB, port int) bool {
	t.Helper()
	dir := filepath.Join(os.TempDir(), "parley-ports")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, strconv.Itoa(port))
	if info, err := os.Stat(name); err == nil && time.Since(info.ModTime()) > forgotten {
		_ = os.Remove(name)
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // the name is ours
	if err != nil {
		return false
	}
	_ = f.Close()
	t.Cleanup(func() { _ = os.Remove(name) })
	return true
}

// forgotten is the age of a reservation whose test was killed.
const forgotten = 2 * time.Hour

// start runs the process with arguments that Again repeats.
func (s *Server) start(args ...string) {
	s.t.Helper()
	_, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		s.t.Fatal(err)
	}
	if s.open = ownUsers(args); !s.open {
		args = append([]string{"--aclfile", accessList(s.t, s.Dir)}, args...)
	}
	s.args = append([]string{"--bind", "127.0.0.1", "--port", port, "--dir", s.Dir, "--logfile", filepath.Join(s.Dir, "log")}, args...)
	s.Again()
}

// Again starts a killed server again on its port, with whatever it kept on disk.
func (s *Server) Again() {
	s.t.Helper()
	s.proc = exec.Command(s.path, s.args...) //nolint:gosec // the path is what LookPath found
	if err := s.proc.Start(); err != nil {
		s.t.Fatal(err)
	}
}

// Kill ends the process at once, as kill -9 does, and waits until it is gone. It may be repeated.
func (s *Server) Kill() {
	if s.proc == nil {
		return
	}
	_ = s.proc.Process.Kill()
	_ = s.proc.Wait() // killed: the error says just that
	s.proc = nil
}

// Pid is the number of the process; 0 while it is killed.
func (s *Server) Pid() int {
	if s.proc == nil {
		return 0
	}
	return s.proc.Process.Pid
}

// Pause stops the process with SIGSTOP: its connections stay open and nothing answers.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume ends Pause.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig os.Signal) {
	s.t.Helper()
	if err := s.proc.Process.Signal(sig); err != nil {
		s.t.Fatal(err)
	}
}

// URL is how parley is told of this server.
func (s *Server) URL() string { return "redis://" + s.who() + s.Addr }

// who is as whom parley comes, for a URL.
func (s *Server) who() string {
	if s.open {
		return ""
	}
	return user + ":" + password + "@"
}

// Client returns a client for this one server, whatever it is part of, that may do everything:
// always the same, which is closed with the test.
func (s *Server) Client() *redis.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.client == nil {
		s.client = redis.NewClient(&redis.Options{
			Addr: s.Addr, MaxRetries: -1, ContextTimeoutEnabled: true, DisableIdentity: true, MaintNotificationsConfig: quiet(),
		})
		s.t.Cleanup(func() { _ = s.client.Close() })
	}
	return s.client
}

// AsParley returns a client for this server with the rights of deploy/redis-acl and no more. It
// is closed with the test.
func (s *Server) AsParley() *redis.Client {
	o := *s.Client().Options()
	if !s.open {
		o.Username, o.Password = user, password
	}
	rdb := redis.NewClient(&o)
	s.t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// Run gives the server one command and fails the test if it does not take it.
func (s *Server) Run(args ...any) any {
	s.t.Helper()
	c := s.Client()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	answer, err := c.Do(ctx, args...).Result()
	if err != nil {
		s.t.Fatalf("%v: %v", args, err)
	}
	return answer
}

// patience is how long servers may take to become what a test needs.
const patience = 20 * time.Second

// await returns once the server answers, be it that it wants a password.
func (s *Server) await() {
	s.t.Helper()
	c := s.Client()
	until(s.t, "redis-server does not answer: see "+s.Dir+"/log", func(ctx context.Context) bool {
		err, answer := c.Ping(ctx).Err(), redis.Error(nil)
		return err == nil || errors.As(err, &answer) && !strings.HasPrefix(err.Error(), "LOADING")
	})
}

// until asks again and again whether something has come about, and fails the test when it does not.
func until(t testing.TB, fault string, is func(context.Context) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !is(ctx) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal(fault)
		}
	}
}

// open returns the client that parley would make for an address. It is closed with the test.
func open(t testing.TB, url string) redis.UniversalClient {
	t.Helper()
	where, err := store.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	rdb := where.Open()
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}
