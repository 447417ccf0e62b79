package matcher

import "time"

// Now returns the time by the clock of Redis, as far as this node knows it. What one node seals and
// another opens is dated by it, because the clocks of nodes may differ by minutes.
func (q *Queue) Now() time.Time {
	return time.Now().Add(time.Duration(q.skew.Load()) * time.Microsecond)
}
