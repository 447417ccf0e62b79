package vtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// masterName is what the Sentinels of a [SentinelSet] call their master.
const masterName = "parley"

// SentinelSet is a primary with two replicas that three Sentinels watch, all real processes. A
// primary that is silent for a second is replaced.
type SentinelSet struct {
	Nodes     []*Server // the first is the primary at first
	Sentinels []*Server
	t         testing.TB
}

// StartSentinel starts a set that is ready to fail over, its servers with more arguments after their
// own. It ends with the test.
func StartSentinel(t testing.TB, args ...string) *SentinelSet {
	return startSentinel(t, func(*Server) {}, args...)
}

// StartSplittable is StartSentinel with a door before each process, so that Split can keep some of
// them apart from the others.
func StartSplittable(t testing.TB) *SentinelSet { return startSentinel(t, (*Server).hide) }

// startSentinel lets prepare see every process before it starts.
func startSentinel(t testing.TB, prepare func(*Server), more ...string) *SentinelSet {
	t.Helper()
	s := &SentinelSet{t: t}
	for i := range 3 {
		node := newServer(t)
		prepare(node)
		host, port, _ := strings.Cut(node.told(), ":")
		args := []string{
			"--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1",
			"--replica-announce-ip", host, "--replica-announce-port", port,
		}
		if i > 0 {
			args = append(args, "--replicaof", spaced(s.Nodes[0].told()))
		}
		node.start(append(args, more...)...)
		node.await()
		s.Nodes = append(s.Nodes, node)
	}
	primary := s.Nodes[0].Client()
	until(t, "the replicas do not come up", func(ctx context.Context) bool {
		conn := primary.Conn() // WAIT speaks of what its connection wrote
		defer func() { _ = conn.Close() }()
		return conn.Set(ctx, "x", "", time.Millisecond).Err() == nil && conn.Wait(ctx, 2, time.Second).Val() == 2
	})
	s.startSentinels(prepare)
	return s
}

// hide puts a door before a server that is not started yet.
func (s *Server) hide() {
	s.t.Helper()
	s.door = NewDoor(s.t, FreeAddr(s.t), func() []string { return []string{s.Addr} })
}

// told is the address that others are told: of the door, if there is one.
func (s *Server) told() string {
	if s.door != nil {
		return s.door.Addr
	}
	return s.Addr
}

// Split tears the network of a set from [StartSplittable]: the processes of that numbers, of servers
// and of anybody else, can reach one another and no others, until Join.
func (s *SentinelSet) Split(apart ...int) {
	s.t.Helper()
	for _, server := range s.all() {
		here := slices.Contains(apart, server.Pid())
		server.door.Hold(func(client net.Addr) bool { return owned(client, apart) != here })
	}
}

// Join ends Split.
func (s *SentinelSet) Join() {
	for _, server := range s.all() {
		server.door.Hold(nil)
	}
}

// Settled returns when all agree on one primary, and both others follow it. It fails the test when
// that does not come about.
func (s *SentinelSet) Settled() {
	s.t.Helper()
	until(s.t, "the set does not settle", func(ctx context.Context) bool {
		_, port, _ := strings.Cut(s.Primary().told(), ":") //nolint:contextcheck // bounded by itself
		following := 0
		for _, node := range s.Nodes {
			info := node.Client().Info(ctx, "replication").Val()
			if strings.Contains(info, "master_link_status:up") && strings.Contains(info, "master_port:"+port+"\r") {
				following++
			}
		}
		return following == len(s.Nodes)-1
	})
}

func (s *SentinelSet) all() []*Server { return slices.Concat(s.Nodes, s.Sentinels) }

// spaced is an address as Redis has it in its commands.
func spaced(addr string) string { return strings.Replace(addr, ":", " ", 1) }

