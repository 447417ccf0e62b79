package score

import (
	"cmp"
	"slices"
)

// Bounds of a record.
const (
	MaxEvents = 64 // reports; when there are more, the one that counts least goes
	MaxDays   = 30 // days of clean calls; when there are more, the two oldest become one of the same weight
	MaxPeers  = 64 // peers remembered for 24 hours; calls with further ones do not count as clean
	MaxCrowd  = 16 // installs seen with one digest
)

// Record is what is kept about a token or a digest that was reported. There is none before the first
// report. The zero Record is one without reports.
type Record struct {
	Events   []Event // oldest first
	Clean    []Day   // oldest first
	Peers    []Seen  // whose calls counted as clean in the last 24 hours
	Crowd    []Seen  // established installs seen with this digest, in records of digests only
	Band     Band    // the last that Judge found, before spells
	SpellEnd int64   // Unix seconds; 0: there was no spell
	Spells   int     // how many there were
	Sum      Sum     // of the reports, as they were when it was made; see Brief

	brief bool // there are no Events here: Sum stands for them
}

// Day counts the clean calls of one day. It lives as long as its record: if it went when it is 30 days
// old, time alone would raise the score.
type Day struct {
	Day     int64 // days since 1970
	Count   int
	Sum     int64 // of the seconds since the day began
	Squares int64 // of their squares
}

// Seen says who was seen, and when last.
type Seen struct {
	Who ID
	At  int64
}

// Alias holds the pseudonyms of one reporter for one reported, and of its network, under one key.
type Alias struct{ Pair, Net ID }

// Add puts a report into the record. It returns the report as it now stands, with the room that it
// found and its slot, and false when it was not added: this pair is there already, or the record is
// full of reports that count more. A report from before the newest one is taken at the time of that.
//
// older holds the pseudonyms of the same reporter and network under other live keys.
func (r *Record) Add(p Policy, e Event, older ...Alias) (Event, bool) {
	if !r.Alive(p, e.At) {
		*r = Record{}
	}
	aliases := append([]Alias{{e.Pair, e.Net}}, older...)
	for i := range r.Events {
		if slices.ContainsFunc(aliases, func(a Alias) bool { return a.Pair == r.Events[i].Pair }) {
			return Event{}, false
		}
	}
	if n := len(r.Events); n > 0 {
		e.At = max(e.At, r.Events[n-1].At)
	}
	r.forget(p, e.At)
	e.DayUsed, e.NetUsed = r.used(p, e.At, aliases)
	e.Slot = MaxEvents
	r.insert(e)
	if len(r.Events) <= MaxEvents {
		i := r.index(MaxEvents)
		r.Events[i].Slot = r.freeSlot()
		return r.Events[i], true
	}
	return r.displace(p, e)
}

// displace takes the report that counts least out of a record that has one too many; its slot goes
// to e.
func (r *Record) displace(p Policy, e Event) (Event, bool) {
	i := r.least(p, e.At)
	free := r.Events[i].Slot
	r.Events = slices.Delete(r.Events, i, i+1)
	if free == MaxEvents {
		return Event{}, false
	}
	i = r.index(MaxEvents)
	r.Events[i].Slot = free
	return r.Events[i], true
}

// insert keeps the events in an order that does not depend on who came first.
func (r *Record) insert(e Event) {
	i, _ := slices.BinarySearchFunc(r.Events, e, inOrder)
	r.Events = slices.Insert(r.Events, i, e)
}

func inOrder(a, b Event) int {
	return cmp.Or(cmp.Compare(a.At, b.At), slices.Compare(a.Pair[:], b.Pair[:]))
}

func (r *Record) index(slot uint8) int {
	return slices.IndexFunc(r.Events, func(e Event) bool { return e.Slot == slot })
}

func (r *Record) freeSlot() uint8 {
	var taken uint64
	for i := range r.Events {
		if r.Events[i].Slot < MaxEvents {
			taken |= 1 << r.Events[i].Slot
		}
	}
	for s := range uint8(MaxEvents) {
		if taken&(1<<s) == 0 {
			return s
		}
	}
	return MaxEvents
}

