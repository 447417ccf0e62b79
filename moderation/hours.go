package moderation

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/retention"
)

// Lengths names the classes by which calls are counted in their hour, the shortest first.
func Lengths() []string { return []string{"under_10s", "under_1m", "under_10m", "longer"} }

// lengthOf returns the class of a call.
func lengthOf(d time.Duration) string {
	class := 3
	switch {
	case d < 10*time.Second:
		class = 0
	case d < time.Minute:
		class = 1
	case d < 10*time.Minute:
		class = 2
	}
	return Lengths()[class]
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
