package moderation

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/moderation/score"
	"parley/retention"
)

// Review is a review as an operator sees it. It names nobody.
type Review struct {
	Name  string // a hash of the code
	State ReviewState
	Left  time.Duration // until it is gone
	// Records are those that the device had when it asked and still has, with what was added since.
	Records []Held
}

// OpenReviews returns the reviews that nobody has answered, the oldest first. Error:
// [ErrUnavailable].
func (d *Desk) OpenReviews(ctx context.Context) ([]Review, error) {
	node, err := d.nodeOf(ctx, retention.Record.Key("any"))
	if err != nil {
		return nil, unavailable("find reviews", err)
	}
	before, after, _ := strings.Cut(retention.Review.Format(), "%s")
	var names []string
	err = each(ctx, node, before+"*"+after, func(some []string) bool {
		for _, key := range some {
			names = append(names, key[len(before):len(key)-len(after)])
		}
		return true
	})
	if err != nil {
		return nil, unavailable("find reviews", err)
	}
	all, err := d.reviews(ctx, names)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(r Review) bool { return r.State != Open })
	slices.SortFunc(all, func(a, b Review) int { return cmp.Or(cmp.Compare(a.Left, b.Left), cmp.Compare(a.Name, b.Name)) })
	return all, nil
}

// FindReview returns the review with a code; one in state [Unknown] if there is none. Error:
// [ErrUnavailable].
func (d *Desk) FindReview(ctx context.Context, code string) (Review, error) {
	all, err := d.reviews(ctx, []string{codeHash(code)})
	if err != nil || len(all) == 0 {
		return Review{}, err
	}
	return all[0], nil
}

// reviews returns those of some names that exist. It walks through all records, if there is one:
// nothing else leads from a review to a device.
func (d *Desk) reviews(ctx context.Context, names []string) ([]Review, error) {
	var all []Review
	places := map[string]int{}
	for _, name := range names {
		state, left, err := d.reviewState(ctx, name)
		if err != nil {
			return nil, err
		}
		if state != Unknown && places[name] == 0 {
			all = append(all, Review{Name: name, State: state, Left: left})
			places[name] = len(all)
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	return all, d.walk(ctx, func(s *stored) {
		if n := places[s.review]; n > 0 {
			all[n-1].Records = append(all[n-1].Records, s.held())
		}
	})
}

// reviewState reads how the review of a name stands, and how long it has to live.
func (d *Desk) reviewState(ctx context.Context, name string) (ReviewState, time.Duration, error) {
	key := retention.Review.Key(name)
	pipe := d.rdb.Pipeline()
	word, left := pipe.Get(ctx, key), pipe.PTTL(ctx, key)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return Unknown, 0, unavailable("look up review", err)
	}
	for _, s := range []ReviewState{Open, Expunged, Kept} {
		if s.String() == word.Val() {
			return s, left.Val(), nil
		}
	}
	return Unknown, 0, nil
}

// CloseReview answers the review of a name: expunged, which deletes the records, or kept. It may be
// repeated. Errors: [ErrNoRecords] where there is no such review; [ErrUnavailable].
func (d *Desk) CloseReview(ctx context.Context, name string, answer ReviewState) error {
	all, err := d.reviews(ctx, []string{name})
	switch {
	case err != nil:
		return err
	case len(all) == 0:
		return ErrNoRecords
	}
	if answer == Expunged {
		for _, r := range all[0].Records {
			if err := d.Rewrite(ctx, r.Name, func(r *score.Record) bool { r.Events = nil; return true }); err != nil {
				return err
			}
		}
	}
	c := newChange(*d.policy.Load(), score.Hour(time.Now().Unix()))
	c.set(retention.Review.Key(name), answer.String(), 0)
	if _, err := d.apply(ctx, d.rdb, c); err != nil {
		return unavailable("close review", err)
	}
	return nil
}
