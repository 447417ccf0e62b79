package link_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"slices"
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

	mu     sync.Mutex
	log    []string // what was delivered and reset, in order
	heard  map[string][]uint64
	resets map[string]int
	ups    []bool
	block  chan struct{} // Deliver waits for it, if set
}

// numbered is a message that holds its number.
func numbered(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// start starts a link between client and pubsub. The caller ends it.
func start(t *testing.T, me string, client, pubsub redis.UniversalClient, all func(string) *node) (n *node, stop func()) {
	n = &node{name: me, heard: map[string][]uint64{}, resets: map[string]int{}}
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
			n.resets[other]++
			n.log = append(n.log, other[21:]+" reset")
		},
		Up: func(up bool) {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.ups = append(n.ups, up)
		},
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)).With(slog.String("node", me[21:])),
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

// bubble is nodes on an embedded Redis.
type bubble struct {
	t      *testing.T
	server *vtest.Redis
	nodes  map[string]*node
}

// lines are a node's ways to Redis: one for publishing, one for its subscription.
type lines struct{ pub, sub *vtest.Fault }

// both does something to both lines.
func (l lines) both(do func(*vtest.Fault)) { do(l.pub); do(l.sub) }

// inBubble runs a test in virtual time.
func inBubble(t *testing.T, test func(*bubble)) {
	synctest.Test(t, func(t *testing.T) {
		test(&bubble{t: t, server: vtest.NewRedis(t), nodes: map[string]*node{}})
	})
}

// add starts a node on lines of its own and waits until it is up.
func (b *bubble) add(letter byte) (*node, lines) {
	n, l := b.addOn(letter, b.server.Options())
	b.pass(time.Second)
	return n, l
}

func (b *bubble) addOn(letter byte, server *redis.Options) (*node, lines) {
	me := name(letter)
	l := newLines(b.t, server)
	n, stop := l.start(b.t, me, func(other string) *node { return b.nodes[other] })
	b.t.Cleanup(stop)
	b.nodes[me] = n
	return n, l
}

func newLines(t *testing.T, server *redis.Options) lines {
	return lines{vtest.NewFault(t, server), vtest.NewFault(t, server)}
}

// start starts a link on the lines.
func (l lines) start(t *testing.T, me string, all func(string) *node) (*node, func()) {
	client := redis.NewClient(l.pub.Options())
	opts := l.sub.Options()
	opts.Protocol = 2
	pubsub := redis.NewClient(opts)
	n, stop := start(t, me, client, pubsub, all)
	return n, func() {
		stop()
		client.Close()
		pubsub.Close()
	}
}

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

// wantUps compares what a node was told of the bus.
func (b *bubble) wantUps(n *node, ups ...bool) {
	b.t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if !slices.Equal(n.ups, ups) {
		b.t.Errorf("%s was told up %v, want %v", n.name[21:], n.ups, ups)
	}
}

func (b *bubble) send(from, to *node, numbers ...uint64) {
	b.t.Helper()
	for _, n := range numbers {
		if !from.Send(to.name, "", numbered(n)) {
			b.t.Errorf("message %d was refused", n)
		}
	}
}

// TestLinkCarries: in order, both ways, at once; and then there is silence but for probes.
func TestLinkCarries(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ana, _ := b.add('a')
		bo, _ := b.add('b')
		b.wantUps(ana, true)
		b.send(ana, bo, 1, 2, 3)
		b.send(bo, ana, 1)
		b.pass(10 * time.Millisecond) // what is sent while a PUBLISH runs is gathered
		b.want(bo, "[a 1 a 2 a 3]")
		b.want(ana, "[b 1]")
		before := b.server.Commands()
		b.pass(10 * time.Minute)
		if n := b.server.Commands() - before; n < 100 || n > 130 {
			t.Error(n, "commands in 10 quiet minutes of two nodes")
		}
		b.want(bo, "[a 1 a 2 a 3]")
		b.wantUps(ana, true)
		if c := ana.Counts(); c != (link.Counts{}) {
			t.Errorf("%+v", c)
		}
	})
}

// TestLinkRefuses: a node that is not alive, oneself, no name, too long a message.
func TestLinkRefuses(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ana, _ := b.add('a')
		bo, _ := b.add('b')
		for _, to := range []string{name('x'), ana.name, "bo", ""} {
			if ana.Send(to, "", numbered(1)) {
				t.Errorf("a message to %q was taken", to)
			}
		}
		if ana.Send(bo.name, "", make([]byte, link.MaxMessage+1)) || !ana.Send(bo.name, "", make([]byte, link.MaxMessage)) {
			t.Error("the longest message is", link.MaxMessage)
		}
		bo.dead.Store(true)
		if ana.Send(bo.name, "", numbered(2)) {
			t.Error("a message to a dead node was taken")
		}
		b.pass(time.Second)
		b.want(bo, "[a 0]")
		if n := ana.Counts().Refused; n != 6 {
			t.Error(n, "refusals")
		}
	})
}

