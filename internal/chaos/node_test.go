package chaos_test

import (
	"context"
	"flag"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/vtest"
)

// together is how many tests run at the same time: they wait most of their time.
const together = "4"

func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", together); err != nil { // the command line may say otherwise
		panic(err)
	}
	flag.Parse()
	os.Exit(vtest.Build(m, "parley/cmd/parley", "parley/bench"))
}

// node is one process of parley, with what lies between it and Redis.
type node struct {
	*vtest.Process
	host  string // where it listens
	ready string // its /readyz
	takes atomic.Bool
	fault *vtest.Fault // before a Redis of one server; nil otherwise
}

// newNode is a node that is not started yet. store says where its Redis is.
func newNode(t *testing.T, public, state string, store func(*node) string) *node {
	t.Helper()
	operator := vtest.FreeAddr(t)
	n := &node{host: vtest.FreeAddr(t), ready: "http://" + operator + "/readyz"}
	n.Process = vtest.NewProcess(t, "parley",
		"--listen", n.host, "--operator-listen", operator, "--relay-listen", vtest.FreeAddr(t),
		"--public-url", public, "--state", state,
		"--trusted-proxies", "127.0.0.0/8", "--log-level", "warn", "--redis", store(n))
	return n
}

// answers tells whether it takes connections.
func (n *node) answers() bool {
	c, err := net.DialTimeout("tcp4", n.host, time.Second)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// look asks the node whether it takes people.
func (n *node) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, n.ready, nil)
	if err != nil {
		panic(err) // our own address
	}
	answer, err := http.DefaultClient.Do(q)
	if err == nil {
		answer.Body.Close()
	}
	n.takes.Store(err == nil && answer.StatusCode == http.StatusOK)
}

// balancer leads each connection to a node that says that it is ready, one after the other; to any
// when none does. It asks twice a second.
type balancer struct {
	*vtest.Door
	nodes atomic.Pointer[[]*node]
	next  atomic.Int64
}

func newBalancer(t *testing.T) *balancer {
	t.Helper()
	b := &balancer{}
	b.nodes.Store(&[]*node{})
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { b.look(ctx) })
	t.Cleanup(func() {
		cancel()
		work.Wait()
	})
	b.Door = vtest.NewDoor(t, vtest.FreeAddr(t), b.order)
	return b
}

// look asks all nodes again and again.
func (b *balancer) look(ctx context.Context) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		for _, n := range *b.nodes.Load() {
			n.look(ctx)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// order is where to try to lead a connection: to the ready ones first, another one each time.
func (b *balancer) order() (hosts []string) {
	nodes := *b.nodes.Load()
	var others []string
	first := int(b.next.Add(1))
	for i := range nodes {
		n := nodes[(first+i)%len(nodes)]
		if n.takes.Load() {
			hosts = append(hosts, n.host)
		} else {
			others = append(others, n.host)
		}
	}
	return append(hosts, others...)
}
