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
// kind; the slots of its reports; and the name of the review that was asked for, or hyphens. What
// follows is [score.AppendRecord]'s.
const (
	revisionSize = 8
	slotsAt      = revisionSize + 1
	reviewAt     = slotsAt + 8
	reviewSize   = 16
	recordAt     = reviewAt + reviewSize
)

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
	bytes map[uint8]string // the reports by slot
}

func (p place) key() string { return retention.Record.Key(p.mark) }

func (p place) slot(n uint8) string { return retention.Report.Key(p.mark, strconv.Itoa(int(n))) }

// parseStored reads a record and its reports.
func parseStored(at place, left time.Duration, blob string, reports map[uint8]string) (*stored, error) {
	if len(blob) < recordAt {
		return nil, errRecord
	}
	r, _, err := score.ParseRecord([]byte(blob[recordAt:]))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errRecord, err)
	}
	at.kind = kind(blob[revisionSize])
	s := &stored{place: at, revision: blob[:revisionSize], review: blob[reviewAt:recordAt], left: left, Record: *r, bytes: reports}
	for slot, text := range reports {
		e, err := score.ParseEvent([]byte(text))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errRecord, err)
		}
		e.Slot = slot
		s.Events = append(s.Events, e)
	}
	slices.SortFunc(s.Events, func(a, b score.Event) int {
		return cmp.Or(cmp.Compare(a.At, b.At), slices.Compare(a.Pair[:], b.Pair[:]))
	})
	return s, nil
}

// blob is the record as it will lie in Redis, under a new revision.
func (s *stored) blob() string {
	b := make([]byte, revisionSize, recordAt+score.MaxRecordSize)
	rand.Read(b) // never fails (crypto/rand)
	var slots uint64
	for i := range s.Events {
		slots |= 1 << s.Events[i].Slot
	}
	b = append(b, byte(s.kind))
	b = binary.BigEndian.AppendUint64(b, slots)
	b = append(b, s.review...)
	return string(score.AppendRecord(b, &s.Record))
}

// settled gives the events of a joined record the slots that those which lie at s already have; the
// others get free ones.
func (s *stored) settled(joined score.Record) score.Record {
	own := map[string]uint8{}
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

// text is a report as it lies in Redis.
func text(e score.Event) string { return string(score.AppendEvent(nil, e)) }