// TestLinkSubscriberCut: what is published while a node does not listen arrives when it does again.
func TestLinkSubscriberCut(t *testing.T) {
	inBubble(t, func(b *bubble) {
		ana, _ := b.add('a')
		bo, lines := b.add('b')
		b.send(ana, bo, 1)
		b.pass(time.Second)
		lines.sub.Refuse()
		lines.sub.Cut()
		b.pass(0)
		if bo.Up() {
			t.Error("a cut goes unnoticed")
		}
		b.send(ana, bo, 2, 3, 4)
		b.pass(8 * time.Second)
		b.want(bo, "[a 1]")
		lines.sub.Heal()
		for start := time.Now(); !bo.Up() && time.Since(start) < 3*time.Second; {
			b.pass(10 * time.Millisecond)
		}
		b.want(bo, "[a 1 a 2 a 3 a 4]") // it asked; no timer passed
		b.wantUps(bo, true, false, true)
	})
}

// TestLinkDeadSubscription: a subscription that looks alive and is dead is found out: at once when
// somebody does not acknowledge, else after a while. Nothing is lost.
func TestLinkDeadSubscription(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer bool // the deaf one sends too
		within time.Duration
	}{{"quiet", false, 15 * time.Second}, {"sending", true, 5 * time.Second}} {
		t.Run(c.name, func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				ana, _ := b.add('a')
				bo, lines := b.add('b')
				b.send(ana, bo, 1)
				b.pass(10 * time.Millisecond)
				lines.sub.Strand()
				if c.answer {
					b.send(bo, ana, 1)
				}
				for n := uint64(2); n < 7; n++ {
					b.send(ana, bo, n)
					b.pass(100 * time.Millisecond)
				}
				b.want(bo, "[a 1]")
				if !bo.Up() {
					t.Error("who told it?")
				}
				b.pass(c.within)
				b.want(bo, "[a 1 a 2 a 3 a 4 a 5 a 6]")
				b.wantUps(bo, true, false, true)
				if n := bo.Counts().Rebuilds; n != 1 {
					t.Error(n, "rebuilds")
				}
			})
		})
	}
}

// TestLinkFailover: the subscription is alive, on a server that nobody publishes to any more.
func TestLinkFailover(t *testing.T) {
	inBubble(t, func(b *bubble) {
		old, promoted := b.server.Options(), vtest.NewRedis(b.t).Options()
		var failed atomic.Bool
		both := *old
		both.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if failed.Load() {
				return promoted.Dialer(ctx, network, addr)
			}
			return old.Dialer(ctx, network, addr)
		}
		ana, fromAna := b.addOn('a', &both)
		bo, fromBo := b.addOn('b', &both)
		b.pass(time.Second)
		b.send(ana, bo, 1)
		b.pass(time.Second)
		failed.Store(true)
		fromAna.pub.Cut()
		fromBo.pub.Cut()
		b.send(ana, bo, 2)
		b.pass(15 * time.Second)
		b.want(bo, "[a 1 a 2]")
		b.send(bo, ana, 1)
		b.pass(time.Second)
		b.want(ana, "[b 1]")
	})
}

// TestLinkOutage: Redis away for less than 30 s costs nothing but refusals after 10; a longer outage
// loses, and both are told.
func TestLinkOutage(t *testing.T) {
	for _, c := range []struct {
		away     time.Duration
		ana, bo  string
		refusing bool
	}{
		{9 * time.Second, "[b 1 b 2]", "[a 1 a 2]", false},
		{25 * time.Second, "[b 1 b 2]", "[a 1 a 2]", true},
		{40 * time.Second, "[b 1 b reset b reset]", "[a 1 a reset a reset]", true},
	} {
		t.Run(c.away.String(), func(t *testing.T) {
			inBubble(t, func(b *bubble) {
				ana, fromAna := b.add('a')
				bo, fromBo := b.add('b')
				all := []*vtest.Fault{fromAna.pub, fromAna.sub, fromBo.pub, fromBo.sub}
				b.send(ana, bo, 1)
				b.send(bo, ana, 1)
				b.pass(time.Second)
				for _, f := range all {
					f.Refuse()
					f.Cut()
				}
				b.send(ana, bo, 2)
				b.send(bo, ana, 2)
				b.pass(c.away)
				if ana.Send(bo.name, "", numbered(3)) == c.refusing {
					t.Error("refusing is not", c.refusing)
				}
				for _, f := range all {
					f.Heal()
				}
				b.pass(3 * time.Second)
				if !ana.Up() || !bo.Up() {
					t.Error("not back within 3 s")
				}
				if !c.refusing {
					c.bo = "[a 1 a 2 a 3]"
				}
				b.want(ana, c.ana)
				b.want(bo, c.bo)
				b.send(ana, bo, 4)
				b.pass(time.Second)
				b.want(bo, c.bo[:len(c.bo)-1]+" a 4]")
			})
		})
	}
}

// TestLinkReplyLost: a message whose PUBLISH was carried out and not answered is delivered once.
func TestLinkReplyLost(t *testing.T) {
	for _, loss := range []vtest.Loss{vtest.CloseAfter, vtest.StallAfter, vtest.TearAfter} {
		inBubble(t, func(b *bubble) {
			ana, lines := b.add('a')
			bo, _ := b.add('b')
			want := ""
			for n := range uint64(20) {
				lines.pub.DropReplies(1, loss, "publish")
				b.send(ana, bo, n)
				b.pass(4 * time.Second)
				want += fmt.Sprintf(" a %d", n)
			}
			b.want(bo, "["+want[1:]+"]")
			if loss != vtest.StallAfter { // which takes long enough to be an outage
				b.wantUps(ana, true)
			}
			if n := lines.pub.Counts().Dropped; n < 20 {
				t.Error("only", n, "dropped")
			}
		})
	}
}
