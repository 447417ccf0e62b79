package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/store"
)

var errSilent = errors.New("the subscription is dead: what was published to it does not come back")

// why says what went wrong, for a log: without an address.
func why(err error) string {
	if errors.Is(err, errSilent) {
		return errSilent.Error()
	}
	return store.Kind(err)
}

// receive keeps the subscription until ctx ends.
func (l *Link) receive(ctx context.Context) {
	var pause backoff
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n := 0; ctx.Err() == nil; n++ {
		if n > 0 {
			l.count(func(c *Counts) { c.Rebuilds++ })
		}
		w := watch{began: l.pulse.now()}
		err := l.subscription(ctx, &w)
		if w.confirmed.Load() {
			pause.reset()
		} else {
			mend(ctx, l.cfg.PubSub)
		}
		if l.pulse.hears.Swap(false) {
			if ctx.Err() == nil {
				l.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "messages of other nodes do not arrive", slog.String("why", why(err)))
			}
			poke(l.inbox.news)
		}
		await(ctx, timer, time.Now().Add(pause.next()), nil)
	}
}

// subscription subscribes and receives until that fails or ctx ends. It always comes with a
// connection of its own: one that was made before a failover may lead to a server that nobody
// publishes to any more.
func (l *Link) subscription(ctx context.Context, w *watch) error {
	sub := l.cfg.PubSub.Subscribe(ctx)
	var closed sync.Once
	end := func() { closed.Do(func() { _ = sub.Close() }) }
	defer end()

	first, cancel := context.WithTimeout(ctx, l.cfg.Timeout)
	defer cancel()
	if err := sub.Subscribe(first, l.channel); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}

	stop := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() {
		w.run(ctx, l, stop)
		end() // nothing else interrupts Receive
	})
	defer watcher.Wait()
	defer close(stop)
	return l.listen(ctx, sub, w)
}

// listen receives until the subscription ends.
func (l *Link) listen(ctx context.Context, sub *redis.PubSub, w *watch) error {
	// After an error the client would make a connection by itself before it returns, and hold up
	// everything when that hangs. With a context that has ended it cannot. Reading needs none.
	ended, cancel := context.WithCancel(ctx)
	cancel()
	for {
		m, err := sub.Receive(ended)
		if err != nil {
			if w.silent.Load() {
				return errSilent
			}
			return fmt.Errorf("receive: %w", err)
		}
		l.pulse.heard.Store(l.pulse.now())
		switch m := m.(type) {
		case *redis.Subscription:
			w.confirmed.Store(true)
			l.pulse.probe.Store(true) // that it lives shows when this comes back
			l.renew()
		case *redis.Message:
			if !l.pulse.hears.Swap(true) {
				l.cfg.Log.LogAttrs(ctx, slog.LevelInfo, "messages of other nodes arrive")
				poke(l.inbox.news)
			}
			l.arrive(ctx, m.Payload)
		}
	}
}

// renew tells all links that they may have missed something.
func (l *Link) renew() {
	now := time.Now()
	l.lanes.mu.Lock()
	defer l.lanes.mu.Unlock()
	for _, p := range l.lanes.peers {
		l.settle(now, p, p.Step(now, renewed{}))
	}
	poke(l.wake)
}

// arrive takes one packet.
func (l *Link) arrive(ctx context.Context, payload string) {
	h, body, err := l.open([]byte(payload))
	if err == nil && h.from == l.cfg.Node {
		return // a probe; that it arrived is all
	}
	if err == nil && (h.version != version || h.kind == kindAlien) {
		l.meet(ctx, h)
		return
	}
	var m mail
	if err == nil && h.kind == kindMail {
		m, err = readMail(body)
	} else {
		err = errGarbage
	}
	if err != nil {
		l.discard(ctx)
		return
	}
	now, full := time.Now(), l.inbox.full()
	l.lanes.mu.Lock()
	defer l.lanes.mu.Unlock()
	p := l.peer(h.from)
	if p == nil || full && len(m.bodies) > 0 {
		l.lanes.counts.Dropped++
		m.bodies = nil // what it acknowledges counts
	}
	if p != nil {
		l.settle(now, p, p.Step(now, heard{m}))
	}
}

// open reads the head of a packet and opens the rest.
func (l *Link) open(packet []byte) (h head, body []byte, err error) {
	if h, err = readHead(packet); err != nil || l.cfg.Open == nil {
		return h, packet[min(bodyStart, len(packet)):], err
	}
	body, ok := l.cfg.Open(h.from, packet)
	if !ok {
		return h, nil, errGarbage
	}
	return h, body, nil
}

// discard counts what was not understood, or not sealed by who says that it is the sender.
func (l *Link) discard(ctx context.Context) {
	first := false
	l.count(func(c *Counts) { c.Garbage++; first = c.Garbage == 1 })
	if first {
		l.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "a packet on the bus was not understood, told once: do all nodes run the same parley with the same keys?")
	}
}

// meet takes a packet of a node that speaks another version.
func (l *Link) meet(ctx context.Context, h head) {
	now := time.Now()
	l.lanes.mu.Lock()
	p := l.peer(h.from)
	known := p == nil || p.alien
	if p != nil {
		l.settle(now, p, p.Step(now, stranger{asks: h.kind != kindAlien}))
	}
	if !known {
		l.lanes.counts.Aliens++
	}
	l.lanes.mu.Unlock()
	if !known {
		l.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "a node speaks another version of the bus; its people and ours do not meet until it is replaced", slog.Int("version", int(h.version)))
	}
}
