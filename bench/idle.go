package main

import (
	"context"
	"errors"
	"fmt"

	"parley/matcher"
)

// idle compares how much memory a browser that waits costs parley's child with what a socket on
// which nothing happens costs the bare relay's.
func idle(ctx context.Context, b bench) (figures []figure, err error) {
	real, stopReal, err := startParley(ctx, "")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stopReal()) }()
	plain, err := startChild(ctx, "bare")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, plain.stop()) }()

	ours := &crowdedness{child: real, stage: "queued", start: seeker(real.address)}
	base := &crowdedness{child: plain, start: lonely(plain.address)}
	// One after the other, so that both may use all descriptors of this process.
	if err := ours.fill(ctx, b); err != nil {
		return nil, fmt.Errorf("parley: %w", err)
	}
	if err := base.fill(ctx, b); err != nil {
		return nil, fmt.Errorf("bare relay: %w", err)
	}
	name := fmt.Sprintf("idle: one queued browser of %d", b.browsers)
	line := func(what string, of func(usage) uint64, l limit) figure {
		f := figure{name: name + ", " + what, unit: "KiB", baseline: "bare gorilla socket", limit: l}
		return f.over([]round{{ours.each(of), base.each(of)}})
	}
	return []figure{
		line("resident", func(u usage) uint64 { return u.resident }, valueAtMost(16)),
		line("after collection", func(u usage) uint64 { return u.collected }, noLimit()),
		line("of it heap", func(u usage) uint64 { return u.heap }, noLimit()),
		line("of it stacks", func(u usage) uint64 { return u.stack }, noLimit()),
	}, nil
}

func kib(bytes uint64) float64 { return float64(bytes) / 1024 }

// crowdedness is a child, its browsers, and what it used with each number of them.
type crowdedness struct {
	child    *child
	stage    string
	start    starter
	fleets   []*fleet
	readings []usage
	counts   []int
}

// fill brings in all browsers and reads what they cost. What a server makes once, such as its
// connections to Redis, is not charged to those who wait: the first quarter is there before the first
// reading.
func (c *crowdedness) fill(ctx context.Context, b bench) error {
	defer c.close()
	for _, n := range []int{b.browsers / 4, b.browsers} {
		if err := c.add(ctx, n); err != nil {
			return err
		}
		pause(ctx, b.quiet)
		if err := errors.Join(c.read(), context.Cause(ctx)); err != nil {
			return err
		}
	}
	return nil
}

// add brings the browsers up to n.
func (c *crowdedness) add(ctx context.Context, n int) error {
	here := c.count()
	f, err := assemble(ctx, c.child.spent, n-here, c.stage, func(ctx context.Context, at *clock, i int) (*browser, error) {
		return c.start(ctx, at, here+i)
	})
	if err == nil {
		c.fleets = append(c.fleets, f)
	}
	return err
}

func (c *crowdedness) count() int {
	n := 0
	for _, f := range c.fleets {
		n += len(f.browsers)
	}
	return n
}

// read notes what the child uses now: resident as it stands, the rest after a collection.
func (c *crowdedness) read() error {
	asItStands, err := c.child.ask("usage")
	if err != nil {
		return err
	}
	u, err := c.child.ask("collect")
	if err != nil {
		return err
	}
	u.collected, u.resident = u.resident, asItStands.resident
	c.readings = append(c.readings, u)
	c.counts = append(c.counts, c.count())
	for _, f := range c.fleets {
		err = errors.Join(err, f.healthy())
	}
	return err
}

// each is how many KiB one browser more costs, between the first reading and the last.
func (c *crowdedness) each(of func(usage) uint64) float64 {
	last := len(c.readings) - 1
	return (kib(of(c.readings[last])) - kib(of(c.readings[0]))) / float64(c.counts[last]-c.counts[0])
}

func (c *crowdedness) close() {
	for _, f := range c.fleets {
		f.close()
	}
}

// seeker waits for one language and one interest and nothing else. Those who wait for the same are
// of one device, which never meets itself: so nobody finds anybody.
func seeker(address string) starter {
	languages, interests := matcher.Languages(), matcher.Interests()
	return func(ctx context.Context, at *clock, i int) (*browser, error) {
		b, err := dial(ctx, address, "", at)
		if err != nil {
			return nil, err
		}
		choice := i % (len(languages) * len(interests))
		language, interest := languages[choice%len(languages)].Tag, interests[choice/len(languages)]
		return b, b.search(choice, language, interest, false)
	}
}

func lonely(address string) starter {
	return func(ctx context.Context, at *clock, i int) (*browser, error) {
		return dial(ctx, address, fmt.Sprintf("lonely-%d", i), at)
	}
}
