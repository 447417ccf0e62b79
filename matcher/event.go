package matcher

import "time"

// Offer is a match that waits for this side's confirmation.
type Offer struct {
	Match      string
	Ticket     string
	PeerTicket string
	PeerNode   string
	Language   string    // both chose it
	Shared     []string  // interests that both chose
	First      bool      // this side arrived first
	Deadline   time.Time // until when to confirm, by the clock of this node
}

// Event is something that happened to a ticket of this node.
//
//sumtype:decl
type Event interface{ event() }

// OfferMade says that somebody was found for a waiting ticket.
type OfferMade struct{ Offer Offer }

// WentLive says that the peer confirmed too.
type WentLive struct{ Match, Ticket string }

// WasAborted says that a match is off and this ticket closed.
type WasAborted struct {
	Match, Ticket string
	Why           Why
}

// Why a match was aborted.
type Why string

// Reasons of an abortion, as seen from the ticket that is told.
const (
	WhyPeer Why = "peer" // the other left, did not confirm, or its node died: queue again
	WhyLate Why = "late" // this side did not confirm in time: ask its user
)

func (OfferMade) event()  {}
func (WentLive) event()   {}
func (WasAborted) event() {}

// Result is the answer to [Queue.Join].
//
//sumtype:decl
type Result interface{ result() }

// Waiting says that the ticket stands in the queue.
type Waiting struct {
	Arrived time.Time     // its place, by the clock of Redis: give it to the next ticket unchanged
	Waited  time.Duration // how long ago that was
	Widens  time.Duration // its widening delay
	Steps   []Step        // its schedule: join again at each
}

// Offered says that the ticket is in a match.
type Offered struct{ Offer Offer }

// Closed says that this ticket is over: it left, its match was aborted, or it waited for too long.
type Closed struct{}

func (Waiting) result() {}
func (Offered) result() {}
func (Closed) result()  {}

// Left is the answer to [Queue.Leave].
type Left struct {
	State LeftState
	Match string // if Claimed
}

// LeftState is what became of a ticket that wanted to leave.
type LeftState int

// States of a ticket that wanted to leave.
const (
	LeftQueue LeftState = iota // it is out of the queue, now or already before
	Claimed                    // too late: it is in Left.Match, which may be aborted
	Unknown                    // no such ticket; it cannot be queued any more either
)

// Confirmation is the answer to [Queue.Confirm].
type Confirmation int

// States of a match after a confirmation.
const (
	Pending Confirmation = iota // the peer has not confirmed yet
	Live                        // both have
	Gone                        // it was aborted, or is not known, or the ticket is not part of it
)

// Abortion is the answer to [Queue.Abort].
type Abortion int

// States of a match after an abortion.
const (
	Aborted     Abortion = iota // now or already before; both tickets are closed
	AlreadyLive                 // too late: both had confirmed
	NoMatch                     // not known, or the ticket is not part of it
)
