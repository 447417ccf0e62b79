package web

import (
	"hash/maphash"
	"slices"
	"sync"
	"time"
)

const (
	// maxGuesses is how many wrong tokens one address may try within guessTime.
	maxGuesses = 10
	guessTime  = 30 * time.Minute

	// guessSlots is how many counters there are. Addresses that fall on one slot share it.
	guessSlots = 1 << 12
)

// guesses counts wrong tokens by IPv4 address or IPv6 /64, in the way in which [limiter] counts
// sockets: no address is kept, and the table does not grow.
type guesses struct {
	seed maphash.Seed

	mu   sync.Mutex // guards slot
	slot [guessSlots][]time.Time
}

func newGuesses() *guesses { return &guesses{seed: maphash.MakeSeed()} }

// take counts a try before it is looked at, so that many at once are not one. It says how long to wait
// if there were too many; mark names the try for give.
func (g *guesses) take(address string, now time.Time) (mark time.Time, wait time.Duration) {
	at := slotOf(g.seed, address, guessSlots)
	g.mu.Lock()
	defer g.mu.Unlock()
	tries := g.slot[at]
	for len(tries) > 0 && now.Sub(tries[0]) >= guessTime {
		tries = tries[1:]
	}
	g.slot[at] = tries
	if len(tries) >= maxGuesses {
		return time.Time{}, guessTime - now.Sub(tries[0])
	}
	g.slot[at] = append(slices.Clip(tries), now)
	return now, 0
}

// give takes back a try that was no wrong guess.
func (g *guesses) give(address string, mark time.Time) {
	at := slotOf(g.seed, address, guessSlots)
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, try := range g.slot[at] {
		if try.Equal(mark) {
			g.slot[at] = append(g.slot[at][:i:i], g.slot[at][i+1:]...)
			return
		}
	}
}