// startSentinels starts three that know one another and the replicas from the start: to find out by
// themselves takes them ten seconds.
func (s *SentinelSet) startSentinels(prepare func(*Server)) {
	s.t.Helper()
	names := make([]string, 3)
	for i := range names {
		id := make([]byte, 20)
		rand.Read(id)
		names[i] = hex.EncodeToString(id)
		one := newServer(s.t)
		prepare(one)
		s.Sentinels = append(s.Sentinels, one)
	}
	for i, one := range s.Sentinels {
		lines := []string{
			"sentinel myid " + names[i],
			"sentinel announce-ip 127.0.0.1", "sentinel announce-port " + one.told()[strings.Index(one.told(), ":")+1:],
			fmt.Sprintf("sentinel monitor %s %s 2", masterName, spaced(s.Nodes[0].told())),
			"sentinel down-after-milliseconds " + masterName + " 1000",
			"sentinel failover-timeout " + masterName + " 3000",
		}
		for _, replica := range s.Nodes[1:] {
			lines = append(lines, fmt.Sprintf("sentinel known-replica %s %s", masterName, spaced(replica.told())))
		}
		for j, other := range s.Sentinels {
			if j != i {
				lines = append(lines, fmt.Sprintf("sentinel known-sentinel %s %s %s", masterName, spaced(other.told()), names[j]))
			}
		}
		one.startSentinel(lines)
	}
	for _, one := range s.Sentinels {
		one.await()
		one.neverTilts()
		c := redis.NewSentinelClient(one.Client().Options())
		s.t.Cleanup(func() { _ = c.Close() })
		until(s.t, "the Sentinels do not agree", func(ctx context.Context) bool {
			return c.CkQuorum(ctx, masterName).Err() == nil && len(c.Replicas(ctx, masterName).Val()) == 2
		})
	}
}

// neverTilts keeps a Sentinel from doing nothing for 30 s after it was not scheduled for 2 s, as
// happens on a machine that many tests load. Before Redis 7 it cannot be told to.
func (s *Server) neverTilts() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = s.Client().Do(ctx, "SENTINEL", "DEBUG", "TILT-TRIGGER", time.Hour.Milliseconds()).Err()
}

// startSentinel writes the file that a Sentinel keeps its state in, and starts it.
func (s *Server) startSentinel(lines []string) {
	s.t.Helper()
	_, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		s.t.Fatal(err)
	}
	file := filepath.Join(s.Dir, "sentinel.conf")
	lines = append([]string{"bind 127.0.0.1", "port " + port, "dir " + s.Dir, "logfile " + filepath.Join(s.Dir, "log")}, lines...)
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.args = []string{file, "--sentinel"}
	s.Again()
}

// URL is how parley is told of this set.
func (s *SentinelSet) URL() string {
	var hosts []string
	for _, one := range s.Sentinels {
		hosts = append(hosts, one.told())
	}
	return "redis-sentinel://" + s.Nodes[0].who() + strings.Join(hosts, ",") + "/" + masterName
}

// Client returns the client that parley would use. It is closed with the test.
func (s *SentinelSet) Client() redis.UniversalClient { return open(s.t, s.URL()) }

// Primary returns the server that the Sentinels call the master now.
func (s *SentinelSet) Primary() *Server {
	s.t.Helper()
	answer, ok := s.Sentinels[0].Run("SENTINEL", "GET-MASTER-ADDR-BY-NAME", masterName).([]any)
	if !ok || len(answer) != 2 {
		s.t.Fatalf("the Sentinels do not tell the master: %v", answer)
	}
	addr := fmt.Sprintf("%s:%s", answer...)
	for _, node := range s.Nodes {
		if node.told() == addr {
			return node
		}
	}
	s.t.Fatalf("%s is none of the set", addr)
	return nil
}

// Failover asks the Sentinels to make a replica the primary.
func (s *SentinelSet) Failover() {
	s.t.Helper()
	s.Sentinels[0].Run("SENTINEL", "FAILOVER", masterName)
}
