package score

import (
	"errors"
	"fmt"
	"math"
)

// limit is what one number of a policy may be.
type limit struct {
	name        string
	value       float64
	least, most float64
}

func (p *Policy) limits() []limit {
	return []limit{
		{"prior_a", p.PriorA, 0, 1000},
		{"prior_b", p.PriorB, 0.001, 1000},
		{"half_life_days", p.HalfLife, 1, 1000}, // clean calls are counted by day
		{"expire_days", p.Expire, 0.01, 30},
		{"reason_weight.sexual", p.Reasons.Sexual, 0, 10},
		{"reason_weight.hate", p.Reasons.Hate, 0, 10},
		{"reason_weight.threat", p.Reasons.Threat, 0, 10},
		{"reason_weight.spam", p.Reasons.Spam, 0, 10},
		{"reason_weight.other", p.Reasons.Other, 0, 10},
		{"min_call_sec", p.MinCall, 0, 3600},
		{"short_sec", p.Short, 0, 3600},
		{"short_factor", p.ShortTimes, 0, 1},
		{"daily_cap", p.DailyCap, 0, 1e6},
		{"net_cap", p.NetCap, 0, 1e6},
		{"rho", p.Rho, 0, 1},
		{"free_reports", p.Free, 0, 1e6},
		{"new_reporter", p.NewTimes, 0, 1},
		{"pool_report", p.PoolTimes, 0, 1},
		{"same_net", p.NetTimes, 0, 1},
		{"thresholds[watch]", p.Thresholds[0], 0, 1},
		{"thresholds[restricted]", p.Thresholds[1], 0, 1},
		{"thresholds[cooldown]", p.Thresholds[2], 0, 1},
		{"min_reporters[watch]", p.Floors[0], 0, MaxEvents},
		{"min_reporters[restricted]", p.Floors[1], 0, MaxEvents},
		{"min_reporters[cooldown]", p.Floors[2], 0, MaxEvents},
		{"hysteresis", p.Hysteresis, 0, 1},
		{"crowd_max", float64(p.CrowdMax), 0, MaxCrowd - 1},
		{"probation", p.Probation, 0, 1},
		{"cooldown_hours", p.Cooldown, 0, longestSpell / hour},
	}
}

// Check returns what is wrong with a policy, one sentence for each fault. What it passes is safe to
// put into force: no single report, and no single network within a week, can restrict anybody.
func (p Policy) Check() error {
	if err := p.CheckRange(); err != nil {
		return err
	}
	var faults []error
	restricted := p.Floors.Of(Restricted)
	if restricted <= 1 {
		faults = append(faults, fmt.Errorf("min_reporters[restricted] is %v: one report could restrict somebody; make it more than 1", restricted))
	}
	if p.NetCap >= restricted {
		faults = append(faults, fmt.Errorf("net_cap is %v and min_reporters[restricted] is %v: one network alone could restrict somebody; make net_cap the smaller", p.NetCap, restricted))
	}
	if prior := p.PriorA / (p.PriorA + p.PriorB); p.Thresholds.Of(Watch)-p.Hysteresis <= prior {
		faults = append(faults, fmt.Errorf("thresholds[watch] less hysteresis is %.4g: a record starts at prior_a / (prior_a + prior_b) = %.4g and would never be clear again; raise the threshold", p.Thresholds.Of(Watch)-p.Hysteresis, prior))
	}
	return errors.Join(faults...)
}

// CheckRange returns what is wrong with the numbers of a policy each by itself, and with the order of
// those that have one. Research may use policies that pass this and not Check.
func (p Policy) CheckRange() error {
	var faults []error
	for _, l := range p.limits() {
		switch {
		case math.IsNaN(l.value):
			faults = append(faults, fmt.Errorf("%s is not a number; give one from %v to %v", l.name, l.least, l.most))
		case l.value < l.least || l.value > l.most:
			faults = append(faults, fmt.Errorf("%s is %v; give a number from %v to %v", l.name, l.value, l.least, l.most))
		}
	}
	switch p.IDMode {
	case Both, TokenOnly, DigestOnly:
	default:
		faults = append(faults, fmt.Errorf("id_mode is %q; there are both, inst and fp", p.IDMode))
	}
	faults = append(faults, inOrderOrSay("thresholds", p.Thresholds), inOrderOrSay("min_reporters", p.Floors))
	return errors.Join(faults...)
}

func inOrderOrSay(name string, t Triple) error {
	if t[0] > t[1] || t[1] > t[2] {
		return fmt.Errorf("%s are %v, %v and %v; watch may not be above restricted, nor restricted above cooldown", name, t[0], t[1], t[2])
	}
	return nil
}
