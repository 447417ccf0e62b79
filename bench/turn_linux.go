package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"parley/turn"
)

// turnPart compares parley's relay with coturn, each on one core. A round goes through all scenes, so
// that a bad minute of the machine is in one round of some of them, and not in all rounds of one.
func turnPart(ctx context.Context, b bench) ([]figure, error) {
	prefer(os.Getpid())
	var rounds [][]figure
	err := onCore(loadCore, func() error {
		one := b
		one.rounds = 1
		for range b.rounds {
			figures, err := turnRound(ctx, one)
			if err != nil {
				return err
			}
			rounds = append(rounds, figures)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	all := rounds[0]
	for i, f := range all {
		var whole []round
		for _, figures := range rounds {
			whole = append(whole, figures[i].rounds...)
		}
		all[i] = f.over(whole)
	}
	return all, nil
}

func turnRound(ctx context.Context, b bench) (all []figure, err error) {
	for _, m := range []func(context.Context, bench) ([]figure, error){turnCosts, turnRates, turnDelays, turnMemory} {
		figures, err := m(ctx, b)
		if err != nil {
			return nil, err
		}
		all = append(all, figures...)
	}
	return all, nil
}

// scene is one comparison: calls of a shape.
type scene struct {
	name  string
	how   shape
	calls int
	limit float64 // ratio
}

// kind is what credentials the calls of a scene have.
func (s scene) kind() turn.Kind {
	if s.how == toOutside {
		return turn.Open
	}
	return turn.Veil
}

// sides are the scene's calls on parley's relay, on coturn and, from relay to relay, on a bare
// forwarder.
type sides struct{ ours, base, bare *party }

// on runs f with the scene's calls on each side.
func (s scene) on(ctx context.Context, b bench, f func(sides) error) (err error) {
	name := "relay"
	switch {
	case s.how == overTLS:
		name = "tlsrelay"
	case b.plain:
		name = "plainrelay"
	}
	var all sides
	var open []func() error
	defer func() {
		for _, c := range slices.Backward(open) {
			err = errors.Join(err, c())
		}
	}()
	for _, side := range []struct {
		calls **party
		start func() (*turnServer, error)
		left  bool // out
	}{
		{&all.ours, func() (*turnServer, error) { return startRelay(ctx, name, s.kind(), b.profileOf(s.name)) }, false},
		{&all.base, func() (*turnServer, error) { return startCoturn(ctx) }, false},
		{&all.bare, func() (*turnServer, error) { return startForwarder(ctx) }, s.how != relayToRelay},
	} {
		if side.left {
			continue
		}
		server, err := side.start()
		if err != nil {
			return err
		}
		open = append(open, server.stop)
		if *side.calls, err = gather(server, s.how, s.calls); err != nil {
			return err
		}
		open = append(open, (*side.calls).disperse)
	}
	return f(all)
}

// cost is what a spell of packets cost a server.
type cost struct {
	micros float64 // for each packet that arrived
	kernel float64 // share of the kernel
	lost   float64
}

func (c cost) String() string {
	return fmt.Sprintf("%.2f µs, kernel %.0f %%, lost %.2f %%", c.micros, 100*c.kernel, 100*c.lost)
}

// perSecond is how many packets a second a voice sends.
const perSecond = 50

// measure drives the party's flows for a spell.
func (p *party) measure(spell time.Duration) (cost, error) {
	p.reset()
	p.run(perSecond, spell/8)
	before := p.sent
	cpu, err := spentOn(p.server.pid)
	if err != nil {
		return cost{}, err
	}
	user, system, err := ticks(p.server.pid)
	if err != nil {
		return cost{}, err
	}
	p.run(perSecond, spell)
	after, err := spentOn(p.server.pid)
	if err != nil {
		return cost{}, err
	}
	userAfter, systemAfter, err := ticks(p.server.pid)
	if err != nil {
		return cost{}, err
	}
	sent := p.sent - before
	p.settle()
	arrived := float64(sent) * (1 - p.lost())
	system = systemAfter - system
	return cost{
		micros: float64((after - cpu).Nanoseconds()) / 1000 / arrived,
		kernel: system / (system + userAfter - user),
		lost:   p.lost(),
	}, nil
}

// baselineTurn names the coturn that is installed.
func baselineTurn(ctx context.Context) string {
	out, err := exec.CommandContext(ctx, "turnserver", "--version").Output()
	lines := strings.Fields(string(out))
	if err != nil || len(lines) == 0 {
		return "coturn"
	}
	return "coturn " + lines[len(lines)-1]
}

// on measures scenes one after the other, for the rounds of which f measures one.
func (b bench) on(ctx context.Context, scenes []scene, f func(s scene, with sides) ([]figure, error)) ([]figure, error) {
	var all []figure
	for _, s := range scenes {
		if !b.wants(s.name) {
			continue
		}
		err := s.on(ctx, b, func(with sides) error {
			figures, err := f(s, with)
			all = append(all, figures...)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return all, nil
}

// profileOf is the file for the profile of a scene, if profiles were asked for.
func (b bench) profileOf(scene string) string {
	if b.profile == "" {
		return ""
	}
	return b.profile + "." + strings.ReplaceAll(scene, " ", "-")
}

// wants tells whether a scene was asked for.
func (b bench) wants(name string) bool { return strings.HasPrefix(name, b.scene) }

// turnCosts is the CPU for a packet that arrives, 50 a second each way.
func turnCosts(ctx context.Context, b bench) ([]figure, error) {
	return b.on(ctx, []scene{
		{"relay to relay, 400 calls", relayToRelay, 400, 0.70},
		{"relay to relay, 1000 calls", relayToRelay, 1000, 0.58},
		{"outside peer, 400 calls", toOutside, 400, 0.95},
		{"outside peer, 1000 calls", toOutside, 1000, 0.90},
		{"indications, 400 calls", indications, 400, 0.65},
		{"TCP, 200 calls", overStreams, 200, 1.25},
		{"TLS, 200 calls", overTLS, 200, 1.25},
	}, func(s scene, with sides) ([]figure, error) { return s.costs(ctx, b, with) })
}

// costs measures one side after the other.
func (s scene) costs(ctx context.Context, b bench, with sides) ([]figure, error) {
	var rounds, overBare []round
	spell := b.spell / 2
	for range turns * b.rounds {
		theirs, err := with.base.measure(spell)
		if err != nil {
			return nil, err
		}
		mine, err := with.ours.measure(spell)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(b.progress, "  %s: %s; coturn %s; %.2f\n", s.name, mine, theirs, mine.micros/theirs.micros)
		rounds = append(rounds, round{mine.micros, theirs.micros})
		if with.bare == nil {
			continue
		}
		floor, err := with.bare.measure(spell)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(b.progress, "    a bare forwarder: %s; %.2f\n", floor, mine.micros/floor.micros)
		overBare = append(overBare, round{mine.micros, floor.micros})
	}
	all := []figure{figure{
		name: s.name + ": CPU", unit: "µs", baseline: baselineTurn(ctx), limit: ratioAtMost(s.limit),
	}.over(rounds)}
	if with.bare != nil {
		all = append(all, figure{name: s.name + ": CPU over the floor", unit: "µs", baseline: "bare forwarder"}.over(overBare))
	}
	return all, nil
}

// turnDelays is the time through the server, from sendto to the kernel's stamp on arrival.
func turnDelays(ctx context.Context, b bench) ([]figure, error) {
	return b.on(ctx, []scene{
		{"relay to relay, delay", relayToRelay, 400, 1.1},
		{"outside peer, delay", toOutside, 400, 1.1},
	}, func(s scene, with sides) ([]figure, error) {
		ours, base := with.ours, with.base
		if err := errors.Join(ours.stampAll(), base.stampAll()); err != nil {
			return nil, err
		}
		var p50, p99 []round
		// Short ones, and many, of 10,000 packets each: what holds the machine up for a moment decides the p99
		// of the spell that it falls into, and only of that.
		for range 8 * turns * b.rounds {
			_, err := base.measure(b.spell / 16)
			if err != nil {
				return nil, err
			}
			if _, err := ours.measure(b.spell / 16); err != nil {
				return nil, err
			}
			p50 = append(p50, round{micros(quantile(ours.delays, 0.5)), micros(quantile(base.delays, 0.5))})
			p99 = append(p99, round{micros(quantile(ours.delays, 0.99)), micros(quantile(base.delays, 0.99))})
		}
		baseline := baselineTurn(ctx)
		return []figure{
			figure{name: s.name + ": p50", unit: "µs", baseline: baseline}.over(p50),
			figure{name: s.name + ": p99", unit: "µs", baseline: baseline, limit: ratioAtMost(s.limit)}.over(p99),
		}, nil
	})
}

// turnMemory is what ten thousand allocations with a channel each cost.
func turnMemory(ctx context.Context, b bench) ([]figure, error) {
	if !b.wants("memory") {
		return nil, nil
	}
	var memory, cpu []round
	for range 2 * b.rounds { // CPU differs by a third from one to the next
		relay, err := startRelay(ctx, "relay", turn.Veil, b.profileOf("memory"))
		if err != nil {
			return nil, err
		}
		mine, err := relay.fill(b.allocations)
		if err = errors.Join(err, relay.stop()); err != nil {
			return nil, err
		}
		coturn, err := startCoturn(ctx)
		if err != nil {
			return nil, err
		}
		theirs, err := coturn.fill(b.allocations)
		if err = errors.Join(err, coturn.stop()); err != nil {
			return nil, err
		}
		fmt.Fprintf(b.progress, "  an allocation: %.1f KiB, %.0f µs; coturn %.1f KiB, %.0f µs\n", mine.bytes/1024, mine.micros, theirs.bytes/1024, theirs.micros)
		memory = append(memory, round{mine.bytes / 1024, theirs.bytes / 1024})
		cpu = append(cpu, round{mine.micros, theirs.micros})
	}
	baseline, many := baselineTurn(ctx), fmt.Sprintf(" of %d", b.allocations)
	return []figure{
		figure{name: "memory for an allocation" + many, unit: "KiB", baseline: baseline, limit: ratioAtMost(0.65)}.over(memory),
		figure{name: "CPU for an allocation" + many, unit: "µs", baseline: baseline, limit: ratioAtMost(1)}.over(cpu),
	}, nil
}

// filled is what one allocation costs a server.
type filled struct{ bytes, micros float64 }

// fill makes allocations, two and two with a channel to each other.
func (s *turnServer) fill(n int) (filled, error) {
	var ready []account // made before the clock runs: coturn makes none
	for i := range n / 2 {
		for range 2 {
			who, err := s.who(i)
			if err != nil {
				return filled{}, err
			}
			ready = append(ready, who)
		}
	}
	next := 0
	prepared := *s
	prepared.who = func(int) (account, error) { next++; return ready[next-1], nil }
	resident, err := residentOf(s.pid)
	if err != nil {
		return filled{}, err
	}
	cpu, err := spentOn(s.pid)
	if err != nil {
		return filled{}, err
	}
	p := &party{server: &prepared}
	for i := range n / 2 {
		if _, err := p.call(relayToRelay, i); err != nil {
			return filled{}, errors.Join(fmt.Errorf("allocation %d: %w", 2*i, err), p.disperse())
		}
	}
	cpuAfter, err := spentOn(s.pid)
	if err != nil {
		return filled{}, err
	}
	after, err := residentOf(s.pid)
	if err != nil {
		return filled{}, err
	}
	return filled{
		bytes:  float64(after-resident) / float64(n),
		micros: float64((cpuAfter - cpu).Nanoseconds()) / 1000 / float64(n),
	}, p.disperse()
}

// timesAtLeast is a limit for what should be more than the baseline.
func timesAtLeast(v float64) limit {
	return limit{fmt.Sprintf("at least %.1f times", v), func(f figure) bool { return !math.IsNaN(f.ratio) && 1/f.ratio >= v }}
}
