package simulate

import (
	"maps"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A histogram goes from a microsecond to an hour, with an error of at most one in a thousand.
const (
	shortest = int64(1)
	longest  = int64(time.Hour / time.Microsecond)
	digits   = 3
)

// tally is what was measured and counted by one shard.
type tally struct {
	mu     sync.Mutex // guards the following fields
	times  [measures]*hdrhistogram.Histogram
	counts map[string]int64
}

func newTally() *tally {
	t := &tally{counts: map[string]int64{}}
	for m := range t.times {
		t.times[m] = hdrhistogram.New(shortest, longest, digits)
	}
	return t
}

func (t *tally) took(m Measure, d time.Duration) {
	us := min(max(d.Microseconds(), shortest), longest)
	t.mu.Lock()
	defer t.mu.Unlock()
	_ = t.times[m].RecordValue(us) // it is within the bounds
}

func (t *tally) count(what string) { t.add(what, 1) }

func (t *tally) add(what string, n int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[what] += n
}

// addTo merges the tally into another that nobody else uses.
func (t *tally) addTo(sum *tally) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for m, h := range t.times {
		sum.times[m].Merge(h)
	}
	for what, n := range maps.All(t.counts) {
		sum.counts[what] += n
	}
}
