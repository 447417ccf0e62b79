package day

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"maps"
	"sync"
	"time"

	"parley/internal/simulate"
)

// Config is a day.
type Config struct {
	Target   simulate.Target
	Operator string // http://host:port of the operators' listener
	Token    string // of an operator; without one nobody is at the console
	People   int    // at the same time
	Rate     float64
	For      time.Duration
	Rounds   int     // of guests, four to a round, and of operators
	Sound    float64 // share of the crowd's calls that go through the relay
	Seed     uint64
	Noon     func() // called when the guests are gone, while the crowd is there
	Progress io.Writer
}

// Played is what was done, and what was answered.
type Played struct {
	Crowd *simulate.Summary
	Acts  map[string]int    // of guests, operators and others, by name
	Pages map[string][]byte // the last answer to each request
}

// languages are spoken by the crowd; tongues by guests, two at a time, so that they meet.
func languages() []string { return []string{"en", "es", "de"} }

func tongues() []string {
	return []string{"fi", "da", "sk", "hu", "ro", "el", "ca", "nb", "sv", "cs", "uk", "bg"}
}

// firstGuest is the number from which guests have addresses of their own.
const firstGuest = 40_000

// Play plays a day, and plants what may be found nowhere. An error says that something could not be
// done, and the day is worth nothing.
func Play(ctx context.Context, cfg Config, c *Canaries) (*Played, error) {
	p := &Played{Acts: map[string]int{}, Pages: map[string][]byte{}}
	v := &visitors{cfg: cfg, canaries: c, run: rand.Text()[:8], acts: p.Acts, pages: p.Pages}
	var failed error
	var crowd sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	crowd.Go(func() {
		p.Crowd, failed = simulate.Run(ctx, crowdOf(cfg, c), cfg.Progress, nil)
	})
	err := v.all(ctx)
	if err == nil && cfg.Noon != nil {
		cfg.Noon()
	}
	if err != nil {
		cancel()
	}
	crowd.Wait()
	switch {
	case err != nil:
		return nil, err
	case failed != nil:
		return nil, fmt.Errorf("crowd: %w", failed)
	}
	maps.Copy(p.Acts, map[string]int{"people": int(p.Crowd.Arrived), "calls": int(p.Crowd.Calls)})
	for act, name := range map[string]string{
		"reports": "reported", "blocks": "blocked", "sockets dropped": "sockets dropped", "calls with sound": "calls with sound",
	} {
		p.Acts[act] += int(p.Crowd.Counts[name])
	}
	return p, nil
}

// crowdOf is what the crowd does: short calls, so that there are many.
func crowdOf(cfg Config, c *Canaries) simulate.Config {
	return simulate.Config{
		Targets: []simulate.Target{cfg.Target}, Forwarded: true, Secret: c.Plant,
		Rate: cfg.Rate, People: cfg.People, For: cfg.For, Twins: 0.02, Seed: cfg.Seed,
		Behaviour: simulate.Behaviour{
			Talk: 4 * time.Second, Patience: 20 * time.Second, Next: 0.5, Skip: 0.3, Report: 0.3, Block: 0.1,
			Drop: 0.05, Vanish: 0.03, Ignore: 0.02, Media: cfg.Sound, Languages: languages(),
		},
		Limits: simulate.Limits{MaxErrors: -1, MaxLost: -1},
	}
}
