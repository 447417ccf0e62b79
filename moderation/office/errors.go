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
	// ErrNetwork says that a name is not that of a network.
	ErrNetwork = errors.New("this is no network: take one from the list of networks")
	// ErrPolicy says that a policy cannot be put into force. The error says why, a line for each fault.
	ErrPolicy = errors.New("this policy cannot be set")
	// ErrWindow says that a span of time is none, or longer than reports are kept.
	ErrWindow = errors.New("say a span of time within the last 30 days that ends after it begins")
)

// ConflictError says that another operator was faster. It holds what they set.
type ConflictError struct{ Holding Holding }

// Error fits error.
func (e *ConflictError) Error() string {
	h := e.Holding
	if h.Who == "" {
		return fmt.Sprintf("the policy has changed meanwhile: revision %d holds now; look at it, then decide again", h.Revision)
	}
	return fmt.Sprintf("%s changed the policy meanwhile (revision %d, %s: %q); look at it, then decide again",
		h.Who, h.Revision, h.When.UTC().Format(time.RFC3339), h.Reason)
}
