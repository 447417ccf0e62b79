package retention

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// page is about how many keys are asked for and looked at together: Redis answers such a page within
// a millisecond or two, and somebody else between two of them.
const page = 256

// sight is what a walk sees of a key.
type sight struct {
	key  string
	item *Item         // nil: no class has such keys
	kind string        // Redis type
	left time.Duration // until it expires; negative: it never does
	size int64         // bytes, see [Item.Size]
}

// walk calls see for every key, one call at a time, on every master of a cluster. It looks at most at
// pace keys a second of one server, 0 for as many as it answers. A key may be seen twice when Redis
// enlarges its tables meanwhile, and one that comes or goes during the walk, or not.
func walk(ctx context.Context, rdb redis.UniversalClient, pace int, see func(sight)) error {
	return (&walker{rdb: rdb, pace: pace, see: see}).walk(ctx)
}

// walker is one walk.
type walker struct {
	rdb     redis.UniversalClient
	pace    int
	between func(context.Context) error // called between two pages, by several at once; nil for nothing

	mu  sync.Mutex // guards see: the masters of a cluster are walked at the same time
	see func(sight)
}

// walk is the whole of it. When it fails on one master of a cluster it ends on all.
func (w *walker) walk(ctx context.Context) error {
	cluster, ok := w.rdb.(*redis.ClusterClient)
	if !ok {
		return w.server(ctx, w.rdb)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	err := cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		err := w.server(ctx, node)
		if err != nil {
			stop(err)
		}
		return err
	})
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause // of the first that failed; the others were told to end
	}
	return err
}

// server walks over the keys of one server.
func (w *walker) server(ctx context.Context, node redis.Cmdable) error {
	began, seen := time.Now(), 0
	for cursor := uint64(0); ; {
		keys, next, err := node.Scan(ctx, cursor, "*", page).Result()
		if err != nil {
			return fmt.Errorf("scan: %w", err)
		}
		for some := range slices.Chunk(keys, page) { // the embedded store answers with all at once
			if err := w.page(ctx, some); err != nil {
				return err
			}
			seen += len(some)
			if err := Rest(ctx, began, seen, w.pace); err != nil {
				return err
			}
		}
		if cursor = next; cursor == 0 {
			return nil
		}
	}
}

// page looks at some keys.
func (w *walker) page(ctx context.Context, keys []string) error {
	if w.between != nil {
		if err := w.between(ctx); err != nil {
			return err
		}
	}
	sights, err := look(ctx, w.rdb, keys)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range sights {
		w.see(s)
	}
	return nil
}

// Rest waits until seen keys are not more than pace a second since began; pace 0 never waits. Whoever
// reads many keys calls it between two pages. Error: that ctx ended.
func Rest(ctx context.Context, began time.Time, seen, pace int) error {
	if pace == 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(time.Until(began.Add(time.Duration(seen) * time.Second / time.Duration(pace))))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// question is what is asked about one key. Most keys are strings: STRLEN tells their size, and whether
// they are strings at all, so that two commands are enough for them.
type question struct {
	key    string
	item   *Item
	left   *redis.DurationCmd
	length *redis.IntCmd    // of a string
	kind   *redis.StatusCmd // of anything else
	memory *redis.IntCmd    // likewise
}

// look asks about some keys in one pipeline. Keys that are gone are left out.
func look(ctx context.Context, rdb redis.UniversalClient, keys []string) ([]sight, error) {
	sights := make([]sight, 0, len(keys))
	questions := make([]question, 0, len(keys))
	pipe := rdb.Pipeline()
	for _, key := range keys {
		it := classify(key)
		if it == nil {
			sights = append(sights, sight{key: key})
			continue
		}
		q := question{key: key, item: it, left: pipe.PTTL(ctx, key)}
		if it.Kind == "string" {
			q.length = pipe.StrLen(ctx, key)
		} else {
			q.kind, q.memory = pipe.Type(ctx, key), pipe.MemoryUsage(ctx, key)
		}
		questions = append(questions, q)
	}
	if len(questions) > 0 {
		_, _ = pipe.Exec(ctx) // each command has its own error
	}
	for _, q := range questions {
		s, there, err := q.answer(ctx, rdb)
		if err != nil {
			return nil, fmt.Errorf("audit %s: %w", q.item.Name, err)
		}
		if there {
			sights = append(sights, s)
		}
	}
	return sights, nil
}

// gone is what PTTL answers for a key that does not exist.
const gone = -2

func (q question) answer(ctx context.Context, rdb redis.UniversalClient) (s sight, there bool, err error) {
	s = sight{key: q.key, item: q.item, kind: q.item.Kind}
	if s.left, err = q.left.Result(); err != nil || s.left == gone {
		return s, false, err
	}
	if q.length != nil {
		s.size, err = q.length.Result()
		if err != nil && strings.HasPrefix(err.Error(), "WRONGTYPE") {
			s.kind, err = rdb.Type(ctx, q.key).Result()
		}
		return s, s.kind != "none", err
	}
	if s.kind, err = q.kind.Result(); err != nil || s.kind == "none" {
		return s, false, err
	}
	if s.size, err = q.memory.Result(); errors.Is(err, redis.Nil) { // it expired after the type was told
		return s, false, nil
	}
	return s, true, err
}
