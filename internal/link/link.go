package link

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/retention"
)

// MaxMessage is the longest message that a link takes.
const MaxMessage = 256 << 10

const (
	defaultTimeout = 2 * time.Second

	// maxPeers bounds the nodes that a link knows. Those that were forgotten are known too, so that
	// nothing old is taken for new, until there are that many; then only they make room.
	maxPeers = 1024
)

// Config is what a link needs to know. Deliver, Reset and Up are called by one goroutine, one at a
// time; they must not block, and may call the link.
type Config struct {
	Node    string                      // this process: a random name of 22 characters of base64url
	Client  redis.UniversalClient       // for publishing
	PubSub  redis.UniversalClient       // for the subscription only; with Protocol 2
	Alive   func(node string) bool      // whether a node's lease holds; any goroutine may ask
	Deliver func(from string, m []byte) // m is the receiver's own
	Reset   func(node string)           // some messages from or to that node were lost for ever; comes before anything newer of it
	Up      func(up bool)               // optional: the bus as a whole is back or away; it begins away
	// Seal seals the packet that b ends with, from at on, for a node: 24 bytes that stay as they are
	// and are vouched for, 8 for what Open needs, then what is hidden. Open returns that, which may be
	// part of the packet, or false for a packet that from did not make for this node. Without them
	// nothing is sealed. Each is called by one goroutine.
	Seal    func(to string, b []byte, at int) []byte
	Open    func(from string, packet []byte) (body []byte, ok bool)
	Log     *slog.Logger  // default: none
	Timeout time.Duration // for one call to Redis; default 2 s
}

// Counts says what a link went through since its start.
type Counts struct {
	Gaps     int64 // arrivals that showed that something before them is missing
	Resends  int64 // messages published again
	Resets   int64 // calls of Reset
	Rebuilds int64 // subscriptions that were made anew
	Failures int64 // calls to Redis whose packets may not have been published
	Refused  int64 // messages that Send did not take
	Dropped  int64 // arrivals without room for them; they come again
	Garbage  int64 // arrivals that were not understood
	Aliens   int64 // nodes that speak another version
}

// Link is this node's end of the links to all others. Safe for concurrent use.
type Link struct {
	cfg     Config
	channel string
	lanes   lanes
	inbox   inbox
	pulse   pulse
	wake    chan struct{} // of the publisher
}

// lanes are the links to the other nodes. Nothing is read, written or called back under its mutex.
type lanes struct {
	mu     sync.Mutex // guards the following fields
	peers  map[string]*peer
	busy   map[*peer]struct{} // those that have something to publish or a deadline
	lives  uint64             // peers made; in the upper half of their first epoch
	sleeps time.Time          // until when the publisher sleeps; zero for ever
	counts Counts
}

// New returns a link. It carries once [Link.Run] runs. It panics when the node's name is not one.
func New(cfg Config) *Link {
	if !isName(cfg.Node) {
		panic("link: a node's name has 22 characters of base64url")
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	l := &Link{
		cfg: cfg, channel: retention.Bus.Key(cfg.Node),
		lanes: lanes{peers: map[string]*peer{}, busy: map[*peer]struct{}{}},
		inbox: inbox{news: make(chan struct{}, 1)},
		wake:  make(chan struct{}, 1),
		pulse: pulse{began: time.Now()},
	}
	l.pulse.speaks.Store(true)
	return l
}

// Run subscribes, receives and publishes until ctx ends. What was sent by then is published, and
// what has arrived delivered, before it returns. While Redis is away it goes on trying.
func (l *Link) Run(ctx context.Context) error {
	var receiver, publisher, deliverer sync.WaitGroup
	deliverer.Go(l.deliver)
	publisher.Go(func() { l.publish(ctx) })
	receiver.Go(func() { l.receive(ctx) })
	receiver.Wait()
	publisher.Wait()
	l.inbox.close()
	deliverer.Wait()
	return nil
}

// Send sends m to another node and never blocks. It keeps m: the caller must not change it. False
// says that m was refused and will not arrive: the node is not alive, is this one, or speaks another
// version; or too much for it is unacknowledged (4,096 messages or 4 MiB), or for too long (10 s).
// After a Reset for silence nothing is taken until the node answers. By names on whose behalf it is
// sent, who gets no more than a fair share: see the package comment. "" is for the owner itself.
func (l *Link) Send(to, by string, m []byte) bool {
	now := time.Now()
	if taken := len(m) <= MaxMessage && to != l.cfg.Node && isName(to) && l.cfg.Alive(to) && l.send(now, to, send{by, m}); !taken {
		l.count(func(c *Counts) { c.Refused++ })
		return false
	}
	poke(l.wake)
	return true
}

func (l *Link) send(now time.Time, to string, m send) bool {
	l.lanes.mu.Lock()
	defer l.lanes.mu.Unlock()
	p := l.peer(to)
	if p == nil {
		return false
	}
	for _, e := range p.Step(now, m) {
		if _, no := e.(refused); no {
			return false
		}
	}
	l.lanes.busy[p] = struct{}{}
	return true
}

// Forget drops everything about a node whose lease has ended. If it lives all the same, it gets a
// reset when it next sends. Forget is the only thing that ends the attempts to reach a node.
func (l *Link) Forget(node string) {
	l.lanes.mu.Lock()
	defer l.lanes.mu.Unlock()
	if p, known := l.lanes.peers[node]; known {
		p.Step(time.Now(), forget{})
	}
}

// Up says whether the bus as a whole works: what this node publishes to itself comes back.
func (l *Link) Up() bool { return l.pulse.hears.Load() && l.pulse.speaks.Load() }

// Counts returns what the link went through since its start.
func (l *Link) Counts() Counts {
	l.lanes.mu.Lock()
	defer l.lanes.mu.Unlock()
	return l.lanes.counts
}

func (l *Link) count(change func(*Counts)) {
	l.lanes.mu.Lock()
	defer l.lanes.mu.Unlock()
	change(&l.lanes.counts)
}

// peer returns the link to a node, which it makes if there is room; nil if not. The mutex must be
// held.
func (l *Link) peer(name string) *peer {
	if p, known := l.lanes.peers[name]; known {
		return p
	}
	if len(l.lanes.peers) >= maxPeers {
		l.evict()
	}
	if len(l.lanes.peers) >= maxPeers {
		return nil
	}
	l.lanes.lives++
	p := newPeer(name, l.lanes.lives<<32)
	p.channel = retention.Bus.Key(name)
	l.lanes.peers[name] = p
	return p
}

// evict drops nodes that were forgotten. The mutex must be held.
func (l *Link) evict() {
	for name, p := range l.lanes.peers {
		if _, busy := l.lanes.busy[p]; !busy && p.Idle() {
			delete(l.lanes.peers, name)
		}
	}
}

// settle carries out what a step of p asks for, other than publishing, and wakes the publisher if
// it would sleep too long. The mutex must be held, so that the inbox gets things in their order.
func (l *Link) settle(now time.Time, p *peer, effects []effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case deliver:
			l.inbox.put(p.name, e.bodies)
		case lost:
			l.lanes.counts.Resets++
			l.inbox.put(p.name, nil)
		case gap:
			l.lanes.counts.Gaps++
		case refused, publish, answer:
		}
	}
	ready, at := p.Ready(now), p.Deadline()
	if !ready && at.IsZero() {
		return
	}
	l.lanes.busy[p] = struct{}{}
	if sleeps := l.lanes.sleeps; ready || sleeps.IsZero() || at.Before(sleeps) {
		poke(l.wake)
	}
}

// poke wakes who waits on a channel of capacity 1, or will.
func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
