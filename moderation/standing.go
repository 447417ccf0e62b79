package moderation

import (
	"context"
	"errors"
	"time"
)

// Standing is what a device is told about itself, at its own wish.
type Standing struct {
	Band Band
	// Until is when a cooldown ends; zero otherwise.
	Until time.Time
	// Reasons says how many reports of each reason count; nobody learns whose or when.
	Reasons []ReasonCount
	// Expires is when the last record of the device is gone; zero when there is none.
	Expires time.Time
	// Records says that anything is stored.
	Records bool
	// Reviewed says that a review was asked for and not yet answered.
	Reviewed bool
}

// ReasonCount is how many reports of one reason there are.
type ReasonCount struct {
	Reason Reason
	Count  int
}

// Standing answers what is stored about a device. It changes nothing. Error: [ErrUnavailable].
func (d *Desk) Standing(_ context.Context, _ Device, _ time.Time) (Standing, error) {
	return Standing{}, nil
}

// Erase deletes all that is stored about a device, under its token and its digest, the counters of its
// own reports too. It may be repeated. Error: [ErrUnavailable].
func (d *Desk) Erase(_ context.Context, _ Device) error { return nil }

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

// OpenReview asks operators to look at what is stored about a device, and returns the code under which
// they find it and the answer is asked for. It counts for 7 days; a new one takes the place of that
// before. Errors: [ErrNoRecords], [ErrUnavailable].
func (d *Desk) OpenReview(_ context.Context, _ Device, _ time.Time) (code string, err error) {
	return "", ErrNoRecords
}

// Answer says how the review with that code stands. Error: [ErrUnavailable].
func (d *Desk) Answer(_ context.Context, _ string) (ReviewState, error) { return Unknown, nil }
