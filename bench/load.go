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
	calls int64         // how often it was called
	cpu   time.Duration // of Redis
	wall  time.Duration
}

func (t tally) perCPUSecond() float64 { return float64(t.count) / t.cpu.Seconds() }

func (t tally) microsEach() float64 { return float64(t.cpu.Microseconds()) / float64(t.calls) }

// work is done once; it returns how much it adds to the count.
type work func(context.Context, *rand.Rand) (int64, error)

// drive repeats work on all workers for a fifth of the spell as a warm-up, then for the spell.
func drive(ctx context.Context, s *store, spell time.Duration, do work) (tally, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var count, calls atomic.Int64
	var all sync.WaitGroup
	done := make(chan struct{})
	for i := range workers {
		all.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(i), uint64(time.Now().UnixNano())))
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
				calls.Add(1)
			}
		})
	}
	t, err := window(ctx, s, spell, func() (int64, int64) { return count.Load(), calls.Load() })
	close(done)
	all.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return tally{}, cause
	}
	return t, err
}

// window reads the counters and the CPU clock before and after the spell.
func window(ctx context.Context, s *store, spell time.Duration, read func() (count, calls int64)) (tally, error) {
	pause(ctx, spell/5)
	before, err := s.cpu(ctx)
	if err != nil {
		return tally{}, err
	}
	count, calls := read()
	started := time.Now()
	pause(ctx, spell)
	after, err := s.cpu(ctx)
	if err != nil {
		return tally{}, err
	}
	count2, calls2 := read()
	return tally{count: count2 - count, calls: calls2 - calls, cpu: after - before, wall: time.Since(started)}, nil
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
