package matcher

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// flights is how many calls of join.lua may be under way at a time from this node. A join that
	// comes while there are so many waits, and goes with others.
	flights = 4

	// together is how many may go in one call, so that it keeps Redis for a millisecond at most.
	together = 16

	// standby is how many may wait. Beyond it Redis is slower than people come: they are told so.
	standby = 8192
)

// joins sends joins to Redis: at once and alone while few are under way, and else several in one
// call, which costs Redis much less than so many calls.
type joins struct {
	send    func(context.Context, []request) ([]string, error)
	timeout time.Duration

	mu      sync.Mutex // guards the following
	landed  *sync.Cond // no flight is under way
	flying  int
	waiting []*asked
}

func newJoins(timeout time.Duration, send func(context.Context, []request) ([]string, error)) *joins {
	j := &joins{send: send, timeout: timeout}
	j.landed = sync.NewCond(&j.mu)
	return j
}

// wait returns when no flight is under way.
func (j *joins) wait() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.flying > 0 {
		j.landed.Wait()
	}
}

// asked is a join whose answer is waited for.
type asked struct {
	request
	answer chan answer // one
}

type answer struct {
	text string
	err  error
}

// ask returns the script's answer to a request.
func (j *joins) ask(ctx context.Context, r request) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, j.timeout)
	defer cancel()
	a := &asked{r, make(chan answer, 1)}
	if !j.board(ctx, a) {
		return "", fmt.Errorf("%w: %d wait for it", ErrUnavailable, standby)
	}
	select {
	case got := <-a.answer:
		return got.text, got.err
	case <-ctx.Done():
		j.withdraw(a)
		return "", fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
}

// board lets a join fly at once, or wait; false if too many wait.
func (j *joins) board(ctx context.Context, a *asked) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	switch {
	case j.flying < flights:
		j.flying++
		go j.fly(context.WithoutCancel(ctx), []*asked{a})
	case len(j.waiting) < standby:
		j.waiting = append(j.waiting, a)
	default:
		return false
	}
	return true
}

// withdraw takes back a join that still waits.
func (j *joins) withdraw(a *asked) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if i := slices.Index(j.waiting, a); i >= 0 {
		j.waiting = slices.Delete(j.waiting, i, i+1)
	}
}

// fly sends some joins, and then those who have come to wait meanwhile, until nobody waits.
func (j *joins) fly(ctx context.Context, some []*asked) {
	for len(some) > 0 {
		j.answer(ctx, some)
		some = j.next()
	}
}

// next returns the joins of the next call; when there are none this flight has ended.
func (j *joins) next() []*asked {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := min(len(j.waiting), together)
	if n == 0 {
		if j.flying--; j.flying == 0 {
			j.landed.Broadcast()
		}
		j.waiting = nil
		return nil
	}
	some := j.waiting[:n:n]
	j.waiting = j.waiting[n:]
	return some
}

// answer makes one call and hands out its answers.
func (j *joins) answer(ctx context.Context, some []*asked) {
	ctx, cancel := context.WithTimeout(ctx, j.timeout)
	defer cancel()
	requests := make([]request, len(some))
	for i, a := range some {
		requests[i] = a.request
	}
	texts, err := j.send(ctx, requests)
	if err == nil && len(texts) != len(some) {
		err = fmt.Errorf("%w: %d answers to %d joins", ErrUnavailable, len(texts), len(some))
	}
	for i, a := range some {
		if err != nil {
			a.answer <- answer{err: err}
		} else {
			a.answer <- answer{text: texts[i]}
		}
	}
}

// send calls join.lua.
func (q *Queue) send(ctx context.Context, requests []request) ([]string, error) {
	var keys []string
	var args []any
	for _, r := range requests {
		keys = append(keys, r.keys...)
		args = append(args, r.terms, r.wish)
	}
	return q.run(ctx, q.scripts.join, keys, args...)
}
