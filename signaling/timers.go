package signaling

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// timer is one place in the heap of [timers].
type timer struct {
	fire  func() // called by the goroutine of timers; must not wait for anything
	at    time.Time
	index int // in the heap, -1 when it is not set
}

func newTimer(fire func()) *timer { return &timer{fire: fire, index: -1} }

// timers holds the deadlines of all machines in one heap with one goroutine.
type timers struct {
	mu   sync.Mutex // guards the heap
	heap timerHeap
	wake chan struct{} // has room for one: the soonest deadline has changed
}

func newTimers() *timers { return &timers{wake: make(chan struct{}, 1)} }

// set moves t to at; a zero at stops it.
func (ts *timers) set(t *timer, at time.Time) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	switch {
	case at.Equal(t.at):
		return
	case at.IsZero():
		heap.Remove(&ts.heap, t.index)
	case t.index < 0:
		t.at = at
		heap.Push(&ts.heap, t)
	default:
		t.at = at
		heap.Fix(&ts.heap, t.index)
	}
	t.at = at
	if t.index == 0 {
		select {
		case ts.wake <- struct{}{}:
		default:
		}
	}
}

// due takes one timer whose time has come, or tells how long until the next.
func (ts *timers) due(now time.Time) (t *timer, wait time.Duration) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if len(ts.heap) == 0 {
		return nil, time.Hour
	}
	if wait := ts.heap[0].at.Sub(now); wait > 0 {
		return nil, wait
	}
	t = heap.Pop(&ts.heap).(*timer)
	t.at = time.Time{}
	return t, 0
}

// run fires timers until ctx ends.
func (ts *timers) run(ctx context.Context) {
	alarm := time.NewTimer(0)
	defer alarm.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-alarm.C:
		case <-ts.wake:
		}
		for {
			t, wait := ts.due(time.Now())
			if t == nil {
				alarm.Reset(wait)
				break
			}
			t.fire()
		}
	}
}

type timerHeap []*timer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }

func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push is called by container/heap.
func (h *timerHeap) Push(x any) {
	t := x.(*timer)
	t.index = len(*h)
	*h = append(*h, t)
}

// Pop is called by container/heap.
func (h *timerHeap) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	t.index = -1
	return t
}
