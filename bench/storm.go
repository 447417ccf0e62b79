package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// stormCouples talk on the node to which everybody comes.
const stormCouples = 50

// storm kills a node in whose queue many wait, and lets them all come to another one, as the page
// does: within half a second, and when refused again after 1 s, 1.5 s, ... up to 10 s, give or
// take 30 %.
func storm(ctx context.Context, b bench) (figures []figure, err error) {
	s, err := startStore(ctx)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	dies, err := startChild(ctx, "parley:"+s.socket)
	if err != nil {
		return nil, err
	}
	defer dies.kill()
	stays, err := startChild(ctx, "parley:"+s.socket)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stays.stop()) }()

	calls, err := assemble(ctx, stays.spent, 2*stormCouples, "connected", couples(stays.address, stays.address))
	if err != nil {
		return nil, fmt.Errorf("calls: %w", err)
	}
	defer calls.close()
	crowd, err := assemble(ctx, dies.spent, b.crowd, "queued", seeker(dies.address))
	if err != nil {
		return nil, fmt.Errorf("crowd: %w", err)
	}
	defer crowd.close()
	calm, err := calls.relay(ctx, b.spell, b.rate)
	if err != nil {
		return nil, fmt.Errorf("before the storm: %w", err)
	}

	dies.kill()
	var back returns
	var fled error
	var flight sync.WaitGroup
	flight.Go(func() { back, fled = crowd.flee(ctx, stays.address) })
	rough, err := calls.relay(ctx, stormSpell, b.rate)
	flight.Wait()
	if err = errors.Join(err, fled); err != nil {
		return nil, fmt.Errorf("in the storm: %w", err)
	}
	fmt.Fprintf(b.progress, "  %d came back in %.1f s, %d refusals on the way; p99 of others %.1f ms, before %.1f ms\n",
		back.came, back.took.Seconds(), back.refused, micros(quantile(rough.delays, 0.99))/1000, micros(quantile(calm.delays, 0.99))/1000)
	name := fmt.Sprintf("storm of %d", b.crowd)
	p99 := []round{{micros(quantile(rough.delays, 0.99)) / 1000, micros(quantile(calm.delays, 0.99)) / 1000}}
	return []figure{
		figure{name: name + ": all queued again", unit: "s", limit: valueAtMost(15)}.over([]round{{back.took.Seconds(), 0}}),
		figure{name: name + ": p99 of the others", unit: "ms", baseline: "before it", limit: valueAtMost(100)}.over(p99),
	}, nil
}

// stormSpell is for how long the others are watched.
const stormSpell = 12 * time.Second

// returns is how a crowd came back.
type returns struct {
	took          time.Duration // until the last one was queued
	came, refused int
}

// flee brings every browser of the fleet to another address.
func (f *fleet) flee(ctx context.Context, address string) (r returns, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	began := time.Now()
	again := make([]*browser, len(f.browsers))
	tries, errs := make([]int, len(f.browsers)), make([]error, len(f.browsers))
	var all sync.WaitGroup
	for i, old := range f.browsers {
		all.Go(func() {
			<-old.ended
			again[i], tries[i], errs[i] = old.comeBack(ctx, address)
		})
	}
	all.Wait()
	r.took = time.Since(began)
	for i := range again {
		if again[i] != nil {
			r.came++
			f.browsers[i] = again[i]
		}
		r.refused += tries[i] - 1
	}
	return r, errors.Join(errs...)
}

// comeBack connects and searches at the old place, until it is queued.
func (b *browser) comeBack(ctx context.Context, address string) (*browser, int, error) {
	_ = b.conn.Close() // its other end is dead; its descriptor is needed
	wait := time.Second
	pause(ctx, rand.N(500*time.Millisecond)) //nolint:gosec // jitter, not a secret
	for try := 1; ; try++ {
		next, err := dial(ctx, address, "", b.clock)
		if err == nil {
			if err = next.searchAgain(b); err == nil {
				err = next.await(ctx, "queued")
			}
			return next, try, err
		}
		if ctx.Err() != nil {
			return nil, try, err
		}
		pause(ctx, time.Duration(float64(wait)*(0.7+0.6*rand.Float64()))) //nolint:gosec // jitter
		wait = min(wait*3/2, 10*time.Second)
	}
}
