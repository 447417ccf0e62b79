package matcher

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/retention"
)

// Line is how one queue stands, for operators.
type Line struct {
	Language, Interest string
	Waiting            int           // tickets that wait for it now; one may wait in several queues
	P50, P90           time.Duration // as in [Estimate]
	Samples            int
}

// surveyed is what was asked about one queue.
type surveyed struct {
	pool    pool
	waits   *redis.StringSliceCmd
	waiting []*redis.IntCmd
}

// Survey returns every queue in which somebody waits, or searched within the last hour, over so many
// bands.
func (q *Queue) Survey(ctx context.Context, bands int) ([]Line, error) {
	ctx, cancel := context.WithTimeout(ctx, q.cfg.Timeout)
	defer cancel()
	var all []surveyed
	_, err := q.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, language := range Languages() {
			for _, interest := range append(Interests(), everything) {
				all = append(all, survey(ctx, p, pool{language.Tag, interest}, bands))
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("survey: %w: %w", ErrUnavailable, err)
	}
	var lines []Line
	for _, one := range all {
		if line := one.line(); line.Waiting > 0 || line.Samples > 0 {
			lines = append(lines, line)
		}
	}
	return lines, nil
}

func survey(ctx context.Context, p redis.Pipeliner, of pool, bands int) surveyed {
	one := surveyed{pool: of, waits: p.LRange(ctx, retention.Waits.Key(of.language, of.interest), 0, -1)}
	for band := range bands {
		one.waiting = append(one.waiting, p.ZLexCount(ctx, of.key(band), "-", "(~")) // without the entry that is nobody
	}
	return one
}

func (s surveyed) line() Line {
	e := summary(measured([]*redis.StringSliceCmd{s.waits}))
	line := Line{s.pool.language, s.pool.interest, 0, e.P50, e.P90, e.Samples}
	for _, n := range s.waiting {
		line.Waiting += int(n.Val())
	}
	return line
}
