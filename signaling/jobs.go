package signaling

import (
	"context"
	"sync"
	"time"
)

const (
	// workers is how many questions to the store are under way at once.
	workers = 32
	// jobTime is how long the store may take for one of them.
	jobTime = 2 * time.Second
	// laneLength is how many questions may wait before a browser's reports are refused.
	laneLength = 32
)

// jobs runs what asks the store, so that no machine ever waits for it. The jobs of one lane run
// one after the other.
type jobs struct {
	mu      sync.Mutex // guards the following and all lanes
	more    sync.Cond
	lanes   []*lane // those with work that nobody is at
	stopped bool
}

// lane is the work of one session or room.
type lane struct {
	todo []func(context.Context)
	busy bool // in jobs.lanes, or a worker is at it
}

func newJobs() *jobs {
	j := &jobs{}
	j.more.L = &j.mu
	return j
}

// full tells whether so much waits in the lane that a browser may not add to it.
func (j *jobs) full(l *lane) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(l.todo) >= laneLength
}

// add gives do to a worker. What the machines ask for is bounded by themselves: none asks again
// before it has the answer.
func (j *jobs) add(l *lane, do func(context.Context)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	l.todo = append(l.todo, do)
	if !l.busy {
		l.busy = true
		j.lanes = append(j.lanes, l)
		j.more.Signal()
	}
}

// work does jobs until stop.
func (j *jobs) work(ctx context.Context) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for {
		for len(j.lanes) == 0 && !j.stopped {
			j.more.Wait()
		}
		if j.stopped {
			return
		}
		l := j.lanes[0]
		j.lanes = j.lanes[1:]
		do := l.todo[0]
		l.todo[0] = nil
		if l.todo = l.todo[1:]; len(l.todo) == 0 {
			l.todo = nil
		}
		j.mu.Unlock()
		within(ctx, do)
		j.mu.Lock()
		if l.busy = len(l.todo) > 0; l.busy {
			j.lanes = append(j.lanes, l)
		}
	}
}

func within(ctx context.Context, do func(context.Context)) {
	ctx, cancel := context.WithTimeout(ctx, jobTime)
	defer cancel()
	do(ctx)
}

// stop ends all workers; what waits is not done any more.
func (j *jobs) stop() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stopped = true
	j.more.Broadcast()
}
