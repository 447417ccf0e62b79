package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"parley/matcher"
)

// shallow is the queue that the deep one is compared with.
const shallow = 1000

// Those who wait and those who come are of two bands that meet only each other. So the queue can be
// filled without pairing itself away, through the matcher's own join, and keeps its depth while it
// is measured: one who comes takes the oldest away, one who waits takes the place.
const (
	waitingBand = 0
	comingBand  = 1
)

func waiter(rnd *rand.Rand) matcher.Ticket {
	t := person(rnd)
	t.Band, t.Meets = waitingBand, []int{comingBand}
	return t
}

func comer(rnd *rand.Rand) matcher.Ticket {
	t := person(rnd)
	t.Band, t.Meets = comingBand, []int{waitingBand}
	return t
}

// depth compares what a pair costs before a short and before a very long queue.
func depth(ctx context.Context, b bench) ([]figure, error) {
	few, err := startDepth(ctx, b, shallow)
	if err != nil {
		return nil, err
	}
	defer few.stop()
	many, err := startDepth(ctx, b, b.depth)
	if err != nil {
		return nil, err
	}
	defer many.stop()
	var cost []round
	for range b.rounds {
		short, err := few.measure(ctx, b)
		if err != nil {
			return nil, err
		}
		long, err := many.measure(ctx, b)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(b.progress, "  %.1f µs a pair before %d, %.1f before %d\n",
			1e6/short.perCPUSecond(), shallow, 1e6/long.perCPUSecond(), b.depth)
		cost = append(cost, round{1e6 / long.perCPUSecond(), 1e6 / short.perCPUSecond()})
	}
	return []figure{figure{
		name: fmt.Sprintf("depth: a pair with %d waiting", b.depth), unit: "Redis µs",
		baseline: fmt.Sprintf("with %d waiting", shallow), limit: ratioAtMost(1.5),
	}.over(cost)}, nil
}

// line is a queue of a known depth on a Redis of its own.
type line struct {
	store *store
	crowd *crowd
	depth int
}

func (l *line) stop() {
	if l.crowd != nil {
		_ = l.crowd.stop() // its Redis goes away with it
	}
	l.store.stop()
}

func startDepth(ctx context.Context, b bench, depth int) (*line, error) {
	s, err := startStore(ctx)
	if err != nil {
		return nil, err
	}
	l := &line{store: s, depth: depth}
	if l.crowd, err = startCrowd(ctx, s); err == nil {
		started := time.Now()
		err = l.fill(ctx)
		fmt.Fprintf(b.progress, "  filled %d in %s\n", depth, time.Since(started).Round(time.Millisecond))
	}
	if err != nil {
		l.stop()
		return nil, err
	}
	return l, nil
}

// fill lets depth people wait.
func (l *line) fill(ctx context.Context) error {
	var taken atomic.Int64
	errs := make([]error, workers)
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() {
			rnd := random(i)
			for taken.Add(1) <= int64(l.depth) && errs[i] == nil {
				result, err := l.crowd.Join(ctx, waiter(rnd))
				if _, ok := result.(matcher.Waiting); err == nil && !ok {
					err = fmt.Errorf("one who should wait got %T", result)
				}
				errs[i] = err
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// measure lets as many come as wait anew, and counts pairs. Before a short queue somebody may come
// for whom nobody waits; the next who fits finds them.
func (l *line) measure(ctx context.Context, b bench) (tally, error) {
	return drive(ctx, l.store, b.spell, func(ctx context.Context, rnd *rand.Rand) (int64, error) {
		var made int64
		for _, t := range []matcher.Ticket{waiter(rnd), comer(rnd)} {
			result, err := l.crowd.Join(ctx, t)
			if err != nil {
				return made, err
			}
			if _, ok := result.(matcher.Offered); ok {
				made++
			}
		}
		return made, nil
	})
}
