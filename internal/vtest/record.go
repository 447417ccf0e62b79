package vtest

import (
	"context"
	"encoding/binary"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"parley/moderation/score"
	"parley/retention"
)

// LayRecord writes a record of a token under name, as package moderation does, for populations that
// nobody can have reported one by one.
func LayRecord(ctx context.Context, p redis.Pipeliner, name string, r *score.Record) {
	blob := append(make([]byte, 8), 't')
	var slots uint64
	for _, e := range r.Events {
		slots |= 1 << e.Slot
		p.Set(ctx, retention.Report.Key(name, strconv.Itoa(int(e.Slot))), string(score.AppendEvent(nil, e)), retention.ReportTime)
	}
	blob = append(blob, strings.Repeat("\xff", 8)+strings.Repeat("-", 16)...)
	p.Set(ctx, retention.Record.Key(name), string(score.AppendRecord(blob, r)), retention.ReportTime)
	sum := binary.BigEndian.AppendUint64(make([]byte, 8), slots)
	p.Set(ctx, retention.Sum.Key(name), string(score.AppendSum(sum, score.Sum{})), retention.ReportTime)
}
