package link_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/link"
	"parley/internal/vtest"
)

// name is a node's name that ends in a letter.
func name(letter byte) string { return fmt.Sprintf("node%017d%c", 0, letter) }

// node is a link with an owner that notes what it is told.
type node struct {
	*link.Link
	name string
	dead atomic.Bool // as the others see it

	mu    sync.Mutex
	log   []string // what was delivered and reset, in order
	heard map[string][]uint64
	ups   []bool
	block chan struct{} // Deliver waits for it, if set
}

// numbered is a message that holds its number.
func numbered(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// start starts a link between client and pubsub. The caller ends it.
func start(t *testing.T, me string, client, pubsub redis.UniversalClient, all func(string) *node) (n *node, stop func()) {
	n = &node{name: me, heard: map[string][]uint64{}}
	n.Link = link.New(link.Config{
		Node: me, Client: client, PubSub: pubsub,
		Alive: func(other string) bool { o := all(other); return o != nil && !o.dead.Load() },
		Deliver: func(from string, m []byte) {
			n.mu.Lock()
			block := n.block
			n.mu.Unlock()
			if block != nil {
				<-block
			}
			n.mu.Lock()
			defer n.mu.Unlock()
			n.heard[from] = append(n.heard[from], binary.BigEndian.Uint64(m))
			n.log = append(n.log, fmt.Sprintf("%s %d", from[21:], binary.BigEndian.Uint64(m)))
		},
		Reset: func(other string) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.heard[other] = append(n.heard[other], 0)
			n.log = append(n.log, other[21:]+" reset")
		},
		Up: func(up bool) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.ups = append(n.ups, up)
		},
	})
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() {
		if err := n.Run(ctx); err != nil {
			t.Error(err)
		}
	})
	return n, func() { cancel(); run.Wait() }
}

// said returns the log so far.
func (n *node) said() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return fmt.Sprint(n.log)
}

// bubble is nodes on an embedded Redis, each behind a faulty network of its own.
type bubble struct {
	t      *testing.T
	server *vtest.Redis
	nodes  map[string]*node
	faults map[string]*vtest.Fault
}

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, test func(*bubble)) {
	synctest.Test(t, func(t *testing.T) {
		test(&bubble{t: t, server: vtest.NewRedis(t), nodes: map[string]*node{}, faults: map[string]*vtest.Fault{}})
	})
}

// add starts a node.
func (b *bubble) add(letter byte) *node {
	me := name(letter)
	f := vtest.NewFault(b.t, b.server.Options())
	n, stop := startBehind(b.t, me, f, func(other string) *node { return b.nodes[other] })
	b.t.Cleanup(stop)
	b.nodes[me], b.faults[me] = n, f
	b.pass(time.Second)
	return n
}

// startBehind starts a link behind a proxy.
func startBehind(t *testing.T, me string, f *vtest.Fault, all func(string) *node) (*node, func()) {
	client := redis.NewClient(f.Options())
	opts := f.Options()
	opts.Protocol = 2
	pubsub := redis.NewClient(opts)
	n, stop := start(t, me, client, pubsub, all)
	return n, func() {
		stop()
		client.Close()
		pubsub.Close()
	}
}

func (b *bubble) fault(n *node) *vtest.Fault { return b.faults[n.name] }

// pass lets time pass until everything waits.
func (b *bubble) pass(d time.Duration) {
	b.t.Helper()
	time.Sleep(d)
	synctest.Wait()
}

// want compares what a node was told.
func (b *bubble) want(n *node, log string) {
	b.t.Helper()
	if got := n.said(); got != log {
		b.t.Errorf("after %+v: %s was told %s, want %s", n.Counts(), n.name[21:], got, log)
	}
}

func (b *bubble) send(from, to *node, numbers ...uint64) {
	b.t.Helper()
	for _, n := range numbers {
		if !from.Send(to.name, numbered(n)) {
			b.t.Errorf("message %d was refused", n)
		}
	}
}

// TestLinkCarries: in order, both ways, within moments.
func TestLinkCarries(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ana, bo := b.add('a'), b.add('b')
		if !ana.Up() || !bo.Up() {
			t.Fatal("not up")
		}
		b.send(ana, bo, 1, 2, 3)
		b.send(bo, ana, 1)
		b.pass(0)
		b.want(bo, "[a 1 a 2 a 3]")
		b.want(ana, "[b 1]")
		b.pass(time.Minute)
		b.want(bo, "[a 1 a 2 a 3]")
		if c := ana.Counts(); c != (link.Counts{}) {
			t.Errorf("%+v", c)
		}
	})
}
