package score_test

import (
	"math"
	"strings"
	"testing"

	"parley/moderation/score"
)

func TestPresets(t *testing.T) {
	for _, name := range score.Presets() {
		p := preset(t, name)
		text, err := p.Text()
		if err != nil {
			t.Fatal(err)
		}
		again, err := score.Parse(score.Policy{}, text)
		if err != nil || again != p {
			t.Errorf("%s: %+v, %v, want %+v", name, again, err, p)
		}
	}
	if _, err := score.Preset("harsh"); err == nil || !strings.Contains(err.Error(), `"harsh" is not a preset; there are gentle, balanced, strict`) {
		t.Error(err)
	}
}

// TestParameters holds the names to those that policies out there use.
func TestParameters(t *testing.T) {
	const text = `{"prior_a":0.2,"prior_b":9.8,"half_life_days":14,"expire_days":30,
		"reason_weight":{"sexual":1,"hate":1,"threat":1.25,"spam":0.8,"other":0.4},
		"min_call_sec":45,"short_sec":10,"short_factor":0.7,"daily_cap":3,"net_cap":1.2,
		"rho":0.1,"free_reports":1,"new_reporter":0.75,"pool_report":0.25,"same_net":0.25,
		"thresholds":[0.07,0.12,0.20],"min_reporters":[0.6,1.6,3],"hysteresis":0.02,
		"id_mode":"both","crowd_max":2,"probation":0.25,"cooldown_hours":24}`
	p, err := score.Parse(score.Policy{}, []byte(text))
	if err != nil || p != balanced(t) {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestParse(t *testing.T) {
	base := balanced(t)
	p, err := score.Parse(base, []byte(`{"reason_weight":{"spam":0.5},"thresholds":[0.1,0.2,0.3]}`))
	want := base
	want.Reasons.Spam, want.Thresholds = 0.5, score.Triple{0.1, 0.2, 0.3}
	if err != nil || p != want {
		t.Errorf("%+v, %v", p, err)
	}
	for text, says := range map[string]string{
		`{"daily_kap":3}`:                 `"daily_kap" is not a parameter; there are prior_a, prior_b,`,
		`{"reason_weight":{"noise":1}}`:   `"reason_weight.noise" is not a parameter; there are sexual, hate, threat, spam, other`,
		`{"daily_cap":"3"}`:               "daily_cap has a value of the wrong kind",
		`{"daily_cap":NaN}`:               "the policy is not JSON",
		`{"daily_cap":1,"daily_cap":2}`:   "daily_cap",
		`{"thresholds":[0.1,0.2]}`:        "thresholds has a value of the wrong kind",
		`{"thresholds":[0.1,0.2,0.3,.4]}`: "the policy is not JSON",
		`{"crowd_max":1.5}`:               "crowd_max has a value of the wrong kind",
		`{"daily_cap":3} {}`:              "the policy is not JSON",
		`[]`:                              `a policy is a JSON object like {"daily_cap":2.5}`,
		``:                                `a policy is a JSON object`,
		`null`:                            `a policy is a JSON object`,
	} {
		p, err := score.Parse(base, []byte(text))
		if err == nil || !strings.Contains(err.Error(), says) || p != (score.Policy{}) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
}

func TestCheck(t *testing.T) {
	nan := math.NaN()
	for says, change := range map[string]func(*score.Policy){
		"thresholds[watch] is not a number; give one from 0 to 1":                               func(p *score.Policy) { p.Thresholds[0] = nan },
		"thresholds[cooldown] is 1.1; give a number from 0 to 1":                                func(p *score.Policy) { p.Thresholds[2] = 1.1 },
		"thresholds[watch] is -0.1; give a number from 0 to 1":                                  func(p *score.Policy) { p.Thresholds[0] = -0.1 },
		"thresholds are 0.2, 0.12 and 0.2; watch may not be above restricted":                   func(p *score.Policy) { p.Thresholds[0] = 0.2 },
		"min_reporters are 0.6, 3.5 and 3":                                                      func(p *score.Policy) { p.Floors[1] = 3.5 },
		"daily_cap is +Inf; give a number from 0 to 1e+06":                                      func(p *score.Policy) { p.DailyCap = math.Inf(1) },
		"half_life_days is 0; give a number from 1 to 1000":                                     func(p *score.Policy) { p.HalfLife = 0 },
		"expire_days is 31; give a number from 0.01 to 30":                                      func(p *score.Policy) { p.Expire = 31 },
		"crowd_max is 16; give a number from 0 to 15":                                           func(p *score.Policy) { p.CrowdMax = 16 },
		"cooldown_hours is 169; give a number from 0 to 168":                                    func(p *score.Policy) { p.Cooldown = 169 },
		"id_mode is \"token\"; there are both, inst and fp":                                     func(p *score.Policy) { p.IDMode = "token" },
		"reason_weight.spam is not a number":                                                    func(p *score.Policy) { p.Reasons.Spam = nan },
		"net_cap is 1.6 and min_reporters[restricted] is 1.6: one network alone could restrict": func(p *score.Policy) { p.NetCap = 1.6 },
		"min_reporters[restricted] is 1: one report could restrict":                             func(p *score.Policy) { p.Floors[1], p.NetCap = 1, 0.9 },
		"thresholds[watch] less hysteresis is 0.02: a record starts at":                         func(p *score.Policy) { p.Thresholds[0] = 0.04 },
	} {
		p := balanced(t)
		change(&p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
	p := balanced(t)
	p.Rho, p.Free = -1, -1
	if err := p.Check(); err == nil || strings.Count(err.Error(), "give a number") != 2 {
		t.Errorf("%v, want both faults", err)
	}
	p = balanced(t)
	p.Floors = score.Triple{}
	if err := p.CheckRange(); err != nil {
		t.Errorf("research is refused: %v", err)
	}
}
