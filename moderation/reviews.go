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

// NamedReview returns the review of a name, as [Desk.OpenReviews] tells it; one in state [Unknown]
// if there is none. Error: [ErrUnavailable].
func (d *Desk) NamedReview(ctx context.Context, name string) (Review, error) {
	all, err := d.reviews(ctx, []string{name})
	if err != nil || len(all) == 0 {
		return Review{}, err
	}
	return all[0], nil
}

// reviews returns those of some names that exist, with their records. It looks where a review says
// that they are; only for one of which some have gone from there, to another week or for ever, or
// which was asked for before reviews said so, it walks through all records.
func (d *Desk) reviews(ctx context.Context, names []string) ([]Review, error) {
	var all []Review
	at, known := map[string]int{}, true
	var places []place
	for _, name := range names {
		q, err := d.readReview(ctx, name)
		if err != nil {
			return nil, err
		}
		if q.state == Unknown || at[name] > 0 {
			continue
		}
		all = append(all, Review{Name: name, State: q.state, Left: q.left})
		at[name] = len(all)
		known = known && (q.state != Open || len(q.on) > 0)
		for _, mark := range q.on {
			places = append(places, place{mark: mark})
		}
	}
	if !known {
		places = nil
	} else if len(places) == 0 {
		return all, nil
	}
	return all, d.attach(ctx, all, places, at)
}

// attach gives reviews their records. At has where each is in all, from 1, by its name.
func (d *Desk) attach(ctx context.Context, all []Review, places []place, at map[string]int) error {
	found, err := d.reviewed(ctx, places, at)
	if err != nil {
		return err
	}
	for _, s := range found {
		if n := at[s.review]; n > 0 {
			all[n-1].Records = append(all[n-1].Records, s.held())
		}
	}
	return nil
}

// reviewed returns the records of open reviews: at the places where the reviews say that they are,
// if they are all there; else, or without places, it walks through all records for them. At has the
// names of the reviews.
func (d *Desk) reviewed(ctx context.Context, places []place, at map[string]int) (found []*stored, err error) {
	if len(places) > 0 {
		if found, err = d.fetch(ctx, d.rdb, places); err != nil {
			return nil, unavailable("read records", err)
		}
		if len(found) == len(places) && !slices.ContainsFunc(found, func(s *stored) bool { return at[s.review] == 0 }) {
			return found, nil
		}
	}
	found = nil
	err = d.walk(ctx, func(s *stored) { found = append(found, s) })
	return found, err
}

// reviewAsked is a review as it lies in Redis.
type reviewAsked struct {
	state ReviewState
	left  time.Duration // to live
	on    []string      // the names of its records, while it is open
}

// readReview reads the review of a name.
func (d *Desk) readReview(ctx context.Context, name string) (reviewAsked, error) {
	key := retention.Review.Key(name)
	pipe := d.rdb.Pipeline()
	text, left := pipe.Get(ctx, key), pipe.PTTL(ctx, key)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return reviewAsked{}, unavailable("look up review", err)
	}
	words := strings.Fields(text.Val())
	for _, s := range []ReviewState{Open, Expunged, Kept} {
		if len(words) > 0 && s.String() == words[0] {
			return reviewAsked{s, left.Val(), words[1:]}, nil
		}
	}
	return reviewAsked{}, nil
}

// reviewState reads how the review of a name stands.
func (d *Desk) reviewState(ctx context.Context, name string) (ReviewState, error) {
	q, err := d.readReview(ctx, name)
	return q.state, err
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
	c := newChange(*d.policy.Load(), time.Now())
	c.set(retention.Review.Key(name), answer.String(), 0)
	if _, err := d.apply(ctx, d.rdb, c); err != nil {
		return unavailable("close review", err)
	}
	return nil
}
