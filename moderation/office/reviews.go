package office

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/moderation"
	"parley/moderation/score"
	"parley/retention"
)

// ReviewVerdict is what an operator decides.
type ReviewVerdict string

// The verdicts.
const (
	Expunge ReviewVerdict = "expunged" // the records are deleted
	Keep    ReviewVerdict = "kept"
)

// Review is somebody's wish that their record be looked at. It names nobody.
type Review struct {
	ID      string         `json:"id"` // a hash of the code
	Opened  time.Time      `json:"opened"`
	State   string         `json:"state"`
	Band    string         `json:"band"`
	Score   float64        `json:"score"`
	Reports int            `json:"reports"`
	Reasons map[string]int `json:"reasons"`
	Expires time.Time      `json:"expires"` // when the last report is gone
}

// Reviews returns those that nobody has answered, the oldest first.
func (o *Office) Reviews(ctx context.Context, now time.Time) ([]Review, error) {
	s, err := o.Current(ctx)
	if err != nil {
		return nil, err
	}
	open, err := o.desk.OpenReviews(ctx)
	if err != nil {
		return nil, storeFault(err)
	}
	all := make([]Review, 0, len(open))
	for _, r := range open {
		all = append(all, reviewOf(s.Holding.Policy, now, r))
	}
	return all, nil
}

// FindReview returns the open review of a code. Errors: [ErrCode], [ErrUnavailable].
func (o *Office) FindReview(ctx context.Context, code string, now time.Time) (Review, error) {
	s, err := o.Current(ctx)
	if err != nil {
		return Review{}, err
	}
	r, err := o.desk.FindReview(ctx, code)
	switch {
	case err != nil:
		return Review{}, storeFault(err)
	case r.State != moderation.Open:
		return Review{}, ErrCode
	}
	return reviewOf(s.Holding.Policy, now, r), nil
}

// reviewOf sums up the records of a review. A report stands on the record of the token and on that of
// the digest; the fuller one is told.
func reviewOf(p score.Policy, now time.Time, r moderation.Review) Review {
	hour := score.Hour(now.Unix())
	all := Review{
		ID: r.Name, Opened: now.Add(r.Left - retention.ReviewTime).UTC().Truncate(time.Minute), State: r.State.String(),
		Band: score.Clear.String(), Reasons: map[string]int{},
	}
	worst := score.Clear
	for i := range r.Records {
		c := &r.Records[i]
		band, points := bandOf(p, hour, c)
		worst, all.Score = max(worst, band), max(all.Score, points)
		if gone := time.Unix(c.Gone(p), 0).UTC(); gone.After(all.Expires) {
			all.Expires = gone
		}
		if len(c.Events) <= all.Reports {
			continue
		}
		all.Reports = len(c.Events)
		clear(all.Reasons)
		for _, e := range c.Events {
			all.Reasons[string(e.Reason)]++
		}
	}
	all.Band = worst.String()
	return all
}

// AnswerReview decides an open review. Whoever asked sees the answer by the code. Errors: [ErrReason],
// [ErrTrail], [ErrCode], [ErrUnavailable].
func (o *Office) AnswerReview(ctx context.Context, id string, verdict ReviewVerdict, by Order) error {
	if verdict != Expunge && verdict != Keep {
		return fmt.Errorf("%w: a review is expunged or kept", ErrCode)
	}
	switch r, err := o.desk.NamedReview(ctx, id); {
	case err != nil:
		return storeFault(err)
	case r.State != moderation.Open:
		return ErrCode
	}
	e := by.entry(ActReview)
	e.New = told(struct {
		Verdict ReviewVerdict `json:"verdict"`
	}{verdict})
	err := o.do(ctx, deed{Entry: e, then: func(ctx context.Context) error {
		answer := moderation.Kept
		if verdict == Expunge {
			answer = moderation.Expunged
		}
		err := o.desk.CloseReview(ctx, id, answer)
		if errors.Is(err, moderation.ErrNoRecords) {
			return ErrCode
		}
		return storeFault(err)
	}})
	o.people.drop()
	return err
}
