package simulate

import (
	"errors"
	"fmt"
	"time"
)

// Config is a run.
type Config struct {
	Targets   []Target
	Origin    string // instead of the target's own
	Forwarded bool   // say X-Forwarded-For, one address for each person

	Rate   float64       // arrivals a second
	People int           // most at the same time
	For    time.Duration // how long people arrive and stay
	Ramp   time.Duration // during which the rate grows from nothing
	Twins  float64       // share of people, who come with the device of somebody before
	Seed   uint64

	// Secret is told of everything about these people that a server must not keep or tell: addresses,
	// devices, browsers, tokens, credentials, what they say. Several goroutines call it. It may be nil.
	Secret func(kind, text string)

	Behaviour
	Limits Limits
}

// Limits are what a run is judged by. Zero judges nothing, but for MaxLost.
type Limits struct {
	WaitP99, EnvelopeP99, ResumeP99, FirstP99, HelloP99, SoundP99 time.Duration

	MaxErrors int // -1 for any number
	MaxLost   int // -1 for any number
	MinCalls  int
}

// Validate returns everything that is wrong, one sentence each.
func (c *Config) Validate() error {
	var faults []error
	wrong := func(is bool, format string, args ...any) {
		if is {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	wrong(len(c.Targets) == 0, "target: say which parley, for example --target http://localhost:8080")
	wrong(c.Rate <= 0 || c.Rate > 100_000, "rate: say how many people arrive in a second, more than 0 and at most 100000")
	wrong(c.People < 1 || c.People > 1_000_000, "people: say how many there may be at once, 1 to 1000000")
	wrong(c.For <= 0, "for: say how long, for example 1m")
	wrong(c.Ramp < 0 || c.Ramp > c.For, "ramp: it must not be longer than --for")
	wrong(c.Talk <= 0, "talk: say how long a call lasts, for example 1m")
	wrong(c.Patience <= 0, "patience: say how long somebody searches, for example 3m")
	wrong(c.Hesitate < 0, "hesitate: it cannot be before the match")
	wrong(len(c.Languages) == 0, "languages: name at least one, for example en,es")
	shares := []struct {
		name  string
		value float64
	}{
		{"next", c.Next},
		{"skip", c.Skip},
		{"report", c.Report},
		{"block", c.Block},
		{"drop", c.Drop},
		{"vanish", c.Vanish},
		{"ignore", c.Ignore},
		{"media", c.Media},
		{"twins", c.Twins},
	}
	for _, s := range shares {
		wrong(!(s.value >= 0 && s.value <= 1), "%s: a share is between 0 and 1", s.name)
	}
	return errors.Join(faults...)
}
