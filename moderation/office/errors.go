package office

import (
	"errors"
	"fmt"
	"time"
)

// Errors that callers tell apart.
var (
	// ErrReason says that an act has no reason, or one that is too long.
	ErrReason = errors.New("write down why, in at least three characters")
	// ErrTrail says that the trail is not what was written, so that no act can be added to it.
	ErrTrail = errors.New("the audit trail is broken, so nothing can be done that it must record: see parley audit verify")
	// ErrUnavailable says that Redis did not answer.
	ErrUnavailable = errors.New("the store is away; try again in a few seconds")
	// ErrCode says that no open review has this code.
	ErrCode = errors.New("no open review has this code: it may be mistyped, older than seven days, or answered")
	// ErrWindow says that a span of time is none, or longer than reports are kept.
	ErrWindow = errors.New("say a span of time within the last 30 days that ends after it begins")
)

// ConflictError says that another operator was faster.
type ConflictError struct {
	Revision int64 // of the policy that holds now
	Who      string
	When     time.Time
	Reason   string
}

// Error fits error.
func (e *ConflictError) Error() string {
	if e.Who == "" {
		return fmt.Sprintf("the policy has changed meanwhile: revision %d holds now; look at it, then decide again", e.Revision)
	}
	return fmt.Sprintf("%s changed the policy meanwhile (revision %d, %s: %q); look at it, then decide again",
		e.Who, e.Revision, e.When.UTC().Format(time.RFC3339), e.Reason)
}
