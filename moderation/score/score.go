package score

import "math"

// Score returns the score of a record and its number of effective distinct reporters, both 0 for a
// record that is not alive.
func Score(p Policy, now int64, r *Record) (score, reporters float64) {
	if !r.Alive(p, now) {
		return 0, 0
	}
	weight, reporters := r.weigh(p, now)
	clean := r.clean(p, now)
	return (p.PriorA + weight) / (p.PriorA + p.PriorB + weight + clean), reporters
}

// weigh returns the decayed weight of the reports, and their number where each counts at most 1.
func (r *Record) weigh(p Policy, now int64) (weight, reporters float64) {
	if r.brief {
		left := p.decay(now - r.Sum.at)
		return r.Sum.weight * left, r.Sum.reporters * left
	}
	var counted [room]float64
	r.caps(p, &counted)
	for i := range r.Events {
		e := &r.Events[i]
		if now-e.At >= p.expire() {
			continue
		}
		left := p.decay(now - e.At)
		weight += counted[i] * left
		reporters += min(1, counted[i]) * left
	}
	return weight, reporters
}

// decay is what is left of 1 after so many seconds.
func (p Policy) decay(age int64) float64 {
	return math.Exp2(-float64(max(0, age)) / (p.HalfLife * day))
}

// clean is the decayed number of clean calls.
func (r *Record) clean(p Policy, now int64) float64 {
	var sum float64
	for _, d := range r.Clean {
		sum += d.decayed(p, now)
	}
	return sum
}

// decayed sums 2^(-age/H) over the calls of a day from their number, mean and variance. The next term
// of the series is under a millionth of the sum for a half-life of 14 days.
func (d Day) decayed(p Policy, now int64) float64 {
	n := float64(d.Count)
	if n == 0 {
		return 0
	}
	mean := float64(d.Sum) / n
	variance := max(0, float64(d.Squares)/n-mean*mean)
	k := math.Ln2 / (p.HalfLife * day)
	age := max(0, float64(now-d.Day*day)-mean)
	return n * math.Exp(-k*age) * (1 + k*k*variance/2)
}

// joinOldest makes one of the two oldest days until there are no more than MaxDays. The one weighs as
// much as both did, now and, under the same half-life, at any other time.
func joinOldest(p Policy, now int64, days []Day) []Day {
	for len(days) > MaxDays {
		a, b := days[0], days[1]
		n := min(a.Count+b.Count, math.MaxUint16)
		age := -p.HalfLife * day * math.Log2((a.decayed(p, now)+b.decayed(p, now))/float64(n))
		at := Hour(now - int64(age) + hour - 1) // up, so that nothing is lost
		at = min(at, b.Day*day+day-1)
		second := at % day
		days[1] = Day{Day: at / day, Count: n, Sum: int64(n) * second, Squares: int64(n) * second * second}
		days = days[1:]
	}
	return days
}
