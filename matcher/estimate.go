package matcher

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/retention"
)

// Estimate is how long searches like this one took lately, as measured.
type Estimate struct {
	P50, P90 time.Duration
	Samples  int // measured searches behind it; 0: nothing is known
	Waiting  int // others who wait for one of these choices now, at least
}

// Estimate tells what to expect of a search with the ticket's choices.
func (q *Queue) Estimate(ctx context.Context, t Ticket) (Estimate, error) {
	if err := t.Validate(); err != nil {
		return Estimate{}, fmt.Errorf("estimate: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, q.cfg.Timeout)
	defer cancel()
	var record *redis.StringCmd
	var waits []*redis.StringSliceCmd
	var own, others []*redis.IntCmd // how many wait in pools of the ticket's band, and of other bands
	_, err := q.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		record = p.GetRange(ctx, retention.Ticket.Key(t.ID), 0, 0)
		for _, pool := range near(t) {
			waits = append(waits, p.LRange(ctx, retention.Waits.Key(pool.language, pool.interest), 0, -1))
			for _, band := range t.Meets {
				count := p.ZLexCount(ctx, pool.key(band), "-", "(~") // without the entry that is nobody
				if band == t.Band {
					own = append(own, count)
				} else {
					others = append(others, count)
				}
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return Estimate{}, fmt.Errorf("estimate: %w: %w", ErrUnavailable, err)
	}
	e := summary(durations(waits))
	e.Waiting = most(own)
	if e.Waiting > 0 && strings.EqualFold(record.Val(), "w") {
		e.Waiting-- // the ticket itself
	}
	e.Waiting = max(e.Waiting, most(others))
	return e, nil
}

// durations returns the waits that were recorded, in milliseconds.
func durations(waits []*redis.StringSliceCmd) []time.Duration {
	var all []time.Duration
	for _, list := range waits {
		for _, ms := range list.Val() {
			all = append(all, time.Duration(micros(ms))*time.Millisecond)
		}
	}
	return all
}

// most returns the largest of some numbers, 0 if there are none.
func most(numbers []*redis.IntCmd) int {
	var n int64
	for _, number := range numbers {
		n = max(n, number.Val())
	}
	return int(n)
}

// summary returns the percentiles of samples, by nearest rank.
func summary(samples []time.Duration) Estimate {
	if len(samples) == 0 {
		return Estimate{}
	}
	slices.Sort(samples)
	rank := func(share float64) time.Duration {
		return samples[int(math.Ceil(share*float64(len(samples))))-1]
	}
	return Estimate{P50: rank(0.5), P90: rank(0.9), Samples: len(samples)}
}

// memory is the time over which the pace of arrivals is averaged.
const memory = 30 * time.Second

// pace counts the searches that begin on this node, in each pool, decaying with time.
type pace struct {
	mu    sync.Mutex // guards pools
	pools map[pool]count
}

// count is a number of arrivals as of a time; before it they weighed more.
type count struct {
	weight float64
	at     time.Time
}

func (c count) now(now time.Time) float64 {
	return c.weight * math.Exp(-now.Sub(c.at).Seconds()/memory.Seconds())
}

func newPace() *pace { return &pace{pools: map[pool]count{}} }

// arrived counts a new search in each pool where others may meet it.
func (p *pace) arrived(now time.Time, t Ticket) {
	pools := near(t)
	if len(t.Interests) > 0 && !t.Strict {
		pools = append(pools, pool{t.Languages[0], everything})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, pool := range pools {
		p.pools[pool] = count{p.pools[pool].now(now) + 1, now}
	}
}

// expected returns how many arrivals in the pools are likely within expectSpan.
func (p *pace) expected(now time.Time, pools []pool) float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	sum := 0.0
	for _, pool := range pools {
		sum += p.pools[pool].now(now)
	}
	return sum * expectSpan.Seconds() / memory.Seconds()
}

// forget drops pools in which nobody arrived for long.
func (p *pace) forget(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for pool, c := range p.pools {
		if c.now(now) < 0.01 {
			delete(p.pools, pool)
		}
	}
}
