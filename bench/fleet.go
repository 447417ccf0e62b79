package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// spending returns how much CPU the servers have used so far.
type spending func(context.Context) (time.Duration, error)

// fleet is many browsers on one child or several.
type fleet struct {
	spent    spending
	clock    *clock
	browsers []*browser
}

// dialers is how many browsers connect at the same time.
const dialers = 32

// starter opens the socket of the i-th browser and says what it has to say first.
type starter func(ctx context.Context, at *clock, i int) (*browser, error)

// assemble makes n browsers and waits until each has reached the stage, if one is named.
func assemble(ctx context.Context, spent spending, n int, stage string, start starter) (*fleet, error) {
	f := &fleet{spent: spent, clock: &clock{began: time.Now()}, browsers: make([]*browser, n)}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	next := make(chan int)
	errs := make([]error, dialers)
	var all sync.WaitGroup
	for d := range dialers {
		all.Go(func() {
			for i := range next {
				if errs[d] != nil {
					continue // drained, so that nobody blocks
				}
				f.browsers[i], errs[d] = start(ctx, f.clock, i)
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	all.Wait()
	err := errors.Join(errs...)
	for _, b := range f.browsers {
		if err == nil && stage != "" {
			err = b.await(ctx, stage)
		}
	}
	if err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

func (f *fleet) close() {
	for _, b := range f.browsers {
		if b != nil {
			b.close()
		}
	}
}

// healthy returns why a browser has lost its socket, if one has.
func (f *fleet) healthy() error {
	for i, b := range f.browsers {
		select {
		case <-b.ended:
			return fmt.Errorf("browser %d lost its socket: %w", i, b.err)
		default:
		}
	}
	return nil
}

// traffic is what a spell of relaying did.
type traffic struct {
	messages int
	cpu      time.Duration
	wall     time.Duration
	delays   []time.Duration
}

// microsEach is CPU seconds for each million messages, which is microseconds for each message.
func (t traffic) microsEach() float64 {
	return float64(t.cpu.Nanoseconds()) / 1000 / float64(t.messages)
}

// rate is messages a second.
func (t traffic) rate() float64 { return float64(t.messages) / t.wall.Seconds() }

// relay lets every browser send rate envelopes a second to its peer for a fifth of the spell as a
// warm-up, then for the spell.
func (f *fleet) relay(ctx context.Context, spell time.Duration, rate int) (traffic, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	done := make(chan struct{})
	var all sync.WaitGroup
	every := time.Second / time.Duration(rate)
	for i, b := range f.browsers {
		offset := every * time.Duration(i) / time.Duration(len(f.browsers))
		all.Go(func() {
			pause(ctx, offset)
			tick := time.NewTicker(every)
			defer tick.Stop()
			for {
				if err := b.relay(); err != nil {
					cancel(errors.Join(err, b.err))
					return
				}
				select {
				case <-tick.C:
				case <-done:
					return
				}
			}
		})
	}
	t, err := f.window(ctx, spell)
	close(done)
	all.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return t, cause
	}
	if err != nil {
		return t, err
	}
	return t, f.healthy()
}

func (f *fleet) window(ctx context.Context, spell time.Duration) (traffic, error) {
	pause(ctx, spell/5)
	before, err := f.spent(ctx)
	if err != nil {
		return traffic{}, err
	}
	started := time.Now()
	f.clock.counts.Store(true)
	pause(ctx, spell)
	f.clock.counts.Store(false)
	t := traffic{wall: time.Since(started)}
	after, err := f.spent(ctx)
	if err != nil {
		return traffic{}, err
	}
	t.cpu = after - before
	for _, b := range f.browsers {
		t.delays = append(t.delays, b.take()...)
	}
	t.messages = len(t.delays)
	if t.messages == 0 {
		return t, errors.New("nothing was relayed")
	}
	return t, nil
}
