package signaling

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"parley/internal/keyring"
	"parley/internal/link"
	"parley/matcher"
	"parley/moderation"
	"parley/moderation/puzzle"
)

// Config is what a hub needs.
type Config struct {
	Queue   *matcher.Queue
	Desk    *moderation.Desk
	Ring    *keyring.Ring
	Redis   Redis
	Ice     func(call string) Ice // credentials of this node's relay for one call of strangers; without servers while it takes nobody
	Open    func(room string) Ice // the same for a private room, which reach others than each other too
	Others  OtherRelays           // how nodes share their relays; by default each uses its own
	Origins []string              // exactly these pages may connect, for example "https://parley.example"
	Paused  func() bool           // whether operators have paused matching; nil: never
	Work    puzzle.Rule           // which searches cost work; default [puzzle.Usual]
	Limits  Limits                // how many searches somebody may begin
	Most    int                   // sockets at the same time, and half of the sessions; default 100,000
	Log     *slog.Logger
}

// Hub owns the sockets, sessions and rooms of one node.
type Hub struct {
	cfg      Config
	node     string
	upgrader upgrader
	door     admission
	tokens   tokens
	press    puzzle.Press
	meter    puzzle.Meter // of searches
	budgets  budgets
	bus      *Bus
	link     *link.Link
	homes    homes
	rooms    directory
	fleet    fleet
	debts    debts
	seals    *seals
	spouts   *shards[*spout]  // pipes to sockets of other nodes
	gates    *shards[*gate]   // pipes to sessions of other nodes
	tickets  *shards[*client] // who holds which ticket
	timers   *timers
	jobs     *jobs
	orphans  lane          // for offers to browsers that are gone
	buffers  sync.Pool     // of *bytes.Buffer, for frames that are being read
	stopped  chan struct{} // closed when Run ends
	wg       sync.WaitGroup

	mu    sync.Mutex // guards the following
	state hubState
	conns map[*conn]struct{}

	foreign atomic.Bool // a foreign origin was told of
	phases  [Gone + 1]atomic.Int64
	counts  struct{ resumed, slow, silent, calls, failed, garbled atomic.Int64 }
	totals  *totals

	away, blind grumble // about the store: that it does not answer, and that no bands are known
}

type hubState int

const (
	resting  hubState = iota // -> running by Run
	running                  // -> draining by Drain
	draining                 // no new sockets; -> over when Run's context ends
	over                     // final
)

// New returns a hub. It takes sockets while [Hub.Run] runs.
func New(cfg Config) *Hub {
	if cfg.Most == 0 {
		cfg.Most = defaultMost
	}
	if cfg.Work == (puzzle.Rule{}) {
		cfg.Work = puzzle.Usual()
	}
	h := &Hub{
		cfg: cfg, node: cfg.Queue.Node(), upgrader: newUpgrader(), tokens: tokens{cfg.Ring},
		press: puzzle.NewPress(cfg.Ring.Derive("puzzle")), budgets: newBudgets(cfg.Redis.Client, cfg.Ring, cfg.Limits),
		bus:    &Bus{node: cfg.Queue.Node(), clients: newShards[*client](), rooms: newShards[*call]()},
		rooms:  newDirectory(cfg.Redis.Client, cfg.Ring, cfg.Queue.Node(), cfg.Queue.Alive),
		homes:  newHomes(cfg.Redis.Client, cfg.Queue.Node(), cfg.Queue.Alive),
		spouts: newShards[*spout](), gates: newShards[*gate](),
		tickets: newShards[*client](), timers: newTimers(), jobs: newJobs(), totals: newTotals(),
		buffers: sync.Pool{New: func() any { return new(bytes.Buffer) }},
		stopped: make(chan struct{}), conns: map[*conn]struct{}{},
	}
	h.seals = newSeals(cfg.Ring, h.node)
	h.link = link.New(link.Config{
		Node: h.node, Client: cfg.Redis.Client, PubSub: cfg.Redis.PubSub, Alive: cfg.Queue.Alive,
		Deliver: h.Take, Reset: h.Torn, Seal: h.seals.seal, Open: h.seals.open, Log: cfg.Log,
	})
	h.door.turns = newBucket(time.Now(), admitRate, admitBurst)
	h.debts.nodes = map[string]bool{}
	h.fleet = fleet{rdb: cfg.Redis.Client, cfg: cfg.Others, known: map[string]string{}}
	h.bus.open, h.bus.far, h.bus.owe = h.newCall, h.send, h.debts.owe
	return h
}

