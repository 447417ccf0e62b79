package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/retention"
)

// audit measures how long a walk over all keys takes, and what people who are being paired have of it.
// The keys are reports, which is what a large Redis of parley holds; the pairing is that of pairs.
func audit(ctx context.Context, b bench) ([]figure, error) {
	s, err := startStore(ctx)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	if err := layReports(ctx, s, b.keys); err != nil {
		return nil, err
	}
	alone, share, err := walks(ctx, s, b)
	if err != nil {
		return nil, err
	}
	background, err := glances(ctx, s, b)
	if err != nil {
		return nil, err
	}
	var beside []round
	for range b.rounds {
		before, err := pairingBeside(ctx, s, b, nil)
		if err != nil {
			return nil, err
		}
		during, err := pairingBeside(ctx, s, b, func(ctx context.Context) error {
			_, err := retention.Count(ctx, s.Client, retention.CountPace)
			return err
		})
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(b.progress, "  %.0f pairs a second without, %.0f beside\n", pairsPerSecond(before), pairsPerSecond(during))
		beside = append(beside, round{pairsPerSecond(during), pairsPerSecond(before)})
	}
	return []figure{
		figure{name: fmt.Sprintf("audit: %d keys", b.keys), unit: "s", limit: valueAtMost(60)}.over(alone),
		figure{name: "audit: Redis, while it goes on", unit: "% of a core", limit: valueAtMost(9)}.over(share),
		figure{name: "audit: a node's own count, for /privacy/now", unit: "% of a core", limit: valueAtMost(3)}.over(background),
		figure{name: "audit: pairs beside it", unit: "pairs/s", more: true, baseline: "without it", limit: ratioAtMost(1.10)}.over(beside),
	}, nil
}

// walks measures walks over keys that do not change meanwhile: seconds, and percent of a core of
// Redis.
func walks(ctx context.Context, s *store, b bench) (alone, share []round, err error) {
	for range b.rounds {
		idle, err := s.cpu(ctx)
		if err != nil {
			return nil, nil, err
		}
		census, err := retention.Count(ctx, s.Client, retention.CountPace)
		if err == nil && census.Faulty > 0 {
			err = fmt.Errorf("%d of %d keys are at fault, the first %+v", census.Faulty, census.Keys, census.Faults[0])
		}
		if err != nil {
			return nil, nil, err
		}
		busy, err := s.cpu(ctx)
		if err != nil {
			return nil, nil, err
		}
		fmt.Fprintf(b.progress, "  %d keys in %s and %s of Redis' CPU\n", census.Keys, census.Took.Round(time.Millisecond), (busy - idle).Round(time.Millisecond))
		alone = append(alone, round{census.Took.Seconds(), 1})
		share = append(share, round{100 * (busy - idle).Seconds() / census.Took.Seconds(), 1})
	}
	return alone, share, nil
}

// glances measures the walk that each node makes in the background all the time: percent of a core,
// of Redis and of the node together. It is the only work for privacy that goes on while nothing else
// does.
func glances(ctx context.Context, s *store, b bench) (share []round, err error) {
	for range b.rounds {
		idle, err := s.cpu(ctx)
		if err != nil {
			return nil, err
		}
		before, err := ownUsage()
		if err != nil {
			return nil, err
		}
		began := time.Now()
		while, stop := context.WithTimeout(ctx, b.spell)
		_, err = retention.Count(while, s.Client, retention.GlancePace)
		stop()
		if err != nil && (ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded)) {
			return nil, err
		}
		took := time.Since(began)
		busy, err := s.cpu(ctx)
		if err != nil {
			return nil, err
		}
		after, err := ownUsage()
		if err != nil {
			return nil, err
		}
		own := after.cpu - before.cpu
		fmt.Fprintf(b.progress, "  a node's own count: %s of Redis' CPU and %s of the node's in %s\n",
			(busy - idle).Round(time.Millisecond), own.Round(time.Millisecond), took.Round(time.Millisecond))
		share = append(share, round{100 * (busy - idle + own).Seconds() / took.Seconds(), 1})
	}
	return share, nil
}

func pairsPerSecond(t tally) float64 { return float64(t.count) / t.wall.Seconds() }

// layReports fills a Redis with n reports, as large as they are.
func layReports(ctx context.Context, s *store, n int) error {
	const together = 10_000
	report := make([]byte, 35)
	for from := 0; from < n; from += together {
		_, err := s.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i := from; i < min(n, from+together); i++ {
				p.Set(ctx, retention.Report.Key(fmt.Sprintf("%016d", i/8), fmt.Sprint(i%8)), report, retention.ReportTime)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// pairingBeside counts pairs while something else goes on, over and over. The keys that are there
// stay.
func pairingBeside(ctx context.Context, s *store, b bench, other func(context.Context) error) (t tally, err error) {
	c, err := startCrowd(ctx, s)
	if err != nil {
		return tally{}, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	ctx, cancel := context.WithCancel(ctx)
	failed := make(chan error, 1)
	go func() {
		var failure error
		for other != nil && failure == nil && ctx.Err() == nil {
			failure = other(ctx)
		}
		failed <- failure
	}()
	t, err = drive(ctx, s, b.spell, joinOnce(c))
	over := ctx.Err()
	cancel()
	if failure := <-failed; over == nil && !errors.Is(failure, context.Canceled) {
		err = errors.Join(err, failure)
	}
	return t, err
}
