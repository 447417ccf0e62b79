package matcher

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// spacing is the time between two calls of join.lua from this node when many come, unless so many
	// wait that a call is full. After a quiet moment burst may go at once.
	spacing = 2 * time.Millisecond
	burst   = 4

	// together is how many may go in one call, so that it keeps Redis for a millisecond at most.
	together = 16

	// flights is how many calls may be under way at a time.
	flights = 4

	// standby is how many may wait. Beyond it Redis is slower than people come: they are told so.
	standby = 8192
)

// joins sends joins to Redis: at once and alone while few come, and else several in one call, which
// costs Redis much less than so many calls.
type joins struct {
	send    func(context.Context, []request) ([]string, error)
	timeout time.Duration

	mu      sync.Mutex // guards the following
	landed  *sync.Cond // no flight is under way or due
	flying  int
	due     bool      // a flight will begin at opens
	opens   time.Time // from when on a flight may begin that is not full
	waiting []*asked
}

func newJoins(timeout time.Duration, send func(context.Context, []request) ([]string, error)) *joins {
	j := &joins{send: send, timeout: timeout}
	j.landed = sync.NewCond(&j.mu)
	return j
}

// wait returns when no flight is under way or due.
func (j *joins) wait() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.flying > 0 || j.due {
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
	if !j.board(a) { //nolint:contextcheck // several share a call, so it is of none of them
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

// board lets a join wait for the next flight, which may begin at once; false if too many wait.
func (j *joins) board(a *asked) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.waiting) == standby {
		return false
	}
	j.waiting = append(j.waiting, a)
	j.depart()
	return true
}

// depart begins a flight for those who wait, now or as soon as one may begin. While there are as many
// as may be, the first that lands takes them. Called with mu held.
func (j *joins) depart() {
	switch {
	case len(j.waiting) == 0 || j.flying == flights:
	case j.ready():
		j.flying++
		go j.fly(j.take())
	case !j.due:
		j.due = true
		time.AfterFunc(time.Until(j.opens), func() {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.due = false
			j.depart()
			j.land()
		})
	}
}

// ready says that those who wait may go. Called with mu held.
func (j *joins) ready() bool {
	return len(j.waiting) >= together || !time.Now().Before(j.opens)
}

// take returns those who go in the next call. Called with mu held.
func (j *joins) take() []*asked {
	n := min(len(j.waiting), together)
	some := j.waiting[:n:n]
	if j.waiting = j.waiting[n:]; len(j.waiting) == 0 {
		j.waiting = nil
	}
	if now := time.Now(); !now.Before(j.opens) {
		// Opens lies so far behind at most that burst may begin at once.
		if least := now.Add(-(burst - 1) * spacing); j.opens.Before(least) {
			j.opens = least
		}
		j.opens = j.opens.Add(spacing)
	}
	return some
}

// land wakes those who wait for the last flight. Called with mu held.
func (j *joins) land() {
	if j.flying == 0 && !j.due {
		j.landed.Broadcast()
	}
}

// withdraw takes back a join that still waits.
func (j *joins) withdraw(a *asked) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if i := slices.Index(j.waiting, a); i >= 0 {
		j.waiting = slices.Delete(j.waiting, i, i+1)
	}
}

// fly sends some joins, and then those who have come to wait meanwhile, until nobody may go.
func (j *joins) fly(some []*asked) {
	for len(some) > 0 {
		j.answer(some)
		some = j.next()
	}
}

// next returns the joins of the next call; when there are none this flight has ended.
func (j *joins) next() []*asked {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.waiting) > 0 && j.ready() {
		return j.take()
	}
	j.flying--
	j.depart()
	j.land()
	return nil
}

// answer makes one call and hands out its answers.
func (j *joins) answer(some []*asked) {
	ctx, cancel := context.WithTimeout(context.Background(), j.timeout) // of nobody: several share it
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