// Run takes sockets until ctx ends. It returns when every socket is closed and every goroutine of
// the hub has ended.
func (h *Hub) Run(ctx context.Context) error {
	if !h.become(running) {
		return fmt.Errorf("signaling: a hub runs only once")
	}
	// The store is asked for a moment longer than ctx, so that who leaves also leaves the queue. What
	// is not done by then, the matcher's sweep does.
	asking, done := context.WithCancel(context.WithoutCancel(ctx))
	defer done()
	for range workers {
		h.wg.Go(func() { h.jobs.work(asking) })
	}
	h.wg.Go(func() { h.timers.run(ctx) })
	h.wg.Go(func() { h.beat(ctx) })
	h.wg.Go(func() { h.follow(ctx) })
	h.wg.Go(func() { h.watch(ctx) })
	if cfg := h.cfg.Others; cfg.Announce != nil {
		h.wg.Go(func() { h.announce(ctx) })
	}
	h.wg.Go(func() { _ = h.link.Run(asking) }) // to the end, so that goodbyes go out
	<-ctx.Done()
	h.become(over)
	close(h.stopped)
	h.closeAll()
	h.jobs.finish(finishWithin)
	done()
	h.wg.Wait()
	return nil
}

// become moves to a later state. It reports false when that is not a step forward.
func (h *Hub) become(s hubState) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s <= h.state || (s == draining && h.state == resting) {
		return false
	}
	h.state = s
	return true
}

// admits tells whether new sockets are taken: not while more lanes wait for the store than there may
// be sessions, so that a store that is away does not let them grow without end.
func (h *Hub) admits() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state == running && len(h.conns) < h.cfg.Most && h.bus.clients.count() < 2*h.cfg.Most && h.jobs.behind() < 2*h.cfg.Most
}

func (h *Hub) isOver() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.state == over
}

// adopt starts reading c. It reports false when the hub has stopped meanwhile.
func (h *Hub) adopt(c *conn) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state != running {
		return false
	}
	h.conns[c] = struct{}{}
	h.wg.Go(func() {
		c.serve()
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.conns, c)
	})
	return true
}

// closeAll ends all sockets: those with a session are told to come back.
func (h *Hub) closeAll() {
	for i := range shardCount {
		for _, cl := range h.bus.clients.part(i) {
			cl.leave(CloseDrain)
		}
		for _, g := range h.gates.part(i) {
			g.end(CloseDrain)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.conns {
		c.hurry()
	}
}

// follow hands on what the matcher tells.
func (h *Hub) follow(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-h.cfg.Queue.Events():
			h.tell(e)
		}
	}
}

func (h *Hub) tell(e matcher.Event) {
	switch e := e.(type) {
	case matcher.OfferMade:
		if cl, ok := h.tickets.get(e.Offer.Ticket); ok {
			cl.post(offered{e.Offer})
			return
		}
		// The browser is gone: do not let its peer wait.
		if h.jobs.full(&h.orphans) {
			return // its deadline ends the offer
		}
		h.ask(&h.orphans, func(ctx context.Context) error {
			_, err := h.cfg.Queue.Abort(ctx, e.Offer.Match, e.Offer.Ticket)
			return err
		})
	case matcher.WentLive:
		if cl, ok := h.tickets.get(e.Ticket); ok {
			cl.post(wentLive{e.Match})
		}
	case matcher.WasAborted:
		if cl, ok := h.tickets.get(e.Ticket); ok {
			cl.post(aborted{e.Match, e.Why})
		}
	}
}

// beat pings every socket each 25 s: one shard after the other, so that the work is spread. A shard
// is looked at again 10 s after its ping.
func (h *Hub) beat(ctx context.Context) {
	const every = pingEvery / shardCount
	const later = int(pongWithin/every) + 1
	tick := time.NewTicker(every)
	defer tick.Stop()
	for i := 0; ; i = (i + 1) % shardCount {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			for _, cl := range h.bus.clients.part(i) {
				cl.beat(now, true)
			}
			for _, cl := range h.bus.clients.part((i + shardCount - later) % shardCount) {
				cl.beat(now, false)
			}
		}
	}
}

// Counts is what a hub carries now, and what it did since it started.
type Counts struct {
	Sockets, Sessions, Searching, InCall, Rooms int64 // now
	Calls, Resumed, Slow, Silent                int64 // since the start
}

// Counts returns them.
func (h *Hub) Counts() Counts {
	h.mu.Lock()
	sockets := len(h.conns)
	h.mu.Unlock()
	return Counts{
		Sockets: int64(sockets), Sessions: int64(h.bus.clients.count()),
		Searching: h.phases[Searching].Load(), InCall: h.phases[InRoom].Load(), Rooms: int64(h.bus.rooms.count()),
		Calls: h.counts.calls.Load(), Resumed: h.counts.resumed.Load(),
		Slow: h.counts.slow.Load(), Silent: h.counts.silent.Load(),
	}
}

// closed counts a socket that the server closed.
func (h *Hub) closed(code CloseCode) {
	switch code {
	case CloseSlow:
		h.counts.slow.Add(1)
	case CloseSilent:
		h.counts.silent.Add(1)
	case CloseTooBig, CloseDrain, CloseBadHello, CloseReplaced, CloseBinary, CloseVersion:
	}
}

// finishWithin is how long a hub that stops still asks the store.
const finishWithin = time.Second

// defaultMost sockets take about 1.5 GB.
const defaultMost = 100_000

const idLength = 22

// newID returns an unguessable name of idLength characters.
func newID() string { return matcher.NewID() }
