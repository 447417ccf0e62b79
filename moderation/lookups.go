package moderation

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"parley/internal/keyring"
)

const (
	// together is how many devices one call asks about, so that it keeps Redis for a moment only.
	together = 128
	// flights is how many calls may be under way at a time.
	flights = 1
	// spacing is the time between two calls when many come: a server that is woken more often does
	// little else. After a quiet moment burst may go at once.
	spacing = 2 * time.Millisecond
	burst   = 4
	// standby is how many may wait for one. Beyond it Redis is slower than people come: they are told so.
	standby = 8192
	// lookupTime is how long one call may take.
	lookupTime = 2 * time.Second
)

// lookups reads what decides the band of devices: of several in one call while many come, which costs
// Redis much less than a call for each, and at once while few do. Whoever may begin a call makes it
// for those who wait.
type lookups struct {
	read func(context.Context, []*person) ([]sight, error)

	mu      sync.Mutex // guards the following
	flying  int
	opens   time.Time // when the next call may begin
	waiting []*asking
}

// asking is a question that waits for its answer, or for its turn to make the call.
type asking struct {
	*person
	answer chan answer   // one
	lead   chan struct{} // closed when it is to make the next call
}

type answer struct {
	seen sight
	err  error
}

// ask returns what there is of one device.
func (l *lookups) ask(ctx context.Context, p *person) (sight, error) {
	a := &asking{p, make(chan answer, 1), make(chan struct{})}
	leads, err := l.board(a)
	if err != nil {
		return sight{}, err
	}
	if !leads {
		select {
		case got := <-a.answer:
			return got.seen, got.err
		case <-a.lead:
		case <-ctx.Done():
			if l.withdraw(a) {
				return sight{}, ctx.Err()
			}
			// It was answered or called upon in this moment: who is called upon must make the call.
			select {
			case got := <-a.answer:
				return got.seen, got.err
			case <-a.lead:
			}
		}
	}
	l.fly(ctx, a)
	got := <-a.answer
	return got.seen, got.err
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
	l.pace()
	l.mu.Lock()
	n := min(len(l.waiting), together-1)
	some := append([]*asking{a}, l.waiting[:n]...)
	l.waiting = slices.Delete(l.waiting, 0, n)
	l.mu.Unlock()
	defer l.land()
	// Several share the call, so it does not end with the wish of one.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lookupTime)
	defer cancel()
	people := make([]*person, len(some))
	for i, a := range some {
		people[i] = a.person
	}
	seen, err := l.read(ctx, people)
	for i, a := range some {
		got := answer{err: err}
		if err == nil {
			got.seen = seen[i]
		}
		a.answer <- got
	}
}

// pace waits until the next call may begin.
func (l *lookups) pace() {
	now := time.Now()
	l.mu.Lock()
	if least := now.Add(-(burst - 1) * spacing); l.opens.Before(least) {
		l.opens = least
	}
	wait := l.opens.Sub(now)
	l.opens = l.opens.Add(spacing)
	l.mu.Unlock()
	if wait > 0 {
		<-time.After(wait)
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

// looks is what lookups read by.
func (d *Desk) looks(ctx context.Context, people []*person) ([]sight, error) {
	all := make([]question, len(people))
	for i, p := range people {
		all[i] = question{person: p, look: true}
	}
	return d.read(ctx, d.rdb, all)
}

// maxBare is how many devices a node remembers that have nothing under older keys; beyond it, it
// forgets them all.
const maxBare = 1 << 16

// apart is how far the clocks of two nodes may be from each other.
const apart = 2 * time.Hour

// bare are devices of which nothing was kept when this node looked under every key. What is new is
// always kept under this week's key, or, at the turn of a week, where a clock is behind or ahead,
// under that before or the next. So only these need be asked for again, and whoever was reported a
// moment ago is found. A device has another name here as soon as no clock is behind the turn of the
// week any more, and every key is asked for once more: what was still kept under that before is found.
type bare struct {
	mu  sync.Mutex        // guards the following
	all map[string]string // the mark of the digest that was asked for too, if any, by that of the token
}

// firstOf is the first week whose key may still name what is new; false when there is none.
func firstOf(p *person, now time.Time) (week int64, is bool) {
	e, is := p.live.Current(now.Add(-apart))
	return e.Week, is
}

func (b *bare) note(p *person, now time.Time) {
	first, is := firstOf(p, now)
	if !is {
		return
	}
	name, digest := p.markOf(ofToken, first), p.markOf(ofDigest, first)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.all == nil || len(b.all) >= maxBare {
		b.all = map[string]string{}
	}
	if digest != "" || b.all[name] == "" {
		b.all[name] = digest
	}
}

// trim leaves of the places of a device those where something may be.
func (b *bare) trim(p *person, now time.Time) {
	first, is := firstOf(p, now)
	if !is {
		return
	}
	name, digest := p.markOf(ofToken, first), p.markOf(ofDigest, first)
	b.mu.Lock()
	asked, there := b.all[name]
	b.mu.Unlock()
	if !there || digest != "" && digest != asked {
		return
	}
	last := keyring.WeekOf(now.Add(apart))
	p.places = slices.DeleteFunc(p.places, func(at place) bool { return at.week < first || at.week > last })
}
