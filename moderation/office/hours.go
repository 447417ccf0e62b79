package office

import (
	"context"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/retention"
)

// Hour is how many calls ended in one hour.
type Hour struct {
	Begins time.Time
	Calls  int
}

// Hours returns the counts of the last n hours, the one that runs included, the oldest first.
func (o *Office) Hours(ctx context.Context, now time.Time, n int) ([]Hour, error) {
	first := now.Unix()/3600 - int64(n) + 1
	answers := make([]*redis.StringSliceCmd, n)
	_, err := o.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range answers {
			answers[i] = p.HVals(ctx, retention.Hour.Key(strconv.FormatInt(first+int64(i), 10)))
		}
		return nil
	})
	if err != nil {
		return nil, unavailable("read the hours", err)
	}
	hours := make([]Hour, n)
	for i, answer := range answers {
		hours[i].Begins = time.Unix((first+int64(i))*3600, 0).UTC()
		for _, text := range answer.Val() {
			hours[i].Calls += int(number(text))
		}
	}
	return hours, nil
}
