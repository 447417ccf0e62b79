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

// Survey returns every queue in which somebody waits, or searched within the last hour.
func (q *Queue) Survey(ctx context.Context, bands int) ([]Line, error) {
	ctx, cancel := context.WithTimeout(ctx, q.cfg.Timeout)
	defer cancel()
	type asked struct {
		pool    pool
		waits   *redis.StringSliceCmd
		waiting []*redis.IntCmd
	}
	var all []asked
	_, err := q.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, language := range Languages() {
			for _, interest := range append(Interests(), everything) {
				one := asked{pool: pool{language.Tag, interest}}
				one.waits = p.LRange(ctx, retention.Waits.Key(language.Tag, interest), 0, -1)
				for band := range bands {
					one.waiting = append(one.waiting, p.ZLexCount(ctx, one.pool.key(band), "-", "(~"))
				}
				all = append(all, one)
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, fmt.Errorf("survey: %w: %w", ErrUnavailable, err)
	}
	var lines []Line
	for _, one := range all {
		e := summary(measured([]*redis.StringSliceCmd{one.waits}))
		line := Line{one.pool.language, one.pool.interest, 0, e.P50, e.P90, e.Samples}
		for _, n := range one.waiting {
			line.Waiting += int(n.Val())
		}
		if line.Waiting > 0 || line.Samples > 0 {
			lines = append(lines, line)
		}
	}
	return lines, nil
}
