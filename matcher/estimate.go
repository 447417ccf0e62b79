package matcher

import (
	"cmp"
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

// Estimate is how long it takes lately until a search like this one leads to a call.
//
// Who gives up, or finds nobody within [retention.LongestWait], has waited too, and says that it takes
// at least so long. Without them an estimate is the better the more give up. So the percentiles are
// those of the Kaplan-Meier estimator (Kaplan and Meier, Nonparametric Estimation from Incomplete
// Observations, Journal of the American Statistical Association 53, 1958): the share that would still
// wait after a time if nobody had given up. It takes those who give up to be no different from those
// who stay; and somebody whose search moves to another node counts as one who gave up there, which
// makes an estimate longer, never shorter.
type Estimate struct {
	// P50 and P90 are after how long half and nine of ten are in a call. If fewer than nine of ten
	// were before all others had given up, nobody knows P90: it is the longest wait that was measured.
	P50, P90 time.Duration

	// Samples is how many measured searches are behind it, of those who gave up too. It is 0 if there
	// were none, or if so many gave up that even P50 is not known.
	Samples int

	// Waiting is how many others wait for one of these choices now, at least. Called after a
	// [Queue.Join] that found nobody, it counts no ticket of a node that had died by then: that join
	// took them out of these pools, 128 at most, unless it had looked at 48 living ones before. Of
	// more, the next joins take out as many each.
	Waiting int
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
	e := summary(measured(waits))
	e.Waiting = most(own)
	if e.Waiting > 0 && strings.EqualFold(record.Val(), "w") {
		e.Waiting-- // the ticket itself
	}
	e.Waiting = max(e.Waiting, most(others))
	return e, nil
}

// sample is how long a search took.
type sample struct {
	wait  time.Duration
	found bool // it led to a call; else it was given up after so long
}

// measured returns the waits that were recorded, as waits.lua writes them.
func measured(waits []*redis.StringSliceCmd) []sample {
	var all []sample
	for _, list := range waits {
		for _, text := range list.Val() {
			ms, gaveUp := strings.CutSuffix(text, "+")
			all = append(all, sample{time.Duration(micros(ms)) * time.Millisecond, !gaveUp})
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

// summary returns the percentiles of samples, as [Estimate] describes them.
func summary(samples []sample) Estimate {
	p50, half := reached(samples, 0.5)
	p90, most := reached(samples, 0.9)
	switch {
	case !half:
		return Estimate{}
	case !most:
		p90 = slices.MaxFunc(samples, shorter).wait
	}
	return Estimate{P50: p50, P90: p90, Samples: len(samples)}
}

// shorter orders samples. Of two that are as long, who found somebody comes first: the other was still
// waiting when that happened.
func shorter(a, b sample) int {
	if a.found != b.found && a.wait == b.wait {
		return map[bool]int{true: -1, false: 1}[a.found]
	}
	return cmp.Compare(a.wait, b.wait)
}

// reached returns after how long a share of all searches would have led to a call if nobody gave up;
// false if that is not known. Without anybody who gave up it is the percentile by nearest rank.
func reached(samples []sample, share float64) (time.Duration, bool) {
	const rounding = 1e-9
	waiting := 1.0 // the share that still waits
	for i, s := range slices.SortedFunc(slices.Values(samples), shorter) {
		if !s.found {
			continue
		}
		left := float64(len(samples) - i) // who had neither found anybody nor given up before
		if waiting *= 1 - 1/left; waiting <= 1-share+rounding {
			return s.wait, true
		}
	}
	return 0, false
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
