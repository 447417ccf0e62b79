package moderation

import (
	"context"
	"slices"
	"strings"
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
	look   bool   // only its band is wanted: no reports whose sum holds, and no time to live
}

// sight is what was read of one device.
type sight struct {
	*person
	token, digest []*stored    // the newest epoch first
	marks         []*stored    // where there is but the mark that its token was given up
	damaged       []*stored    // where there is something that parley did not write, with what it begins with
	window        score.Window // zero unless asked for or there is a record
	reported      bool         // this call, by this device
}

// read asks Redis about some devices at once.
func (d *Desk) read(ctx context.Context, rdb redis.Scripter, all []question) ([]sight, error) {
	n := 0
	for _, q := range all {
		n += len(q.places)
	}
	keys := make([]string, 0, n)
	own, windowed := make([]byte, len(all)), "0"
	args := make([]any, 8)
	args[0], args[1], args[2], args[3] = retention.Record.Format(), retention.Sum.Format(), retention.Report.Format(), retention.Window.Format()
	args[4] = d.policy.Load().Rule()
	sights := make([]sight, len(all))
	var lines strings.Builder
	for i, q := range all {
		sights[i].person = q.person
		q.line(&lines)
		own[i] = byte(len(q.places)) //nolint:gosec // two for each live key
		if q.window {
			windowed = "1"
		}
		for _, p := range q.places {
			keys = append(keys, p.key())
		}
	}
	args[5], args[6], args[7] = own, windowed, lines.String()
	answer, err := d.scripts.read.Run(ctx, rdb, keys, args...).Slice()
	if err != nil {
		return nil, err
	}
	records, windows, ok := lists(answer)
	if !ok {
		return nil, errRecord
	}
	for w := range slices.Chunk(windows, 5) {
		sights[int(number(w[0]))-1].count(w[1:])
	}
	for part := range slices.Chunk(records, 6) {
		s := &sights[int(number(part[0]))-1]
		s.add(s.at(int(number(part[1]))-1), part[2:])
	}
	for i := range sights {
		d.unreadable(ctx, len(sights[i].damaged)+damagedReports(sights[i].all()))
	}
	return sights, nil
}

// line says for the script what belongs to one device.
func (q question) line(b *strings.Builder) {
	mode := "0"
	switch {
	case q.window:
		mode = "1"
	case q.look:
		mode = "2"
	}
	for _, part := range []string{mode, q.today, q.yesterday, q.mark} {
		b.WriteString(part)
		b.WriteByte(';')
	}
	if q.look {
		for _, at := range q.aside {
			b.WriteString(at.mark)
			b.WriteByte(',')
		}
	}
	b.WriteByte('\n')
}

// lists takes the answer apart.
func lists(answer []any) (records, windows []any, ok bool) {
	if len(answer) != 2 {
		return nil, nil, false
	}
	records, isRecords := answer[0].([]any)
	windows, isWindows := answer[1].([]any)
	return records, windows, isRecords && isWindows && len(records)%6 == 0 && len(windows)%5 == 0
}

// count takes up what the window says. How long that has to live is Redis's matter: one that is
// there is not over.
func (s *sight) count(w []any) {
	s.window = score.Window{Calls: int(number(w[0])), Finished: int(number(w[1])), Reports: int(number(w[2]))}
	s.reported = number(w[3]) == 1
}

// add takes up one record.
func (s *sight) add(at place, part []any) {
	blob, _ := part[1].(string)
	sum, _ := part[2].(string)
	var reports map[uint8]string
	if list, read := part[3].([]any); read {
		reports = reportsOf(list)
	}
	given := isMark(reports[markSlot])
	r, err := parseStored(at, time.Duration(number(part[0]))*time.Millisecond, blob, sum, reports)
	switch {
	case err == nil && r.kind == ofDigest:
		s.digest = append(s.digest, r)
	case err == nil && r.kind == givenUp:
		s.marks = append(s.marks, r)
	case err == nil && r.kind == ofToken:
		s.token = append(s.token, r)
	default:
		s.damaged = append(s.damaged, &stored{place: at, revision: blob[:min(revisionSize, len(blob))], given: given})
	}
	if s.gaveUp() {
		s.Fresh = true // whatever its age ticket says
	}
}

// damagedReports is how many reports of some records were not readable.
func damagedReports(all []*stored) (n int) {
	for _, r := range all {
		n += r.damaged
	}
	return n
}

// gaveUp tells whether the token was given up, and is in use all the same.
func (s sight) gaveUp() bool {
	return len(s.marks) > 0 || slices.ContainsFunc(s.token, func(r *stored) bool { return r.given })
}

// of returns the records of its token or digest.
func (s sight) of(k kind) []*stored {
	if k == ofDigest {
		return s.digest
	}
	return s.token
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
