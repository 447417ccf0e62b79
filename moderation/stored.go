package moderation

import (
	"cmp"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/moderation/score"
	"parley/retention"
)

// A record begins with what the scripts read: a random revision, which each change makes anew; the
// kind; eight bytes that say nothing; and the name of the review that was asked for, or hyphens. What
// follows is [score.AppendRecord]'s.
const (
	revisionSize = 8
	anywhereAt   = revisionSize + 1
	reviewAt     = anywhereAt + 8
	reviewSize   = 16
	recordAt     = reviewAt + reviewSize
)

// A sum lies beside its record, and goes with the first report of which it speaks: a record lives
// longer than most of its reports, and would else tell of those that are gone. It begins with the
// revision of the record for which it holds and the slots of its reports: bit n for slot n. What
// follows is [score.AppendSum]'s.
const (
	slotsAt = revisionSize
	sumAt   = slotsAt + 8
)

// anywhere stands in a record where its slots stood once: who finds no sum looks into each.
const anywhere = "\xff\xff\xff\xff\xff\xff\xff\xff"

// markSlot is where the mark of a token that was given up lies when that token is reported again: a
// record then stands in its place. In a slot Redis deletes it at its time, like a report, and no
// trace of it is left. While it is there the record has one report less.
const markSlot = MaxReports - 1

var errRecord = errors.New("a record in the store is not readable")

// noReview stands in a record of which nobody asked for a review.
func noReview() string { return strings.Repeat("-", reviewSize) }

// stored is one record with its reports, as it was read.
type stored struct {
	place
	revision string
	review   string
	left     time.Duration // to live
	score.Record
	sum   string           // as it was read; empty when there is none that fits
	brief bool             // the reports were left unread, for the sum stands for them
	bytes map[uint8]string // the reports by slot
	given bool             // the mark of a token that was given up lies in markSlot

	damaged int // how many reports were not readable: they count for nothing, and go with the next change
}

func (p place) key() string { return retention.Record.Key(p.mark) }

func (p place) sumKey() string { return retention.Sum.Key(p.mark) }

func (p place) slot(n uint8) string { return retention.Report.Key(p.mark, strconv.Itoa(int(n))) }

// parseStored reads a record with its sum, which may be empty or of another revision, and its
// reports; nil when they were left unread.
func parseStored(at place, left time.Duration, blob, sum string, reports map[uint8]string) (*stored, error) {
	if len(blob) < recordAt {
		return nil, errRecord
	}
	at.kind = kind(blob[revisionSize])
	if at.kind == givenUp {
		return &stored{place: at, revision: blob[:revisionSize], review: noReview(), left: left}, nil
	}
	r, err := score.ParseRecord([]byte(blob[recordAt:]))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errRecord, err)
	}
	s := &stored{place: at, revision: blob[:revisionSize], review: blob[reviewAt:recordAt], left: left, Record: *r, bytes: reports, brief: reports == nil}
	if fits(sum, blob) {
		if s.Sum, err = score.ParseSum([]byte(sum[sumAt:])); err == nil {
			s.sum = sum
		}
	}
	if isMark(reports[markSlot]) {
		s.given = true
		delete(reports, markSlot)
	}
	for slot, text := range reports {
		e, err := score.ParseEvent([]byte(text))
		if err != nil {
			s.damaged++
			continue
		}
		e.Slot = slot
		s.Events = append(s.Events, e)
	}
	slices.SortFunc(s.Events, func(a, b score.Event) int {
		return cmp.Or(cmp.Compare(a.At, b.At), slices.Compare(a.Pair[:], b.Pair[:]))
	})
	return s, nil
}

// fits tells whether a sum is that of a record.
func fits(sum, blob string) bool {
	return len(sum) >= sumAt && len(blob) >= revisionSize && sum[:revisionSize] == blob[:revisionSize]
}

// texts are the record as it will lie in Redis, under a new revision, and the sum of its reports at
// an hour. While the mark that its token was given up lies beside it there is no sum, so that who
// judges it reads on.
func (s *stored) texts(p score.Policy, hour int64) (record, sum string) {
	b := make([]byte, revisionSize, recordAt+score.MaxRecordSize)
	rand.Read(b) // never fails (crypto/rand)
	revision := string(b)
	b = append(b, byte(s.kind))
	b = append(b, anywhere...)
	b = append(b, s.review...)
	record = string(score.AppendRecord(b, &s.Record))
	if s.brief {
		return record, revision + s.sum[slotsAt:]
	}
	s.Sum = score.Sum{}
	if !s.given {
		s.Sum = s.SumUp(p, hour)
	}
	if s.Sum.Until() == 0 {
		return record, ""
	}
	var slots uint64
	for i := range s.Events {
		slots |= 1 << s.Events[i].Slot
	}
	b = binary.BigEndian.AppendUint64([]byte(revision), slots)
	return record, string(score.AppendSum(b, s.Sum))
}

// settled gives the events of a joined record the slots that those which lie at s already have; the
// others get free ones.
func (s *stored) settled(joined score.Record) score.Record {
	own := map[string]uint8{}
	if s.given && len(joined.Events) == MaxReports {
		joined.Events = joined.Events[1:]
	}
	for slot, text := range s.bytes {
		own[text] = slot
	}
	var taken uint64
	for i := range joined.Events {
		e := &joined.Events[i]
		slot, is := own[text(*e)]
		if !is {
			slot = score.MaxEvents
		} else {
			taken |= 1 << slot
		}
		e.Slot = slot
	}
	next := uint8(0)
	for i := range joined.Events {
		if joined.Events[i].Slot < score.MaxEvents {
			continue
		}
		for taken&(1<<next) != 0 {
			next++
		}
		joined.Events[i].Slot = next
		taken |= 1 << next
	}
	return joined
}

// spare keeps the slot of the mark free after a report was added: of too many the oldest goes.
func (s *stored) spare() {
	i := slices.IndexFunc(s.Events, func(e score.Event) bool { return e.Slot == markSlot })
	if !s.given || i < 0 {
		return
	}
	if len(s.Events) == MaxReports {
		s.Events[i].Slot = s.Events[0].Slot
		s.Events = slices.Delete(s.Events, 0, 1)
		return
	}
	taken := map[uint8]bool{}
	for _, e := range s.Events {
		taken[e.Slot] = true
	}
	for n := range uint8(markSlot) {
		if !taken[n] {
			s.Events[i].Slot = n
			return
		}
	}
}

// newMark makes what erasing leaves of a token: the head of a record without reports, without a
// review, and with nothing behind it.
func newMark() string {
	b := make([]byte, anywhereAt, recordAt)
	rand.Read(b[:revisionSize]) // never fails (crypto/rand)
	b[revisionSize] = byte(givenUp)
	b = append(b, make([]byte, reviewAt-anywhereAt)...)
	return string(append(b, noReview()...))
}

func isMark(text string) bool {
	return len(text) == recordAt && kind(text[revisionSize]) == givenUp
}

// text is a report as it lies in Redis.
func text(e score.Event) string { return string(score.AppendEvent(nil, e)) }
