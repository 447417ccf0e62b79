package signaling

import "time"

// bucket is a token bucket: burst tokens at first, rate new ones each second.
type bucket struct {
	rate, burst float64
	level       float64
	at          time.Time
}

func newBucket(now time.Time, rate, burst float64) bucket {
	return bucket{rate: rate, burst: burst, level: burst, at: now}
}

func (b *bucket) fill(now time.Time) {
	b.level = min(b.burst, b.level+now.Sub(b.at).Seconds()*b.rate)
	b.at = now
}

// take takes n tokens, if need be on credit, and returns how long to wait until they are there.
func (b *bucket) take(now time.Time, n float64) time.Duration {
	b.fill(now)
	b.level -= n
	if b.level >= 0 {
		return 0
	}
	return time.Duration(-b.level / b.rate * float64(time.Second))
}

// wait returns how long it takes until there is a token.
func (b *bucket) wait(now time.Time) time.Duration {
	b.fill(now)
	return time.Duration(max(0, 1-b.level) / b.rate * float64(time.Second))
}

// ready tells whether there is a token.
func (b *bucket) ready(now time.Time) bool {
	b.fill(now)
	return b.level >= 1
}

// try takes one token if there is one.
func (b *bucket) try(now time.Time) bool {
	if !b.ready(now) {
		return false
	}
	b.level--
	return true
}
