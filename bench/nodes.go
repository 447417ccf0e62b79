package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/matcher"
)

// across compares the CPU that an envelope costs two nodes and their Redis together when its ends
// are on different nodes, with the same when both are on one.
func across(ctx context.Context, b bench) (figures []figure, err error) {
	s, err := startStore(ctx)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	var nodes [2]*child
	for i := range nodes {
		if nodes[i], err = startChild(ctx, "parley:"+s.socket); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, nodes[i].stop()) }()
	}
	spent := func(ctx context.Context) (time.Duration, error) {
		total, err := s.cpu(ctx)
		for _, n := range nodes {
			u, asked := n.ask("usage")
			total, err = total+u.cpu, errors.Join(err, asked)
		}
		return total, err
	}
	pause(ctx, 2*time.Second) // until the nodes know each other
	apart, err := assemble(ctx, spent, 2*b.couples, "connected", couples(nodes[0].address, nodes[1].address))
	if err != nil {
		return nil, fmt.Errorf("two nodes: %w", err)
	}
	defer apart.close()
	together, err := assemble(ctx, spent, 2*b.couples, "connected", couples(nodes[0].address, nodes[0].address))
	if err != nil {
		return nil, fmt.Errorf("one node: %w", err)
	}
	defer together.close()
	return acrossRounds(ctx, b, apart, together)
}

func acrossRounds(ctx context.Context, b bench, apart, together *fleet) ([]figure, error) {
	var cpu, p50, p99 []round
	for range b.rounds {
		base, err := together.relay(ctx, b.spell, b.rate)
		if err != nil {
			return nil, fmt.Errorf("one node: %w", err)
		}
		far, err := apart.relay(ctx, b.spell, b.rate)
		if err != nil {
			return nil, fmt.Errorf("two nodes: %w", err)
		}
		fmt.Fprintf(b.progress, "  two nodes %.0f/s %.1f µs; one node %.0f/s %.1f µs\n",
			far.rate(), far.microsEach(), base.rate(), base.microsEach())
		cpu = append(cpu, round{far.microsEach(), base.microsEach()})
		p50 = append(p50, round{micros(quantile(far.delays, 0.5)), micros(quantile(base.delays, 0.5))})
		p99 = append(p99, round{micros(quantile(far.delays, 0.99)), micros(quantile(base.delays, 0.99))})
	}
	rate := fmt.Sprintf("across nodes 1 KiB, %d/s", 2*b.couples*b.rate)
	const baseline = "both on one node"
	return []figure{
		figure{name: rate + ": CPU of all", unit: "s per million", baseline: baseline, limit: ratioAtMost(2.5)}.over(cpu),
		figure{name: rate + ": p50", unit: "µs", baseline: baseline}.over(p50),
		figure{name: rate + ": p99", unit: "µs", baseline: baseline}.over(p99),
	}, nil
}

// couples searches so that the browsers 2i and 2i+1 find each other: nobody else makes their choices.
func couples(one, other string) starter {
	languages, interests := matcher.Languages(), matcher.Interests()
	return func(ctx context.Context, at *clock, i int) (*browser, error) {
		address, couple := one, i/2
		if i%2 == 1 {
			address = other
		}
		b, err := dial(ctx, address, "", at)
		if err != nil {
			return nil, err
		}
		return b, b.search(i, languages[couple%len(languages)].Tag, interests[couple/len(languages)%len(interests)], false)
	}
}
