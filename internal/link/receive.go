package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/store"
)

const (
	quietTime  = 10 * time.Second       // without an arrival, then the subscription is probed
	doubtTime  = time.Second            // the same while somebody does not acknowledge
	watchEvery = 250 * time.Millisecond // how often the watch looks
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
		w := watch{began: time.Now()}
		err := l.subscription(ctx, &w)
		if w.confirmed.Load() {
			pause.reset()
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
		l.pulse.heard.Store(time.Now().UnixNano())
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
	packet := []byte(payload)
	h, err := readHead(packet)
	if err == nil && h.from == l.cfg.Node {
		return // a probe; that it arrived is all
	}
	if err == nil && (h.version != version || h.kind == kindAlien) {
		l.meet(ctx, h)
		return
	}
	var m mail
	if err == nil && h.kind == kindMail {
		m, err = readMail(packet)
	} else {
		err = errGarbage
	}
	now, full := time.Now(), l.inbox.full()
	l.lanes.mu.Lock()
	defer l.lanes.mu.Unlock()
	if err != nil {
		l.lanes.counts.Garbage++
		return
	}
	p := l.peer(h.from)
	if p == nil || full && len(m.bodies) > 0 {
		l.lanes.counts.Dropped++
		m.bodies = nil // what it acknowledges counts
	}
	if p != nil {
		l.settle(now, p, p.Step(now, heard{m}))
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

// watch finds out whether a subscription lives.
type watch struct {
	began     time.Time
	asked     time.Time // when a probe was asked for that has not come back
	confirmed atomic.Bool
	silent    atomic.Bool // found dead
}

// run returns when the subscription is dead, or when it is to end.
func (w *watch) run(ctx context.Context, l *Link, stop <-chan struct{}) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			if w.dead(now, l) {
				w.silent.Store(true)
				return
			}
		case <-ctx.Done():
			return
		case <-stop:
			return
		}
	}
}

// dead asks for a probe when there is reason, and tells whether one has not come back in time. One
// that could not be published says nothing about the subscription.
func (w *watch) dead(now time.Time, l *Link) bool {
	if !w.confirmed.Load() {
		return now.Sub(w.began) > l.cfg.Timeout
	}
	heard := time.Unix(0, l.pulse.heard.Load())
	probed := time.Unix(0, l.pulse.probed.Load())
	if probed.After(heard) {
		return now.Sub(probed) > l.cfg.Timeout
	}
	quiet := now.Sub(heard)
	if quiet < quietTime && (quiet < doubtTime || !l.pulse.suspicion.Load()) {
		return false
	}
	if now.Sub(w.asked) >= doubtTime { // asked for again in vain while publishing fails
		w.asked = now
		l.pulse.probe.Store(true)
		poke(l.wake)
	}
	return false
}
