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
	// laneMost is how many may wait before the browser is cut with 4008 instead of being heard: no
	// honest one comes near it, even while the store is away.
	laneMost = 128
)

// jobs runs what asks the store, so that no machine ever waits for it. The jobs of one lane run
// one after the other.
type jobs struct {
	mu      sync.Mutex // guards the following and all lanes
	more    sync.Cond  // there is work
	done    sync.Cond  // there is none left
	lanes   []*lane    // those with work that nobody is at; see [Hub.admits]
	pending int        // jobs that wait or are under way
	stopped bool
}

// lane is the work of one session or room.
type lane struct {
	todo []func(context.Context)
	busy bool // in jobs.lanes, or a worker is at it
}

func newJobs() *jobs {
	j := &jobs{}
	j.more.L, j.done.L = &j.mu, &j.mu
	return j
}

// full tells whether so much waits in the lane that a browser may not add to it.
func (j *jobs) full(l *lane) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(l.todo) >= laneLength
}

// waiting returns how many jobs wait in the lane.
func (j *jobs) waiting(l *lane) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(l.todo)
}

// behind returns how many lanes wait for a worker.
func (j *jobs) behind() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.lanes)
}

// left returns how many jobs wait or are under way.
func (j *jobs) left() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return int64(j.pending)
}

// add gives do to a worker. What a lane holds is bounded by who asks: a browser is not heard beyond
// laneMost, and a room asks again only after the answer.
func (j *jobs) add(l *lane, do func(context.Context)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	l.todo = append(l.todo, do)
	j.pending++
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
		if j.pending--; j.pending == 0 {
			j.done.Broadcast()
		}
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

// finish lets the workers do what waits, for at most limit, and ends them.
func (j *jobs) finish(limit time.Duration) {
	defer j.stop() // after the lock is let go
	late := time.AfterFunc(limit, j.stop)
	defer late.Stop()
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.pending > 0 && !j.stopped {
		j.done.Wait()
	}
}

// stop ends all workers; what waits is not done any more.
func (j *jobs) stop() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stopped = true
	j.more.Broadcast()
	j.done.Broadcast()
}
