package signaling

import (
	"time"

	"parley/matcher"
)

// Event is what a session is stepped with: a frame of its browser, or one of the types here and in
// letter.go. A closed set.
type Event interface{ event() }

type (
	// said is a frame of the browser that needs no opening of tokens.
	said struct{ frame FromBrowser }
	// find is a Find whose tokens were opened.
	find struct {
		msg    Find
		avoid  []string // tags of devices not to meet
		place  place    // zero when there is none, or it is of another session that still lives
		zeros  int      // bits of work that it costs
		asNew  int      // the same if the device is fresh
		solves uint32   // the number of the puzzle that its proof solves; 0 for none
		pays   int      // for how many searches a solved puzzle pays
	}
	// rejoin is a Rejoin whose pass was opened; nil when it was not ours.
	rejoin struct {
		msg  Rejoin
		pass *pass
		at   time.Time // by the clock that all nodes share
	}
	// attached: a socket is there, the first or a resumed one.
	attached struct{}
	// detached: the socket is gone.
	detached struct{}
	// tick: the deadline of the session has come.
	tick struct{}

	// joined answers the effect join.
	joined struct {
		ticket   string
		entry    entry // of a join that did not know the band
		result   matcher.Result
		estimate *matcher.Estimate
		band     int
		meets    []int
		err      error
	}
	// offered: the matcher found a peer.
	offered struct{ offer matcher.Offer }
	// confirmed answers the effect confirm.
	confirmed struct {
		match  string
		result matcher.Confirmation
		err    error
	}
	// wentLive: both sides have confirmed.
	wentLive struct{ match string }
	// aborted: the match came to nothing.
	aborted struct {
		match string
		why   matcher.Why
	}
	// lapsed: the queue may have forgotten this node's tickets; a search is to ask after so long.
	lapsed struct{ after time.Duration }
	// answered carries the answer of the desk.
	answered struct{ frame ToBrowser }
)

func (*Relay) event()    {}
func (said) event()      {}
func (*find) event()     {}
func (rejoin) event()    {}
func (attached) event()  {}
func (detached) event()  {}
func (tick) event()      {}
func (joined) event()    {}
func (offered) event()   {}
func (confirmed) event() {}
func (wentLive) event()  {}
func (aborted) event()   {}
func (lapsed) event()    {}
func (answered) event()  {}

// Effect is what a session wants done. Effects are carried out in order. A closed set.
//
//sumtype:decl
type Effect interface{ effect() }

type (
	// send puts a frame in the ring.
	send struct{ frame ToBrowser }
	// hint sends a frame without a number, if a socket is there.
	hint struct{ notice Notice }
	// forward puts a peer's envelope in the ring, or refuses it to the peer when the ring is full.
	forward struct{ say *Say }
	// sendQueued seals the place and sends queued.
	sendQueued struct {
		msg   Queued
		place place
	}
	// sendPuzzle makes a puzzle and sends it.
	sendPuzzle struct {
		of     uint64
		number uint32
		zeros  int
	}
	// sendConnected makes the tokens of a call and sends connected.
	sendConnected struct {
		at  pass
		ice Ice
	}
	// join stands in the queue, or asks again how the ticket stands. The answer is joined.
	join struct {
		ticket matcher.Ticket
		banded bool // Band and Meets are known
		unpaid bool // the search is over if its device turns out to have given its token up
		last   *known
	}
	// quit takes a ticket out of the queue, and aborts the match that may have claimed it.
	quit struct{ ticket string }
	// confirm confirms a match. The answer is confirmed.
	confirm struct{ match, ticket string }
	// abort aborts a match; with ask, the answer is aborted or wentLive.
	abort struct {
		match, ticket string
		ask           bool
	}
	// report stores a report. The answer is answered.
	report struct {
		msg  Report
		call string // that this session is in; empty if in none
	}
	// block makes a token. The answer is answered.
	block struct {
		msg  Block
		call string // as in report
	}
	// inquire asks the desk about the device. The answer is answered.
	inquire struct {
		c     uint64
		frame FromBrowser
	}
	// post sends a letter to a room.
	post struct {
		to     Address
		letter ToRoom
	}
	// bounce tells the sender of an envelope that it was not taken.
	bounce struct {
		to     Address
		letter Undelivered
	}
	// vanish forgets the session.
	vanish struct{}
)

func (send) effect()          {}
func (hint) effect()          {}
func (forward) effect()       {}
func (sendQueued) effect()    {}
func (sendPuzzle) effect()    {}
func (sendConnected) effect() {}
func (join) effect()          {}
func (quit) effect()          {}
func (confirm) effect()       {}
func (abort) effect()         {}
func (report) effect()        {}
func (block) effect()         {}
func (inquire) effect()       {}
func (post) effect()          {}
func (bounce) effect()        {}
func (vanish) effect()        {}
