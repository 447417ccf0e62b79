package migrations

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/retention"
)

// Week is the key of one week, as the data knows it.
type Week struct {
	Number      int64
	Fingerprint string
	Due         time.Time // when the key is destroyed
}

// WeeksError says that there are records under weekly keys that this node does not have: it could
// find none of them, and would begin others for the same devices.
type WeeksError struct {
	Weeks []int64 // the oldest first
}

func (e *WeeksError) Error() string {
	words := make([]string, len(e.Weeks))
	for i, w := range e.Weeks {
		words[i] = strconv.FormatInt(w, 10)
	}
	return "the data in Redis was made with other epoch keys, those of week " + strings.Join(words, ", ")
}

// weekField begins the fields of the schema that hold the fingerprints.
const weekField = "week:"

// Weeks makes sure that the data was made under the keys at hand, and writes down their
// fingerprints. Keys that are due are forgotten. Errors: [*WeeksError] where there are records and a
// key is missing or another.
func Weeks(ctx context.Context, rdb redis.UniversalClient, have []Week, now time.Time) error {
	lost, _, err := compare(ctx, rdb, have, now)
	if err != nil {
		return err
	}
	if len(lost) > 0 {
		some, err := anyRecord(ctx, rdb)
		if err != nil {
			return fmt.Errorf("look for records: %w", err)
		}
		if some {
			return &WeeksError{lost}
		}
	}
	return NewWeeks(ctx, rdb, have, now)
}

// NewWeeks is Weeks for a parley whose keys are lost: those that the data knows of are forgotten, and
// the records made under them left to run out. Error: [*WeeksError] when another node writes others
// down in this moment.
func NewWeeks(ctx context.Context, rdb redis.UniversalClient, have []Week, now time.Time) error {
	lost, due, err := compare(ctx, rdb, have, now)
	if err != nil {
		return err
	}
	for _, number := range slices.Concat(lost, due) {
		if err := rdb.HDel(ctx, retention.Schema.Key(), fieldOf(number)).Err(); err != nil {
			return fmt.Errorf("forget an epoch key: %w", err)
		}
	}
	for _, w := range have {
		if err := rdb.HSetNX(ctx, retention.Schema.Key(), fieldOf(w.Number), w.Fingerprint).Err(); err != nil {
			return fmt.Errorf("write down an epoch key: %w", err)
		}
	}
	if lost, _, err = compare(ctx, rdb, have, now); err == nil && len(lost) > 0 {
		return &WeeksError{lost}
	}
	return err
}

func fieldOf(week int64) string { return weekField + strconv.FormatInt(week, 10) }

// compare returns the weeks of the data whose key is not at hand, and those whose key is due.
func compare(ctx context.Context, rdb redis.UniversalClient, have []Week, now time.Time) (lost, due []int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	fields, err := rdb.HGetAll(ctx, retention.Schema.Key()).Result()
	if err != nil {
		return nil, nil, fmt.Errorf("read the epoch keys of the data: %w", err)
	}
	for name, fingerprint := range fields {
		digits, is := strings.CutPrefix(name, weekField)
		number, wrong := strconv.ParseInt(digits, 10, 64)
		if !is || wrong != nil {
			continue
		}
		i := slices.IndexFunc(have, func(w Week) bool { return w.Number == number })
		switch {
		case i >= 0 && have[i].Fingerprint == fingerprint:
		case i < 0 && older(number, have, now):
			due = append(due, number)
		default:
			lost = append(lost, number)
		}
	}
	slices.Sort(lost)
	return lost, due, nil
}

// older tells whether the key of a week that is not at hand is due, counted from one that is.
func older(number int64, have []Week, now time.Time) bool {
	return len(have) > 0 && !have[0].Due.Add(time.Duration(number-have[0].Number)*7*24*time.Hour).After(now)
}

// anyRecord tells whether there is a record of any device.
func anyRecord(ctx context.Context, rdb redis.UniversalClient) (bool, error) {
	node, err := nodeOfRecords(ctx, rdb)
	if err != nil {
		return false, err
	}
	before, after, _ := strings.Cut(retention.Record.Format(), "%s")
	all := node.Scan(ctx, 0, before+"*"+after, 1000).Iterator()
	return all.Next(ctx), all.Err()
}

// dropReports deletes the reports of the first shape. Their devices were named under the key file,
// and are named under weekly keys now, to which no way leads from there: they cannot be carried.
func dropReports(ctx context.Context, rdb redis.UniversalClient) (int64, error) {
	var n atomic.Int64 // the masters of a Cluster are walked at the same time
	one := func(ctx context.Context, node redis.Cmdable) error {
		all := node.Scan(ctx, 0, retention.FirstReports, 1000).Iterator()
		for all.Next(ctx) {
			if err := node.Del(ctx, all.Val()).Err(); err != nil {
				return err
			}
			n.Add(1)
		}
		return all.Err()
	}
	cluster, is := rdb.(*redis.ClusterClient)
	if !is {
		err := one(ctx, rdb)
		return n.Load(), err
	}
	err := cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error { return one(ctx, node) })
	return n.Load(), err
}
