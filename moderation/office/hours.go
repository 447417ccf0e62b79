package office

import (
	"context"
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/moderation"
	"parley/retention"
)

// Lengths is how many classes of calls there are, by how long they lasted; [moderation.Lengths]
// names them.
const Lengths = 4

// MostHours is how many hours can be asked for: as many as are kept.
const MostHours = int(retention.HourTime / time.Hour)

// hoursAtOnce is how many hours are read by one pipeline.
const hoursAtOnce = 1000

// Hour is how many calls ended in one hour, by how long they lasted.
type Hour struct {
	Begins time.Time
	Calls  [Lengths]int
}

// total is all calls of the hour.
func (h Hour) total() int {
	n := 0
	for _, calls := range h.Calls {
		n += calls
	}
	return n
}

// Hours returns the counts of the last n hours, the one that runs included, the oldest first.
func (o *Office) Hours(ctx context.Context, now time.Time, n int) ([]Hour, error) {
	n = min(n, MostHours)
	first := now.Unix()/3600 - int64(n) + 1
	hours := make([]Hour, n)
	for i := range hours {
		hours[i].Begins = time.Unix((first+int64(i))*3600, 0).UTC()
	}
	for some := range slices.Chunk(hours, hoursAtOnce) {
		if err := o.readHours(ctx, some); err != nil {
			return nil, unavailable("read the hours", err)
		}
	}
	return hours, nil
}

// readHours fills the counts in.
func (o *Office) readHours(ctx context.Context, hours []Hour) error {
	answers := make([]*redis.SliceCmd, len(hours))
	_, err := o.rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i, h := range hours {
			answers[i] = p.HMGet(ctx, retention.Hour.Key(strconv.FormatInt(h.Begins.Unix()/3600, 10)), moderation.Lengths()...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, answer := range answers {
		for class, v := range answer.Val() {
			if text, is := v.(string); is {
				hours[i].Calls[class] = int(number(text))
			}
		}
	}
	return nil
}

// PublicHour is an hour as people are told of it. There is no total, from which a number that is
// not told could be worked out.
type PublicHour struct {
	Begins time.Time
	Calls  [Lengths]Count
}

// Told are the hours as people are told of them, since the first in which a call ended.
func Told(hours []Hour) []PublicHour {
	told := []PublicHour{}
	for _, h := range hours {
		if len(told) == 0 && h.total() == 0 {
			continue
		}
		p := PublicHour{Begins: h.Begins}
		for class, n := range h.Calls {
			p.Calls[class] = Count{n, FewCalls}
		}
		told = append(told, p)
	}
	return told
}

// WriteHours writes hours as comma-separated values, with a line of names.
func WriteHours(w io.Writer, hours []PublicHour) error {
	out := csv.NewWriter(w)
	_ = out.Write(append([]string{"hour"}, moderation.Lengths()...)) // Flush knows of any error
	for _, h := range hours {
		line := []string{h.Begins.Format(time.RFC3339)}
		for _, n := range h.Calls {
			line = append(line, n.String())
		}
		_ = out.Write(line)
	}
	out.Flush()
	return out.Error()
}
