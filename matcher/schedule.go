package matcher

import (
	"strconv"
	"time"

	"parley/retention"
)

// Look is how far a search looks.
type Look string

// Looks, from near to far.
const (
	LookInterests Look = "interests" // first language, a common interest
	LookAnything  Look = "anything"  // first language, any interest
	LookLanguages Look = "languages" // every chosen language, any interest
)

// Step says from when on a search looks how far.
type Step struct {
	After time.Duration // since arrival
	Look  Look
}

// Widening delays; which one a ticket gets is decided by [widening].
const (
	widenQuiet  = 2 * time.Second
	widenNormal = 6 * time.Second
	widenBusy   = 12 * time.Second

	// expectSpan is the span for which the arrivals are expected that decide.
	expectSpan = 6 * time.Second
	quiet      = 0.5
	busy       = 4.0
)

// widening returns W: how long to hold out for a common interest when so many arrivals in the
// ticket's own pools are expected within expectSpan. Waiting pays only if somebody will come.
func widening(expected float64) time.Duration {
	switch {
	case expected < quiet:
		return widenQuiet
	case expected > busy:
		return widenBusy
	}
	return widenNormal
}

// Steps returns the schedule of a ticket whose widening delay is widens. The first step is at 0.
func Steps(t Ticket, widens time.Duration) []Step {
	steps := []Step{{0, LookAnything}}
	if len(t.Interests) > 0 {
		steps = []Step{{0, LookInterests}}
		if !t.Strict {
			steps = append(steps, Step{widens, LookAnything})
		}
	}
	if len(t.Languages) > 1 && !t.Strict {
		steps = append(steps, Step{2 * widens, LookLanguages})
	}
	return steps
}

// pool is a language and an interest, or a language and everything.
type pool struct{ language, interest string }

// near returns the pools of the first step, in which a ticket stands at once.
func near(t Ticket) []pool {
	if len(t.Interests) == 0 {
		return []pool{{t.Languages[0], everything}}
	}
	pools := make([]pool, len(t.Interests))
	for i, interest := range t.Interests {
		pools[i] = pool{t.Languages[0], interest}
	}
	return pools
}

// key returns the key of the pool's tickets of a band.
func (p pool) key(band int) string {
	return retention.Pool.Key(p.language, p.interest, strconv.Itoa(band))
}

// places are the pools in which a ticket stands or will stand, in the order in which it comes to them.
type places struct {
	pools []pool
	near  int // it stands in so many from its arrival,
	first int // in those up to here, one more at most, after its widening delay, in all others after twice that
}

func placesOf(t Ticket) places {
	p := places{pools: near(t)}
	p.near, p.first = len(p.pools), len(p.pools)
	if t.Strict {
		return p
	}
	if len(t.Interests) > 0 {
		p.pools = append(p.pools, pool{t.Languages[0], everything})
		p.first++
	}
	for _, language := range t.Languages[1:] {
		for _, interest := range t.Interests {
			p.pools = append(p.pools, pool{language, interest})
		}
		p.pools = append(p.pools, pool{language, everything})
	}
	return p
}

// keys returns the keys of the pools of a band.
func (p places) keys(band int) []string {
	keys := make([]string, len(p.pools))
	for i, pool := range p.pools {
		keys[i] = pool.key(band)
	}
	return keys
}
