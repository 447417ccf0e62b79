package score

import (
	"cmp"
	"slices"
)

// Spells.
const (
	longestSpell = week
	maxSpells    = 8 // counted no further: the length has reached longestSpell long before
)

// Subject is a device to be judged: its records, which may be nil, and whether its install is
// fresh.
type Subject struct {
	Token, Digest *Record
	Fresh         bool
}

// Verdict is what is thought of a device now.
type Verdict struct {
	Band      Band
	Score     float64 // the higher of the records that spoke
	Reporters float64 // effective distinct reporters of the record that decided
	Until     int64   // in Cooldown: when it ends, in Unix seconds; else 0
	// TokenChanged and DigestChanged say which records must be stored again.
	TokenChanged, DigestChanged bool
}

// Judge returns the band of a device that is about to join a queue. It is no mere read: it keeps the
// band of each record that speaks, for hysteresis, and begins spells of cooldown. To look without
// touching, judge copies of the records.
func Judge(p Policy, now int64, s Subject) Verdict {
	var v Verdict
	if p.IDMode != DigestOnly && s.Token.Alive(p, now) {
		v.TokenChanged = v.hear(p, now, s.Token)
	}
	if speaks(p, now, s) {
		v.DigestChanged = v.hear(p, now, s.Digest)
	}
	return v
}

// speaks tells whether the digest's record has a say.
func speaks(p Policy, now int64, s Subject) bool {
	if !s.Digest.Alive(p, now) || s.Digest.crowded(p, now) {
		return false
	}
	return p.IDMode == DigestOnly || p.IDMode == Both && s.Fresh
}

// hear takes one record into account and tells whether it changed.
func (v *Verdict) hear(p Policy, now int64, r *Record) bool {
	before := [3]int64{int64(r.Band), r.SpellEnd, int64(r.Spells)}
	score, n := Score(p, now, r)
	r.Band = r.bandOf(p, score, n)
	band := r.spell(p, now)
	v.Score = max(v.Score, score)
	if band >= v.Band {
		v.Reporters = max(n, v.Reporters)
		v.Band = band
	}
	if band == Cooldown {
		v.Until = max(v.Until, r.SpellEnd)
	}
	return before != [3]int64{int64(r.Band), r.SpellEnd, int64(r.Spells)}
}

// bandOf returns the highest band whose threshold and floor are both reached. A band that the record
// had is kept until the score is hysteresis under its threshold.
func (r *Record) bandOf(p Policy, score, n float64) Band {
	for b := Cooldown; b > Clear; b-- {
		threshold := p.Thresholds.Of(b)
		if r.Band >= b {
			threshold -= p.Hysteresis
		}
		if score >= threshold && n >= p.Floors.Of(b) {
			return b
		}
	}
	return Clear
}

// spell returns the band after spells: a record found at cooldown begins one if it was reported since
// the last, and after one that was served without a new report it is restricted.
func (r *Record) spell(p Policy, now int64) Band {
	if now < r.SpellEnd {
		return Cooldown
	}
	if r.Band != Cooldown {
		return r.Band
	}
	if r.SpellEnd != 0 && r.Newest() < r.SpellEnd {
		return Restricted
	}
	length := min(int64(p.Cooldown*hour)<<min(r.Spells, maxSpells), longestSpell)
	r.SpellEnd = now + length
	r.Spells = min(r.Spells+1, maxSpells)
	return Cooldown
}

// Count says how many reports named a reason.
type Count struct {
	Reason  Reason
	Reports int
}

// Grounds returns the reasons of the reports of a record that count for anything at now, the most
// frequent first.
func (r *Record) Grounds(p Policy, now int64) []Count {
	if !r.Alive(p, now) {
		return nil
	}
	if r.brief {
		return slices.Clone(r.Sum.grounds)
	}
	var counted [room]float64
	r.caps(p, &counted)
	var all []Count
	for i := range r.Events {
		e := &r.Events[i]
		if now-e.At >= p.expire() || counted[i] == 0 {
			continue
		}
		k := slices.IndexFunc(all, func(c Count) bool { return c.Reason == e.Reason })
		if k < 0 {
			k = len(all)
			all = append(all, Count{Reason: e.Reason})
		}
		all[k].Reports++
	}
	slices.SortStableFunc(all, func(a, b Count) int { return cmp.Compare(b.Reports, a.Reports) })
	return all
}

// Void takes out the reports that match, as when a brigade is undone, and returns how many there
// were. The others get back the room that those had taken, and a band or a spell that they no longer
// carry ends.
func (r *Record) Void(p Policy, now int64, match func(Event) bool) int {
	n := len(r.Events)
	var counted [room]float64
	r.caps(p, &counted)
	for i, gone := range r.Events {
		if match(gone) {
			r.giveBack(gone, float32(counted[i]))
		}
	}
	r.Events = slices.DeleteFunc(r.Events, match)
	if n == len(r.Events) {
		return 0
	}
	r.Band = Clear // no hysteresis from what did not happen
	score, reporters := Score(p, now, r)
	if r.Band = r.bandOf(p, score, reporters); r.Band < Cooldown {
		r.SpellEnd, r.Spells = 0, 0
	}
	return n - len(r.Events)
}

func (r *Record) giveBack(gone Event, weight float32) {
	for i := range r.Events {
		e := &r.Events[i]
		if age := e.At - gone.At; age > 0 && age < day {
			e.DayUsed = max(0, e.DayUsed-weight)
		}
		if age := e.At - gone.At; age > 0 && age < week && e.Net == gone.Net {
			e.NetUsed = max(0, e.NetUsed-weight)
		}
	}
}
