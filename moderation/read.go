package moderation

import (
	"context"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/moderation/score"
	"parley/retention"
)

// question is what is to be read of one device.
type question struct {
	*person
	window bool   // its window too, even if it has no record
	mark   string // of the call that the window is asked for
}

// sight is what was read of one device.
type sight struct {
	*person
	token, digest []*stored    // the newest epoch first
	window        score.Window // zero unless asked for or there is a record
	reported      bool         // this call, by this device
}

// read asks Redis about some devices at once.
func (d *Desk) read(ctx context.Context, rdb redis.Scripter, all []question) ([]sight, error) {
	var keys []string
	args := []any{retention.Report.Format()}
	for _, q := range all {
		always := 0
		if q.window {
			always = 1
		}
		args = append(args, len(q.places), always, q.mark)
		for _, p := range q.places {
			keys = append(keys, p.key())
			args = append(args, p.mark)
		}
		keys = append(keys, q.today, q.yesterday)
	}
	answer, err := d.scripts.read.Run(ctx, rdb, keys, args...).Slice()
	if err != nil {
		return nil, err
	}
	if len(answer) != len(all) {
		return nil, errRecord
	}
	sights := make([]sight, len(all))
	for i, q := range all {
		if sights[i], err = d.sightOf(ctx, q, answer[i]); err != nil {
			return nil, err
		}
	}
	return sights, nil
}

// sightOf understands the answer about one device.
func (d *Desk) sightOf(ctx context.Context, q question, answer any) (sight, error) {
	s := sight{person: q.person}
	parts, ok := answer.([]any)
	if !ok || len(parts)%4 != 0 {
		return s, errRecord
	}
	if len(parts) == 0 {
		return s, nil
	}
	counts := make([]int, 4)
	for i := range counts {
		counts[i] = int(number(parts[i]))
	}
	// How long the window has to live is Redis's matter: one that is there is not over.
	s.window = score.Window{Calls: counts[0], Finished: counts[1], Reports: counts[2]}
	s.reported = counts[3] == 1
	for part := range slices.Chunk(parts[4:], 4) {
		at := int(number(part[0])) - 1
		blob, isText := part[2].(string)
		list, isList := part[3].([]any)
		if at < 0 || at >= len(q.places) || !isText || !isList {
			return s, errRecord
		}
		r, err := parseStored(q.places[at], time.Duration(number(part[1]))*time.Millisecond, blob, reportsOf(list))
		if err != nil {
			d.unreadable(ctx)
			continue
		}
		if r.kind == ofDigest {
			s.digest = append(s.digest, r)
		} else {
			s.token = append(s.token, r)
		}
	}
	return s, nil
}

func reportsOf(list []any) map[uint8]string {
	all := make(map[uint8]string, len(list)/2)
	for pair := range slices.Chunk(list, 2) {
		if text, is := pair[1].(string); is {
			all[uint8(number(pair[0]))] = text //nolint:gosec // below 64: the script counts bits
		}
	}
	return all
}

func number(v any) int64 {
	n, _ := v.(int64)
	return n
}

// whole joins what one device has under several epochs; nil when there is nothing.
func whole(p score.Policy, now int64, parts []*stored) *score.Record {
	switch len(parts) {
	case 0:
		return nil
	case 1:
		r := parts[0].Record
		return &r
	}
	all := make([]*score.Record, len(parts))
	for i, s := range parts {
		all[i] = &s.Record
	}
	r := score.Merge(p, now, all...)
	return &r
}
