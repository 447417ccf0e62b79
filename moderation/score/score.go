package score

import "math"

// Score returns the score of a record and its number of effective distinct reporters, both 0 for a
// record that is not alive.
func Score(p Policy, now int64, r *Record) (score, reporters float64) {
	if !r.Alive(p, now) {
		return 0, 0
	}
	var counted [MaxEvents + 1]float64
	r.caps(p, &counted)
	var weight float64
	for i := range r.Events {
		e := &r.Events[i]
		if now-e.At >= p.expire() {
			continue
		}
		left := p.decay(now - e.At)
		weight += counted[i] * left
		reporters += min(1, counted[i]) * left
	}
	clean := r.clean(p, now)
	return (p.PriorA + weight) / (p.PriorA + p.PriorB + weight + clean), reporters
}

// decay is what is left of 1 after so many seconds.
func (p Policy) decay(age int64) float64 {
	return math.Exp2(-float64(max(0, age)) / (p.HalfLife * day))
}

// clean is the decayed number of clean calls.
func (r *Record) clean(p Policy, now int64) float64 {
	var sum float64
	for _, d := range r.Clean {
		if now-d.mean() >= p.expire() {
			continue
		}
		sum += d.decayed(p, now)
	}
	return sum
}

func (d Day) mean() int64 {
	if d.Count == 0 {
		return d.Day * day
	}
	return d.Day*day + d.Sum/int64(d.Count)
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
