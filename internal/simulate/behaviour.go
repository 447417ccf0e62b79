package simulate

import (
	"math"
	"math/rand/v2"
	"time"
)

// Behaviour is what people are like. Shares are between 0 and 1.
type Behaviour struct {
	Talk     time.Duration // mean length of a call that nobody skips
	Patience time.Duration // mean time after which somebody stops searching
	Next     float64       // of calls, after which a person searches for another
	Skip     float64       // of calls, left by one side within seconds
	Report   float64       // of calls, at whose end one side reports the other
	Block    float64       // of calls, at whose end one side blocks the other
	Drop     float64       // of searches and calls, during which a socket is dropped for 1 to 60 s
	Vanish   float64       // of people, who go without a word
	Ignore   float64       // of matches, that are not confirmed
	Hesitate time.Duration // mean time before the others are confirmed; no less than half of it, nor more than 3 s
	Media    float64       // of calls, in which both people really connect and send sound

	Languages []string // that people search in, the most common first
	Interests []string // likewise; those of the target's catalogue if there are none
}

// Pauses of people.
const (
	pauseAfterPeer = 5 * time.Second // as the page does when the other one left
	shortestAway   = time.Second
	longestAway    = time.Minute
	retryWait      = 2500 * time.Millisecond // as the page does when the store is away
	tooManyWait    = 30 * time.Second
	lastWords      = time.Second // for answers to arrive before somebody leaves
	longestThought = 3 * time.Second
)

// chance says yes in a share of cases.
func chance(rnd *rand.Rand, share float64) bool { return rnd.Float64() < share }

// around returns an exponentially distributed time.
func around(rnd *rand.Rand, mean time.Duration) time.Duration {
	return time.Duration(rnd.ExpFloat64() * float64(mean))
}

// hesitates returns how long somebody thinks about a match, of the 4 s that there are.
func hesitates(rnd *rand.Rand, mean time.Duration) time.Duration {
	return min(mean/2+around(rnd, mean/2), longestThought)
}

// between returns a time whose logarithm is evenly distributed, so that short ones are as common as
// long ones.
func between(rnd *rand.Rand, least, most time.Duration) time.Duration {
	low, high := math.Log(float64(least)), math.Log(float64(most))
	return time.Duration(math.Exp(low + rnd.Float64()*(high-low)))
}

// popular draws one of n so that the k-th is chosen in proportion to 1/k: a few are common.
func popular(rnd *rand.Rand, n int) int {
	total := 0.0
	for k := range n {
		total += 1 / float64(k+1)
	}
	at := rnd.Float64() * total
	for k := range n {
		if at -= 1 / float64(k+1); at < 0 {
			return k
		}
	}
	return n - 1
}

// choose draws what somebody searches with: one language in seven cases of ten, else two or three;
// no interest in two cases of ten, else one to five; nine in ten widen.
func (b *Behaviour) choose(rnd *rand.Rand) choices {
	languages := 1
	if chance(rnd, 0.3) {
		languages += 1 + rnd.IntN(2)
	}
	interests := 0
	if chance(rnd, 0.8) {
		interests = 1 + rnd.IntN(5)
	}
	return choices{
		Languages: several(rnd, b.Languages, languages),
		Interests: several(rnd, b.Interests, interests),
		Widen:     chance(rnd, 0.9),
	}
}

// several draws up to n different ones, the common ones first to be drawn.
func several(rnd *rand.Rand, all []string, n int) []string {
	chosen := []string{}
	left := append([]string(nil), all...)
	for range min(n, len(all)) {
		i := popular(rnd, len(left))
		chosen = append(chosen, left[i])
		left = append(left[:i], left[i+1:]...)
	}
	return chosen
}
