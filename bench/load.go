package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// workers share one pipelining client, so that Redis is busy and its CPU is not spent on waking up.
const workers = 512

// tally is what a spell of load did.
type tally struct {
	count int64         // what the work counted
	cpu   time.Duration // of Redis
	wall  time.Duration
}

func (t tally) perCPUSecond() float64 { return float64(t.count) / t.cpu.Seconds() }

// work is done once; it returns how much it adds to the count.
type work func(context.Context, *rand.Rand) (int64, error)

// drive repeats work on all workers for a fifth of the spell as a warm-up, then for the spell.
func drive(ctx context.Context, s *store, spell time.Duration, do work) (tally, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var count atomic.Int64
	var all sync.WaitGroup
	done := make(chan struct{})
	for i := range workers {
		all.Go(func() {
			rnd := random(i)
			for {
				select {
				case <-done:
					return
				default:
				}
				n, err := do(ctx, rnd)
				if err != nil {
					cancel(err)
					return
				}
				count.Add(n)
			}
		})
	}
	t, err := window(ctx, s, spell, &count)
	close(done)
	all.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return tally{}, cause
	}
	return t, err
}

// random differs for each seed and each run.
func random(seed int) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed), rand.Uint64())) //nolint:gosec // G404: load, not secrets
}

// window reads the counter and the CPU clock before and after the spell.
func window(ctx context.Context, s *store, spell time.Duration, count *atomic.Int64) (tally, error) {
	pause(ctx, spell/5)
	before, err := s.cpu(ctx)
	if err != nil {
		return tally{}, err
	}
	counted := count.Load()
	started := time.Now()
	pause(ctx, spell)
	after, err := s.cpu(ctx)
	if err != nil {
		return tally{}, err
	}
	return tally{count: count.Load() - counted, cpu: after - before, wall: time.Since(started)}, nil
}

// pause returns after d, or earlier when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
