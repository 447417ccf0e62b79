package office

import (
	"context"
	"errors"
	"slices"
	"time"

	"parley/moderation"
	"parley/moderation/score"
)

// Case is one record as it lies in the store.
type Case = moderation.Held

// records reads every record.
func (o *Office) records(ctx context.Context) ([]Case, error) {
	all, err := o.desk.Records(ctx)
	return all, storeFault(err)
}

// change changes one record, if change says that it did.
func (o *Office) change(ctx context.Context, name string, change func(*score.Record) bool) error {
	return storeFault(o.desk.Rewrite(ctx, name, change))
}

// storeFault gives an error of the desk the name that it has here.
func storeFault(err error) error {
	if errors.Is(err, moderation.ErrUnavailable) {
		return errors.Join(ErrUnavailable, err)
	}
	return err
}

// ReasonCount is how many reports there are for one reason.
type ReasonCount struct {
	Reason  score.Reason
	Reports int
}

// Reasons counts the reports that are kept by their reason, of records of tokens: a report on a digest
// is there a second time. The records may be some seconds old.
func (o *Office) Reasons(ctx context.Context, now time.Time) ([]ReasonCount, error) {
	all, err := o.recent(ctx, now)
	if err != nil {
		return nil, err
	}
	counts := make([]ReasonCount, len(score.Reasons()))
	for i, reason := range score.Reasons() {
		counts[i].Reason = reason
	}
	for i := range all.cases {
		if all.cases[i].Digest {
			continue
		}
		for _, e := range all.cases[i].Events {
			if at := slices.Index(score.Reasons(), e.Reason); at >= 0 {
				counts[at].Reports++
			}
		}
	}
	return counts, nil
}
