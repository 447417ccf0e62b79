package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// relay compares the CPU that parley's child needs for an envelope with that of the bare relay.
func relay(ctx context.Context, b bench) (figures []figure, err error) {
	real, stopReal, err := startParley(ctx, b.profile)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, stopReal()) }()
	plain, err := startChild(ctx, "bare")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, plain.stop()) }()

	calls, err := assemble(ctx, real.spent, 2*b.couples, "connected", caller(real.address))
	if err != nil {
		return nil, fmt.Errorf("parley: %w", err)
	}
	defer calls.close()
	pairs, err := assemble(ctx, plain.spent, 2*b.couples, "", bareCaller(plain.address))
	if err != nil {
		return nil, fmt.Errorf("bare relay: %w", err)
	}
	defer pairs.close()
	return relayRounds(ctx, b, calls, pairs)
}

func relayRounds(ctx context.Context, b bench, calls, pairs *fleet) ([]figure, error) {
	var cpu, p50, p99 []round
	for range b.rounds {
		base, err := pairs.relay(ctx, b.spell, b.rate)
		if err != nil {
			return nil, fmt.Errorf("bare relay: %w", err)
		}
		ours, err := calls.relay(ctx, b.spell, b.rate)
		if err != nil {
			return nil, fmt.Errorf("parley: %w", err)
		}
		fmt.Fprintf(b.progress, "  %.0f/s %.1f µs; bare %.0f/s %.1f µs\n",
			ours.rate(), ours.microsEach(), base.rate(), base.microsEach())
		cpu = append(cpu, round{ours.microsEach(), base.microsEach()})
		p50 = append(p50, round{micros(quantile(ours.delays, 0.5)), micros(quantile(base.delays, 0.5))})
		p99 = append(p99, round{micros(quantile(ours.delays, 0.99)), micros(quantile(base.delays, 0.99))})
	}
	rate := fmt.Sprintf(", %d/s", 2*b.couples*b.rate)
	const baseline = "bare gorilla relay"
	return []figure{
		figure{name: "relay 1 KiB" + rate + ": CPU", unit: "s per million", baseline: baseline, limit: ratioAtMost(1.3)}.over(cpu),
		figure{name: "relay 1 KiB" + rate + ": p50", unit: "µs", baseline: baseline}.over(p50),
		figure{name: "relay 1 KiB" + rate + ": p99", unit: "µs", baseline: baseline}.over(p99),
	}, nil
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

// caller searches: every two find each other.
func caller(address string) starter {
	return func(ctx context.Context, at *clock, i int) (*browser, error) {
		b, err := dial(ctx, address, "", at)
		if err != nil {
			return nil, err
		}
		return b, b.search(i, "en", "music", true)
	}
}

// bareCaller joins two browsers by a name.
func bareCaller(address string) starter {
	return func(ctx context.Context, at *clock, i int) (*browser, error) {
		return dial(ctx, address, fmt.Sprintf("couple-%d", i/2), at)
	}
}
