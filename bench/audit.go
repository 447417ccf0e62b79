package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/vtest"
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
	b.spell /= 2
	for range turns * b.rounds {
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
		figure{name: "audit: the count for /privacy/now, three nodes", unit: "% of a core", limit: valueAtMost(3)}.over(background),
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

// glances measures the walk for /privacy/now that one of several nodes makes for all of them: percent
// of a core, of Redis and of three nodes together. It is the only work for privacy that goes on while
// nothing else does.
func glances(ctx context.Context, s *store, b bench) (share []round, err error) {
	for range b.rounds {
		if err := s.Del(ctx, retention.Counts.Key(), retention.Counting.Key()).Err(); err != nil {
			return nil, err
		}
		idle, err := s.cpu(ctx)
		if err != nil {
			return nil, err
		}
		before, err := ownUsage()
		if err != nil {
			return nil, err
		}
		began := time.Now()
		keys, err := glanceFor(ctx, s, b.spell)
		if err != nil {
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
		fmt.Fprintf(b.progress, "  the count for /privacy/now: %d keys, %s of Redis' CPU and %s of three nodes' in %s\n",
			keys, (busy - idle).Round(time.Millisecond), own.Round(time.Millisecond), took.Round(time.Millisecond))
		share = append(share, round{100 * (busy - idle + own).Seconds() / took.Seconds(), 1})
	}
	return share, nil
}

// glanceFor lets three nodes look at what is counted, and returns how many keys the one that walks has
// seen when the time is over.
func glanceFor(ctx context.Context, s *store, spell time.Duration) (keys int, err error) {
	rdb := redis.NewClient(storeOptions(s.socket))
	defer func() { err = errors.Join(err, rdb.Close()) }()
	sent := vtest.Watch(rdb)
	while, stop := context.WithTimeout(ctx, spell)
	defer stop()
	ended := make(chan error, 3)
	for range cap(ended) {
		g := retention.NewGlance(rdb, slog.New(slog.DiscardHandler))
		go func() { ended <- g.Run(while) }()
	}
	for range cap(ended) {
		if over := <-ended; !errors.Is(over, context.DeadlineExceeded) {
			err = over
		}
	}
	if keys = sent.Of("strlen"); keys == 0 && err == nil {
		err = errors.New("none of three nodes counts")
	}
	return keys, err
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
