package moderation

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/retention"
)

// lengthOf returns the class by which a call is counted in its hour.
func lengthOf(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return "under_10s"
	case d < time.Minute:
		return "under_1m"
	case d < 10*time.Minute:
		return "under_10m"
	}
	return "longer"
}

// tally adds calls to the counts of the hours in which they ended. They say of nobody that they
// talked.
func (d *Desk) tally(ctx context.Context, all []talk) error {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	_, err := d.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, t := range all {
			key := retention.Hour.Key(strconv.FormatInt(t.ended.Unix()/3600, 10))
			p.HIncrBy(ctx, key, lengthOf(t.length), 1)
			p.PExpire(ctx, key, retention.HourTime)
		}
		return nil
	})
	return err
}
