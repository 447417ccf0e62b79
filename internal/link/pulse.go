package link

import (
	"context"
	"log/slog"
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

// pulse is what is known about the bus as a whole. Its times are nanoseconds since it began, so that
// no jump of the clock makes anything look old or new.
type pulse struct {
	began     time.Time
	heard     atomic.Int64 // when something last arrived
	probe     atomic.Bool  // a probe is to be published
	probed    atomic.Int64 // when one was last published
	hears     atomic.Bool  // what this node publishes to itself comes back
	speaks    atomic.Bool  // the last calls did not all fail
	suspicion atomic.Bool  // somebody does not acknowledge
	fails     int          // calls in a row; of the publisher
}

func (p *pulse) now() int64 { return int64(time.Since(p.began)) }

// spoke notes whether publishing works. One failure is no outage unless it took long: Redis may have
// closed a connection that was idle.
func (l *Link) spoke(ctx context.Context, took time.Duration, err error) {
	if err == nil {
		l.pulse.fails = 0
	} else {
		l.pulse.fails++
		mend(ctx, l.cfg.Client)
	}
	speaks := l.pulse.fails == 0 || l.pulse.fails == 1 && took < l.cfg.Timeout/2
	if was := l.pulse.speaks.Swap(speaks); was == speaks {
		return
	}
	if speaks {
		l.cfg.Log.LogAttrs(ctx, slog.LevelInfo, "messages to other nodes are published again")
	} else {
		l.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "messages to other nodes cannot be published", slog.String("why", store.Kind(err)))
	}
	poke(l.inbox.news)
}

// mend makes a client of a Cluster ask who serves what, in the background: PUBLISH and SUBSCRIBE are
// never redirected, so it would go on with a node that is no more.
func mend(ctx context.Context, client redis.UniversalClient) {
	if c, is := client.(*redis.ClusterClient); is {
		c.ReloadState(ctx)
	}
}

// watch finds out whether a subscription lives.
type watch struct {
	began     int64 // as pulse.now
	asked     int64 // when a probe was asked for that has not come back
	confirmed atomic.Bool
	silent    atomic.Bool // found dead
}

// run returns when the subscription is dead, or when it is to end.
func (w *watch) run(ctx context.Context, l *Link, stop <-chan struct{}) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if w.dead(l) {
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
func (w *watch) dead(l *Link) bool {
	now, heard, probed := l.pulse.now(), l.pulse.heard.Load(), l.pulse.probed.Load()
	if !w.confirmed.Load() {
		return now-w.began > int64(l.cfg.Timeout)
	}
	if probed > heard {
		return now-probed > int64(l.cfg.Timeout)
	}
	quiet := time.Duration(now - heard)
	if quiet < quietTime && (quiet < doubtTime || !l.pulse.suspicion.Load()) {
		return false
	}
	if now-w.asked >= int64(doubtTime) { // asked for again in vain while publishing fails
		w.asked = now
		l.pulse.probe.Store(true)
		poke(l.wake)
	}
	return false
}
