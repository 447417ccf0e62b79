package moderation

import (
	"context"
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/redis/go-redis/v9"
)

// fetch reads many records and their reports by two plain commands, which cost Redis less than half
// of what the script for one device does. It is no single step: a report that comes or goes in between
// is there or not, as it would be a moment before or after. A record that has expired is left out, and
// so is a mark; how long the others have to live is not asked.
func (d *Desk) fetch(ctx context.Context, rdb redis.Cmdable, places []place) ([]*stored, error) {
	keys := make([]string, 2*len(places))
	for i, p := range places {
		keys[i], keys[len(places)+i] = p.key(), p.sumKey()
	}
	held, err := rdb.MGet(ctx, keys...).Result()
	if err != nil {
		return nil, err
	}
	blobs, sums := held[:len(places)], held[len(places):]
	keys = keys[:0]
	for i, blob := range blobs {
		for left := slotsOf(blob, sums[i]); left != 0; left &= left - 1 {
			keys = append(keys, places[i].slot(uint8(bits.TrailingZeros64(left)))) //nolint:gosec // below 64
		}
	}
	var reports []any
	if len(keys) > 0 {
		if reports, err = rdb.MGet(ctx, keys...).Result(); err != nil {
			return nil, err
		}
	}
	all := make([]*stored, 0, len(places))
	for i, blob := range blobs {
		used := slotsOf(blob, sums[i])
		own := reports[:bits.OnesCount64(used)]
		reports = reports[len(own):]
		text, there := blob.(string)
		if !there {
			continue
		}
		sum, _ := sums[i].(string)
		s, err := parseStored(places[i], 0, text, sum, bySlot(used, own))
		if err != nil {
			d.unreadable(ctx, 1)
			continue
		}
		d.unreadable(ctx, s.damaged)
		if s.kind != givenUp {
			all = append(all, s)
		}
	}
	return all, nil
}

// slotsOf returns which slots a record has, as its sum says, bit n for slot n; without one it may have
// any, and none where there is no record.
func slotsOf(blob, sum any) uint64 {
	text, is := blob.(string)
	if !is || len(text) < recordAt || kind(text[revisionSize]) == givenUp {
		return 0
	}
	if says, is := sum.(string); is && fits(says, text) {
		return binary.BigEndian.Uint64([]byte(says[slotsAt:sumAt]))
	}
	return math.MaxUint64
}

// bySlot gives reports their slots, in the order of the slots; those that have expired are left out.
func bySlot(used uint64, reports []any) map[uint8]string {
	all := make(map[uint8]string, len(reports))
	for _, r := range reports {
		if text, there := r.(string); there {
			all[uint8(bits.TrailingZeros64(used))] = text //nolint:gosec // below 64
		}
		used &= used - 1
	}
	return all
}
