package moderation

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/moderation/score"
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

// OpenReview asks operators to look at what is stored about a device, and returns the code under which
// they find it and the answer is asked for. It counts for 7 days; a new one takes the place of that
// before. Errors: [ErrNoRecords], [ErrUnavailable].
func (d *Desk) OpenReview(ctx context.Context, dev Device, now time.Time) (code string, err error) {
	for range attempts {
		s, err := d.look(ctx, dev, now)
		if err != nil {
			return "", err
		}
		all := s.all()
		if len(all) == 0 {
			return "", ErrNoRecords
		}
		code := newCode()
		c := newChange()
		for _, r := range all {
			if r.review != noReview() {
				c.del(retention.Review.Key(r.review))
			}
		}
		for _, r := range all {
			r.review = codeHash(code)
			c.touch(r)
		}
		c.set(retention.Review.Key(codeHash(code)), Open.String(), retention.ReviewTime)
		switch done, err := d.apply(ctx, d.rdb, c); {
		case err != nil:
			return "", unavailable("open review", err)
		case done:
			return code, nil
		}
	}
	return "", unavailable("open review", errBusy)
}

// Answer says how the review with that code stands. Error: [ErrUnavailable].
func (d *Desk) Answer(ctx context.Context, code string) (ReviewState, error) {
	return reviewState(ctx, d.rdb, codeHash(code))
}

func reviewState(ctx context.Context, rdb redis.UniversalClient, hash string) (ReviewState, error) {
	word, err := rdb.Get(ctx, retention.Review.Key(hash)).Result()
	if errors.Is(err, redis.Nil) {
		return Unknown, nil
	}
	if err != nil {
		return Unknown, unavailable("look up review", err)
	}
	for _, s := range []ReviewState{Open, Expunged, Kept} {
		if s.String() == word {
			return s, nil
		}
	}
	return Unknown, nil
}

// FindReview returns what a review is about, for an operator who has the code: the records that the
// device had when it asked and still has, with what was added since. Error: [ErrUnavailable].
func (d *Desk) FindReview(ctx context.Context, code string) (ReviewState, []Held, error) {
	state, about, err := d.reviewed(ctx, code)
	held := make([]Held, 0, len(about))
	for _, s := range about {
		held = append(held, s.held())
	}
	return state, held, err
}

// reviewed walks through all records: nothing else leads from a code to a device.
func (d *Desk) reviewed(ctx context.Context, code string) (ReviewState, []*stored, error) {
	hash := codeHash(code)
	state, err := reviewState(ctx, d.rdb, hash)
	if err != nil || state == Unknown {
		return state, nil, err
	}
	var about []*stored
	err = d.walk(ctx, func(s *stored) {
		if s.review == hash {
			about = append(about, s)
		}
	})
	return state, about, err
}

// CloseReview answers a review: expunged, which deletes the records, or kept. It may be repeated. An
// unknown code is [ErrNoRecords]. Errors: that, [ErrUnavailable].
func (d *Desk) CloseReview(ctx context.Context, code string, expunge bool) error {
	state, about, err := d.reviewed(ctx, code)
	switch {
	case err != nil:
		return err
	case state == Unknown:
		return ErrNoRecords
	}
	became := Kept
	for _, s := range about {
		if !expunge {
			break
		}
		if err := d.Rewrite(ctx, s.mark, func(r *score.Record) bool { r.Events = nil; return true }); err != nil {
			return err
		}
	}
	if expunge {
		became = Expunged
	}
	c := newChange()
	c.set(retention.Review.Key(codeHash(code)), became.String(), 0)
	if _, err := d.apply(ctx, d.rdb, c); err != nil {
		return unavailable("close review", err)
	}
	return nil
}
