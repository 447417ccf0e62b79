package moderation

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// together is how many devices one call asks about, so that it keeps Redis for a moment only.
	together = 16
	// flights is how many calls may be under way at a time.
	flights = 4
	// standby is how many may wait for one. Beyond it Redis is slower than people come: they are told so.
	standby = 8192
	// lookupTime is how long one call may take.
	lookupTime = 2 * time.Second
)

// lookups asks about several devices in one call while many come, which costs Redis much less than a
// call for each; and at once while few do. Whoever may begin a call makes it for those who wait.
type lookups struct {
	read func(context.Context, []question) ([]sight, error)

	mu      sync.Mutex // guards the following
	flying  int
	waiting []*asking
}

// asking is a question that waits for its answer, or for its turn to make the call.
type asking struct {
	question
	answer chan answer   // one
	lead   chan struct{} // closed when it is to make the next call
}

type answer struct {
	sight
	err error
}

// ask returns what is known of one device.
func (l *lookups) ask(ctx context.Context, q question) (sight, error) {
	a := &asking{q, make(chan answer, 1), make(chan struct{})}
	leads, err := l.board(a)
	if err != nil {
		return sight{}, err
	}
	if !leads {
		select {
		case got := <-a.answer:
			return got.sight, got.err
		case <-a.lead:
		case <-ctx.Done():
			if l.withdraw(a) {
				return sight{}, ctx.Err()
			}
			// It was answered or called upon in this moment: who is called upon must make the call.
			select {
			case got := <-a.answer:
				return got.sight, got.err
			case <-a.lead:
			}
		}
	}
	l.fly(ctx, a)
	got := <-a.answer
	return got.sight, got.err
}

// board lets a wait; it answers true when a is to make a call at once.
func (l *lookups) board(a *asking) (leads bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.flying < flights && len(l.waiting) == 0 {
		l.flying++
		return true, nil
	}
	if len(l.waiting) == standby {
		return false, fmt.Errorf("%d wait for it", standby)
	}
	l.waiting = append(l.waiting, a)
	return false, nil
}

// withdraw takes back a question that still waits.
func (l *lookups) withdraw(a *asking) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.Index(l.waiting, a)
	if i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
	}
	return i >= 0
}

// fly makes one call, for a and those who wait, and hands the next to whoever has waited longest.
func (l *lookups) fly(ctx context.Context, a *asking) {
	l.mu.Lock()
	n := min(len(l.waiting), together-1)
	some := append([]*asking{a}, l.waiting[:n]...)
	l.waiting = slices.Delete(l.waiting, 0, n)
	l.mu.Unlock()
	defer l.land()
	// Several share the call, so it does not end with the wish of one.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTime)
	defer cancel()
	questions := make([]question, len(some))
	for i, a := range some {
		questions[i] = a.question
	}
	sights, err := l.read(ctx, questions)
	for i, a := range some {
		got := answer{err: err}
		if err == nil {
			got.sight = sights[i]
		}
		a.answer <- got
	}
}

// land ends a call. Somebody who waits begins the next.
func (l *lookups) land() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) == 0 {
		l.flying--
		return
	}
	next := l.waiting[0]
	l.waiting = slices.Delete(l.waiting, 0, 1)
	close(next.lead)
}

// ask is what lookups read by.
func (d *Desk) ask(ctx context.Context, all []question) ([]sight, error) {
	return d.read(ctx, d.rdb, all)
}
