package score

import (
	"cmp"
	"slices"
)

// Merge joins the records that one device has under several keys. Slots are given anew.
func Merge(p Policy, now int64, records ...*Record) Record {
	var all Record
	events := make([]Event, 0, MaxEvents)
	for _, r := range records {
		if !r.Alive(p, now) {
			continue
		}
		events = append(events, r.Events...)
		all.Clean = append(all.Clean, r.Clean...)
		all.Peers = append(all.Peers, r.Peers...)
		all.Crowd = append(all.Crowd, r.Crowd...)
		all.Band, all.Spells = max(all.Band, r.Band), max(all.Spells, r.Spells)
		all.SpellEnd = max(all.SpellEnd, r.SpellEnd)
	}
	slices.SortFunc(events, inOrder)
	for _, e := range events {
		all.Events = append(all.Events, e)
		if len(all.Events) > MaxEvents {
			least := all.least(p, now)
			all.Events = slices.Delete(all.Events, least, least+1)
		}
	}
	all.forget(p, now)
	for i := range all.Events {
		all.Events[i].Slot = uint8(i)
	}
	all.Clean = joinOldest(p, now, joinDays(all.Clean))
	all.Peers = lastSeen(all.Peers, MaxPeers)
	all.Crowd = lastSeen(all.Crowd, p.CrowdMax+1)
	return all
}

// joinDays adds up the counters of each day.
func joinDays(days []Day) []Day {
	slices.SortFunc(days, func(a, b Day) int { return cmp.Compare(a.Day, b.Day) })
	var all []Day
	for _, d := range days {
		if n := len(all); n > 0 && all[n-1].Day == d.Day {
			all[n-1].Count += d.Count
			all[n-1].Sum += d.Sum
			all[n-1].Squares += d.Squares
			continue
		}
		all = append(all, d)
	}
	return all
}

// lastSeen keeps for each the last time, and no more than most.
func lastSeen(seen []Seen, most int) []Seen {
	slices.SortFunc(seen, func(a, b Seen) int {
		return cmp.Or(cmp.Compare(b.At, a.At), slices.Compare(a.Who[:], b.Who[:]))
	})
	var all []Seen
	for _, s := range seen {
		if len(all) < most && !slices.ContainsFunc(all, func(o Seen) bool { return o.Who == s.Who }) {
			all = append(all, s)
		}
	}
	slices.Reverse(all)
	return all
}
