package moderation

import (
	"time"

	"parley/moderation/score"
)

// Band is how far a device is trusted. The matcher compares bands and knows nothing else of them.
type Band = score.Band

// The bands, the milder first.
const (
	Clear      = score.Clear      // meets everybody who is not restricted
	Watch      = score.Watch      // meets others on watch first, and else everybody who is not restricted
	Restricted = score.Restricted // meets others who are restricted; a quarter of its searches are on probation
	Cooldown   = score.Cooldown   // meets nobody until its time is over
)

// Rule is what a band means in matchmaking. Operators and the public read it.
type Rule struct {
	Band  Band
	Name  string
	Meets []int // the bands that it may meet, in order of preference; none: no search begins
	Says  string
}

// Table returns the rule of each band, in the order of their numbers.
func Table() []Rule {
	return []Rule{
		{Band: Clear, Name: "clear", Meets: []int{int(Clear), int(Watch)}, Says: "You may meet everybody."},
		{Band: Watch, Name: "watch", Meets: []int{int(Watch), int(Clear)}, Says: "You may meet everybody; whoever was reported too is found first."},
		{Band: Restricted, Name: "restricted", Meets: []int{int(Restricted)}, Says: "You meet others who were reported often, and everybody in one search of four."},
		{Band: Cooldown, Name: "cooldown", Says: "You cannot search until the time named is over."},
	}
}

// Verdict is what a device may do now.
type Verdict struct {
	Band  Band
	Score float64
	// Until is when a cooldown ends; zero otherwise.
	Until time.Time
	// Probation says that this search of a restricted device stands in the open pool.
	Probation bool
	// GaveUp says that the device gave its token up, by erasing what was stored of it, and uses it all the
	// same: it is fresh, whatever its age ticket says.
	GaveUp bool
	// Reasons are those of the reports that count, the most frequent first; none for a clear device.
	Reasons []Reason
}

// Stands returns the band under which a ticket of the device stands, and whom it meets. A device in
// cooldown has no ticket: meets is empty.
func (v Verdict) Stands() (band Band, meets []int) {
	band = v.Band
	if v.Probation {
		band = Watch
	}
	return band, Table()[band].Meets
}