// forget drops what is too old at now to say anything.
func (r *Record) forget(p Policy, now int64) {
	r.Events = slices.DeleteFunc(r.Events, func(e Event) bool { return now-e.At >= p.expire() })
	r.Peers = slices.DeleteFunc(r.Peers, func(s Seen) bool { return now-s.At >= day })
	r.Crowd = slices.DeleteFunc(r.Crowd, func(s Seen) bool { return now-s.At >= week })
}

// Newest returns the time of the newest report, or 0.
func (r *Record) Newest() int64 {
	switch {
	case r == nil:
		return 0
	case r.brief:
		return r.Sum.at
	case len(r.Events) == 0:
		return 0
	}
	return r.Events[len(r.Events)-1].At
}

// Alive tells whether the record still says anything: its newest report is younger than
// p.Expire. A nil Record is not alive.
func (r *Record) Alive(p Policy, now int64) bool {
	return r != nil && (r.brief || len(r.Events) > 0) && now-r.Newest() < p.expire()
}

// Gone returns when the record ends unless it gets another report: Unix seconds, 0 without reports.
func (r *Record) Gone(p Policy) int64 {
	if r.Newest() == 0 {
		return 0
	}
	return r.Newest() + p.expire()
}

// Exposure is one side of a call that ended.
type Exposure struct {
	At       int64
	Seconds  float64
	Peer     ID   // the peer's install
	Older    []ID // the same under other live keys
	Reported bool // by that peer, in this call, whether the report counted or not
	Fresh    bool // the peer's install is fresh
	SameNet  bool
}

// Exposed counts a call as clean, if it is, and tells whether it was. Call it only for a record that
// is alive.
func (r *Record) Exposed(p Policy, x Exposure) bool {
	if x.Reported || x.Fresh || x.SameNet || x.Seconds < p.MinCall || !r.Alive(p, x.At) {
		return false
	}
	r.forget(p, x.At)
	known := func(s Seen) bool { return s.Who == x.Peer || slices.Contains(x.Older, s.Who) }
	if len(r.Peers) >= MaxPeers || slices.ContainsFunc(r.Peers, known) {
		return false
	}
	r.Peers = append(r.Peers, Seen{x.Peer, x.At})
	r.count(p, x.At)
	return true
}

func (r *Record) count(p Policy, at int64) {
	n := len(r.Clean)
	number, second := at/day, at%day
	if n > 0 && r.Clean[n-1].Day > number { // a clock that is behind
		number, second = r.Clean[n-1].Day, 0
	}
	if n == 0 || r.Clean[n-1].Day != number {
		r.Clean = append(r.Clean, Day{Day: number})
		r.Clean = joinOldest(p, at, r.Clean)
		n = len(r.Clean)
	}
	d := &r.Clean[n-1]
	d.Count++
	d.Sum += second
	d.Squares += second * second
}

// Saw notes that an established install was seen with the digest of this record, and tells whether
// the record changed. older holds the pseudonyms of the install under other live keys.
func (r *Record) Saw(p Policy, now int64, install ID, older ...ID) bool {
	known := func(s Seen) bool { return s.Who == install || slices.Contains(older, s.Who) }
	if i := slices.IndexFunc(r.Crowd, known); i >= 0 {
		if r.Crowd[i].At >= now {
			return false
		}
		r.Crowd = slices.Delete(r.Crowd, i, i+1)
	}
	r.Crowd = append(r.Crowd, Seen{install, now})
	if extra := len(r.Crowd) - p.CrowdMax - 1; extra > 0 {
		r.Crowd = slices.Delete(r.Crowd, 0, extra)
	}
	return true
}

// crowded tells whether too many established installs were seen within 7 days.
func (r *Record) crowded(p Policy, now int64) bool {
	n := 0
	for _, s := range r.Crowd {
		if now-s.At < week {
			n++
		}
	}
	return n > p.CrowdMax
}
