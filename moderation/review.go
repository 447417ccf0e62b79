package moderation

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"parley/retention"
)

// ErrNoRecords says that there is nothing to review.
var ErrNoRecords = errors.New("nothing is stored about this device: there is nothing to review")

// ReviewState is how a review stands.
type ReviewState int

// The states of a review.
const (
	Unknown  ReviewState = iota // no such code, or older than 7 days
	Open                        // no operator has answered
	Expunged                    // the records were deleted
	Kept                        // an operator looked and kept them
)

// String returns the word of the protocol.
func (s ReviewState) String() string { return [...]string{"unknown", "open", "expunged", "kept"}[s] }

// newCode makes a code: 20 letters and digits in groups of four, 100 random bits.
func newCode() string {
	text := strings.ToLower(rand.Text())
	return strings.Join([]string{text[:4], text[4:8], text[8:12], text[12:16], text[16:20]}, "-")
}

// codeHash is the name under which a review lies. What people add or change when they write a code
// down does not count.
func codeHash(code string) string {
	plain := strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(code))
	sum := sha256.Sum256([]byte("parley review " + plain))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// OpenReview asks operators to look at what is stored about a device, and returns the code under
// which they find it and the answer is asked for. It counts for 7 days; a new one takes the place
// of that before. Errors: [ErrNoRecords], [ErrUnavailable].
func (d *Desk) OpenReview(ctx context.Context, dev Device, now time.Time) (code string, err error) {
	for range attempts {
		s, err := d.look(ctx, dev, now)
		if err != nil {
			return "", err
		}
		own := s.reviews()
		all, err := d.reviewable(ctx, s, own)
		if err != nil {
			return "", err
		}
		if len(all) == 0 {
			return "", ErrNoRecords
		}
		code := newCode()
		c := newChange(*d.policy.Load(), now)
		for _, name := range own {
			c.del(retention.Review.Key(name))
		}
		for _, r := range all {
			r.review = codeHash(code)
			c.touch(r)
		}
		c.set(retention.Review.Key(codeHash(code)), openOn(all), retention.ReviewTime)
		switch done, err := d.apply(ctx, d.rdb, c); {
		case err != nil:
			return "", unavailable("open review", err)
		case done:
			return code, nil
		}
	}
	return "", unavailable("open review", errBusy)
}

// openOn is an open review as it lies in Redis: the word, and the names of the records that it is
// about. They hold its name too, so that this tells nothing more; an operator finds them without a
// walk through all.
func openOn(all []*stored) string {
	words := []string{Open.String()}
	for _, r := range all {
		words = append(words, r.mark)
	}
	return strings.Join(words, " ")
}

// reviews returns the reviews that the device itself has asked for, as the records of its token
// say.
func (s sight) reviews() (own []string) {
	for _, r := range s.token {
		if r.review != noReview() {
			own = append(own, r.review)
		}
	}
	return own
}

// reviewable returns the records of a device without those of which somebody else has a review
// open.
func (d *Desk) reviewable(ctx context.Context, s sight, own []string) ([]*stored, error) {
	all := slices.Clone(s.token)
	for _, r := range s.digest {
		if r.review != noReview() && !slices.Contains(own, r.review) {
			switch state, err := d.reviewState(ctx, r.review); {
			case err != nil:
				return nil, err
			case state == Open:
				continue
			}
		}
		all = append(all, r)
	}
	return all, nil
}

// Answer says how the review with that code stands. Error: [ErrUnavailable].
func (d *Desk) Answer(ctx context.Context, code string) (ReviewState, error) {
	state, err := d.reviewState(ctx, codeHash(code))
	return state, err
}
