package store

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/retention"
)

const (
	// probeEvery and probeTime together bound how late an outage and its end are noticed.
	probeEvery = 500 * time.Millisecond
	probeTime  = time.Second
	// policyEvery is how many probes lie between two looks at the eviction policy.
	policyEvery = 60
)

// errNotYet is the state before the first probe.
var errNotYet = errors.New("not asked yet")

// Watch knows whether Redis takes writes. Asking it never waits.
type Watch struct {
	rdb    redis.UniversalClient
	log    *slog.Logger
	last   atomic.Pointer[error] // of the last probe; what it points to is nil when the write was taken
	policy string                // the worst eviction policy seen last; only lookWhenever uses it
	keeps  bool                  // see [Watch.KeepsAll]
	also   func(context.Context) // see [Watch.Also]
}

// NewWatch returns a watch on rdb that knows nothing before [Watch.Ask] or [Watch.Run].
func NewWatch(rdb redis.UniversalClient, log *slog.Logger) *Watch {
	w := &Watch{rdb: rdb, log: log, also: func(context.Context) {}}
	w.last.Store(&errNotYet)
	return w
}

// Also has do done whenever the settings of Redis are looked at: at first, after each outage and every
// half minute. Another server may answer by then, or one that has forgotten. Call it before Run.
func (w *Watch) Also(do func(context.Context)) { w.also = do }

// KeepsAll says that this server throws nothing away, so that nobody need ask for its policy: the
// embedded one has none to tell. Call it before Run.
func (w *Watch) KeepsAll() { w.keeps = true }

// Err says why Redis took no write at the last probe, nil if it did.
func (w *Watch) Err() error { return *w.last.Load() }

// Run asks until ctx ends, one question at a time. What takes longer is done beside it: an outage must
// be noticed also by who looks at settings when it begins.
func (w *Watch) Run(ctx context.Context) error {
	var beside sync.WaitGroup
	due := make(chan struct{}, 1)
	beside.Go(func() { w.lookWhenever(ctx, due) })
	defer beside.Wait()
	defer close(due)
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		before := w.Err()
		err := w.ask(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if before != nil && err == nil {
			n = 0 // it may be another server with other settings
		}
		w.tell(ctx, before, err)
		if err == nil && n%policyEvery == 0 {
			select {
			case due <- struct{}{}:
			default: // is due already
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// lookWhenever looks at the settings each time it is due, until nothing will be any more.
func (w *Watch) lookWhenever(ctx context.Context, due <-chan struct{}) {
	for range due {
		w.lookAtPolicy(ctx)
		w.also(ctx)
	}
}

// tell logs a change.
func (w *Watch) tell(ctx context.Context, before, now error) {
	switch {
	case before == nil && now != nil:
		w.log.LogAttrs(ctx, slog.LevelWarn, "redis takes no writes: searches wait, calls go on", slog.String("why", Kind(now)))
	case before != nil && now == nil && !errors.Is(before, errNotYet):
		w.log.LogAttrs(ctx, slog.LevelInfo, "redis takes writes again")
	}
}

func (w *Watch) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	return w.Ask(ctx)
}

// Ask tells whether Redis would take a write now. LPUSHX on a key that never exists leaves nothing
// behind, yet a replica, a full memory or a failed disk refuses it as it would refuse any write.
func (w *Watch) Ask(ctx context.Context) error {
	err := w.rdb.LPushX(ctx, retention.Waits.Key("ready", "ready"), "").Err()
	w.last.Store(&err)
	return err
}

// noEviction is the policy that keeps what it was given.
const noEviction = "noeviction"

// lookAtPolicy warns when Redis begins to throw keys away when its memory is full: nearly all of
// ours carry an expiry, so it would throw away matches and reports.
func (w *Watch) lookAtPolicy(ctx context.Context) {
	if w.keeps {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	policy, err := evictionPolicy(ctx, w.rdb)
	refused := redis.Error(nil)
	switch {
	case err != nil && !errors.As(err, &refused):
		return // the next probe tells
	case err != nil:
		policy = "not told"
	}
	if policy == w.policy {
		return
	}
	before := w.policy
	w.policy = policy
	switch {
	case err != nil:
		w.log.LogAttrs(ctx, slog.LevelInfo, "redis does not tell its maxmemory-policy; make sure that it is noeviction", slog.String("why", Kind(err)))
	case policy != noEviction:
		w.log.LogAttrs(ctx, slog.LevelWarn, "redis may throw away matches and reports when its memory is full; set maxmemory-policy to noeviction",
			slog.String("policy", policy))
	case before != "":
		w.log.LogAttrs(ctx, slog.LevelInfo, "redis keeps what it is given: maxmemory-policy is noeviction")
	}
}

// evictionPolicy returns the policy of Redis; of a Cluster, the first that is not noeviction.
func evictionPolicy(ctx context.Context, rdb redis.UniversalClient) (string, error) {
	all, isCluster := rdb.(*redis.ClusterClient)
	if !isCluster {
		return policyOf(ctx, rdb)
	}
	var mu sync.Mutex // guards worst: the masters are asked at the same time
	worst := noEviction
	err := all.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		policy, err := policyOf(ctx, node)
		mu.Lock()
		defer mu.Unlock()
		if err == nil && policy != noEviction {
			worst = policy
		}
		return err
	})
	return worst, err
}

func policyOf(ctx context.Context, node redis.Cmdable) (string, error) {
	const name = "maxmemory-policy"
	answer, err := node.ConfigGet(ctx, name).Result()
	if err != nil {
		return "", err
	}
	if policy := answer[name]; policy != "" {
		return policy, nil
	}
	return noEviction, nil // the embedded store, which knows no such setting
}
