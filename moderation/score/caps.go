package score

import (
	"math"
	"slices"
)

// room is the most that a record can be full of: one report too many, until the least is out.
const room = MaxEvents + 1

// caps fills counted with the weight of each event after both caps, in the order of the events.
func (r *Record) caps(p Policy, counted *[room]float64) {
	for first := 0; first < len(r.Events); {
		next := first + 1
		for next < len(r.Events) && r.Events[next].At == r.Events[first].At {
			next++
		}
		r.share(p, counted, first, next)
		first = next
	}
}

// share gives the events from first to next, which are of one time, their part of the room. They
// share it in proportion to their weights, so that their order does not matter: first what counts as
// a reporter, at most 1 of each weight, and then the rest.
func (r *Record) share(p Policy, counted *[room]float64, first, next int) {
	if e := &r.Events[first]; next == first+1 { // as below, without the tables
		left := min(p.DailyCap-r.dayBefore(counted, first, next), p.NetCap-r.netBefore(counted, first, next, e.Net))
		counted[first] = max(0, min(e.weight(p), left))
		return
	}
	g := group{
		day:   p.DailyCap - r.dayBefore(counted, first, next),
		owner: make([]int, next-first), net: make([]float64, next-first),
		counted: counted[first:next],
	}
	heads, rest := make([]float64, next-first), make([]float64, next-first)
	more := false
	for i := range g.owner {
		e := &r.Events[first+i]
		g.counted[i] = 0
		g.owner[i] = slices.IndexFunc(r.Events[first:next], func(o Event) bool { return o.Net == e.Net })
		if g.owner[i] == i {
			g.net[i] = p.NetCap - r.netBefore(counted, first, next, e.Net)
		}
		w := e.weight(p)
		heads[i], rest[i] = min(1, w), w-min(1, w)
		more = more || rest[i] > 0
	}
	g.take(heads)
	if more {
		g.take(rest)
	}
}

// dayBefore is the weight that stood in the record in the 24 hours before events first to next.
func (r *Record) dayBefore(counted *[room]float64, first, next int) float64 {
	var sum float64
	for i := first - 1; i >= 0 && r.Events[first].At-r.Events[i].At < day; i-- {
		sum += counted[i]
	}
	for i := first; i < next; i++ {
		sum = max(sum, float64(r.Events[i].DayUsed))
	}
	return sum
}

// netBefore is the weight that stood in the record in the 7 days before, from one network.
func (r *Record) netBefore(counted *[room]float64, first, next int, net ID) float64 {
	var sum float64
	for i := first - 1; i >= 0 && r.Events[first].At-r.Events[i].At < week; i-- {
		if r.Events[i].Net == net {
			sum += counted[i]
		}
	}
	for i := first; i < next; i++ {
		if r.Events[i].Net == net {
			sum = max(sum, float64(r.Events[i].NetUsed))
		}
	}
	return sum
}

// group is the events of one time while they share what room there is.
type group struct {
	day     float64   // room of the day
	owner   []int     // for each event the first of its network
	net     []float64 // room of each network, at its owner
	counted []float64
}

// take adds to counted what of wants there is room for.
func (g *group) take(wants []float64) {
	sums := make([]float64, len(wants))
	for i, w := range wants {
		sums[g.owner[i]] += w
	}
	var all float64
	for i, s := range sums {
		all += min(s, max(0, g.net[i]))
	}
	if all <= 0 {
		return
	}
	part := min(1, max(0, g.day)/all)
	for i, w := range wants {
		o := g.owner[i]
		if w > 0 {
			w *= min(1, max(0, g.net[o])/sums[o]) * part
			g.counted[i] += w
		}
	}
	for i, s := range sums {
		g.net[i] -= min(s, max(0, g.net[i])) * part
	}
	g.day -= all * part
}

// used returns the weights that stand in the record before at: within 24 hours, and within 7 days
// from the network that has these aliases.
func (r *Record) used(p Policy, at int64, aliases []Alias) (dayUsed, netUsed float32) {
	var counted [room]float64
	r.caps(p, &counted)
	var inDay, inWeek float64
	for i := range r.Events {
		e := &r.Events[i]
		if e.At == at {
			break
		}
		if at-e.At < day {
			inDay += counted[i]
		}
		if at-e.At < week && slices.ContainsFunc(aliases, func(a Alias) bool { return a.Net == e.Net }) {
			inWeek += counted[i]
		}
	}
	return roundUp(inDay), roundUp(inWeek)
}

// roundUp loses no weight on the way to the shorter number.
func roundUp(x float64) float32 {
	f := float32(x)
	if float64(f) < x {
		f = math.Nextafter32(f, math.MaxFloat32)
	}
	return f
}

// least returns the index of the report that counts least at now, the oldest of equals.
func (r *Record) least(p Policy, now int64) int {
	var counted [room]float64
	r.caps(p, &counted)
	least, at := math.Inf(1), 0
	for i := range r.Events {
		if c := counted[i] * p.decay(now-r.Events[i].At); c < least || c == least && r.Events[i].Slot == MaxEvents {
			least, at = c, i
		}
	}
	return at
}
