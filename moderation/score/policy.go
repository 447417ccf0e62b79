package score

import (
	"fmt"
	"strings"
)

// Policy holds every number by which reports are judged. The names are those of the JSON, in which
// policies are written, shown to operators and given to parley risk replay. doc.go has the formula.
type Policy struct {
	PriorA     float64 `json:"prior_a"`        // a: bad calls that every record starts with
	PriorB     float64 `json:"prior_b"`        // b: good calls that every record starts with
	HalfLife   float64 `json:"half_life_days"` // H: days in which a report and a clean call lose half their weight
	Expire     float64 `json:"expire_days"`    // days after which a report is gone; at most 30
	Reasons    Weights `json:"reason_weight"`
	MinCall    float64 `json:"min_call_sec"` // seconds that a call must last to count as clean
	Short      float64 `json:"short_sec"`    // seconds below which a call is short
	ShortTimes float64 `json:"short_factor"` // for a report from a short call
	DailyCap   float64 `json:"daily_cap"`    // most weight that a record takes within 24 hours
	NetCap     float64 `json:"net_cap"`      // most weight that a record takes from one network within 7 days
	Rho        float64 `json:"rho"`          // reports for each call of a day that cost a reporter nothing
	Free       float64 `json:"free_reports"` // reports of a day that cost a reporter nothing
	NewTimes   float64 `json:"new_reporter"` // for a report of somebody with fewer than two finished calls today
	PoolTimes  float64 `json:"pool_report"`  // for a report of somebody who is restricted or in cooldown
	NetTimes   float64 `json:"same_net"`     // for a report from the network of the reported
	Thresholds Triple  `json:"thresholds"`   // scores from which watch, restricted, cooldown begin
	Floors     Triple  `json:"min_reporters"`
	Hysteresis float64 `json:"hysteresis"` // how far under its threshold a band is still kept
	IDMode     IDMode  `json:"id_mode"`
	CrowdMax   int     `json:"crowd_max"`      // most established installs whose common digest still speaks
	Probation  float64 `json:"probation"`      // share of matches of the restricted in the open pool
	Cooldown   float64 `json:"cooldown_hours"` // length of the first spell
}

// Weights says how much a report weighs by its reason, before anything else. [Minor] weighs as much
// as [Sexual].
type Weights struct {
	Sexual float64 `json:"sexual"`
	Hate   float64 `json:"hate"`
	Threat float64 `json:"threat"`
	Spam   float64 `json:"spam"`
	Other  float64 `json:"other"`
}

// Triple holds one number for each of watch, restricted and cooldown, in this order.
type Triple [3]float64

// Of returns the number of a band; that of [Clear] is 0.
func (t Triple) Of(b Band) float64 {
	if b == Clear || int(b) > len(t) {
		return 0
	}
	return t[b-1]
}

// IDMode says which records speak.
type IDMode string

// The modes.
const (
	Both       IDMode = "both" // the token decides; the digest speaks for fresh installs in small crowds
	TokenOnly  IDMode = "inst" // the digest is not used
	DigestOnly IDMode = "fp"   // for research: the digest alone decides, in small crowds
)

// Default is the name of the preset that holds good where nobody chose another.
const Default = "balanced"

// Presets returns the names that [Preset] knows, the mildest first.
func Presets() []string { return []string{"gentle", Default, "strict"} }

// Preset returns one of the policies that come with parley.
func Preset(name string) (Policy, error) {
	p := balanced()
	switch name {
	case "gentle":
		p.Thresholds, p.Floors = Triple{0.10, 0.16, 0.26}, Triple{0.9, 2.1, 3.5}
	case Default:
	case "strict":
		p.Thresholds, p.Floors = Triple{0.06, 0.09, 0.15}, Triple{0.6, 1.2, 2.5}
		p.DailyCap, p.NetCap = 2.5, 1.0
	default:
		return Policy{}, fmt.Errorf("%q is not a preset; there are %s", name, strings.Join(Presets(), ", "))
	}
	return p, nil
}

func balanced() Policy {
	return Policy{
		PriorA: 0.2, PriorB: 9.8, HalfLife: 14, Expire: 30,
		Reasons: Weights{Sexual: 1, Hate: 1, Threat: 1.25, Spam: 0.8, Other: 0.4},
		MinCall: 45, Short: 10, ShortTimes: 0.7, DailyCap: 3, NetCap: 1.2,
		Rho: 0.1, Free: 1, NewTimes: 0.75, PoolTimes: 0.25, NetTimes: 0.25,
		Thresholds: Triple{0.07, 0.12, 0.20}, Floors: Triple{0.6, 1.6, 3}, Hysteresis: 0.02,
		IDMode: Both, CrowdMax: 2, Probation: 0.25, Cooldown: 24,
	}
}

// OnProbation tells whether a restricted device stands as watch for its next match. draw is a number
// that nobody can choose, evenly spread, the same each time that one search is repeated.
func (p Policy) OnProbation(draw uint64) bool { return float64(draw>>11)/(1<<53) < p.Probation }

func (p Policy) weight(r Reason) float64 {
	switch r {
	case Sexual, Minor:
		return p.Reasons.Sexual
	case Hate:
		return p.Reasons.Hate
	case Threat:
		return p.Reasons.Threat
	case Spam:
		return p.Reasons.Spam
	case Other:
		return p.Reasons.Other
	}
	return p.Reasons.Other
}

// expire is the life of a report in seconds.
func (p Policy) expire() int64 { return int64(p.Expire * day) }
