package simulate

import (
	"time"

	"parley/internal/history"
)

// Event is something that happens to a person.
//
//sumtype:decl
type Event interface{ event() }

type (
	// Arrive begins the life of a person.
	Arrive struct{}
	// Opened says that the socket that was asked for is open.
	Opened struct{}
	// Refusal says that it is not: an HTTP status, or "unreachable".
	Refusal struct {
		Code  string
		After time.Duration // Retry-After
	}
	// Received is a frame of the server, read at At.
	Received struct {
		At    time.Duration
		frame frame
	}
	// Lost says that the socket ended, with a close code; 1006 when there was none.
	Lost struct{ Code int }
	// Tick comes at the person's deadline.
	Tick struct{}
	// Stop ends the run: who is here leaves.
	Stop struct{}
	// Solved is the proof of a work that was done.
	Solved struct{ Proof string }
	// SoundSays is an offer, an answer or a candidate of a connection, for the other side.
	SoundSays struct {
		Way
		What, Body string
	}
	// SoundCame is the first packet of the other side on a connection, read at At.
	SoundCame struct {
		Way
		At time.Duration
	}
	// SoundRefused says that there are too many connections already.
	SoundRefused struct{ Way }
)

// Frame reads a frame of the server that came at.
func Frame(at time.Duration, b []byte) (Received, error) {
	f, err := decode(b)
	return Received{at, f}, err
}

func (Arrive) event()   {}
func (Opened) event()   {}
func (Refusal) event()  {}
func (Received) event() {}
func (Lost) event()     {}
func (Tick) event()     {}
func (Stop) event()     {}
func (Solved) event()   {}

func (SoundSays) event()    {}
func (SoundCame) event()    {}
func (SoundRefused) event() {}

// Effect is something that a person wants done.
//
//sumtype:decl
type Effect interface{ effect() }

type (
	// Dial opens a socket.
	Dial struct{}
	// Write sends a frame on the socket.
	Write struct{ Frame []byte }
	// Work looks for a proof. The answer is Solved.
	Work struct {
		Challenge string
		Bits      int
	}
	// HangUp ends the socket, abruptly or with a close frame.
	HangUp struct{ Abrupt bool }
	// Note is a line of the history. The shell fills in who and when.
	Note struct{ history.Event }
	// Took is a time that is measured.
	Took struct {
		What Measure
		Time time.Duration
	}
	// Count counts something by its name.
	Count struct{ What string }
	// SoundOn begins a connection, instead of an older one if there is one.
	SoundOn struct {
		Way
		Offers bool
		ice    ice
	}
	// SoundHear is what the other side says about a connection: an offer, an answer or a candidate.
	SoundHear struct {
		Way
		What, Body string
	}
	// SoundOff ends the connection.
	SoundOff struct{}
	// Secret is something that nobody but the two people of a call may learn.
	Secret struct{ Kind, Text string }
	// Gone ends the person.
	Gone struct{}
)

func (Dial) effect()   {}
func (Write) effect()  {}
func (HangUp) effect() {}
func (Work) effect()   {}
func (Note) effect()   {}
func (Took) effect()   {}
func (Count) effect()  {}
func (Gone) effect()   {}
func (Secret) effect() {}

func (SoundOn) effect()   {}
func (SoundHear) effect() {}
func (SoundOff) effect()  {}

// Measure is one of the times that are measured, each from the moment at which it should have begun.
type Measure int

// The times. An open loop that is late measures the lateness, too.
const (
	Hello    Measure = iota // from a person's arrival to welcome
	Match                   // from the wish to talk to matched; the first time from the arrival
	First                   // from connected to the peer's first envelope
	Envelope                // from the moment an envelope was due to its arrival
	Resume                  // from the wish to be back to welcome{resumed: true}
	Sound                   // from connected to the peer's first packet of sound
	Lag                     // from the moment something was due here to the moment it was done
	measures
)

func (m Measure) String() string {
	switch m {
	case Hello:
		return "hello"
	case Match:
		return "wait"
	case First:
		return "first"
	case Envelope:
		return "envelope"
	case Resume:
		return "resume"
	case Sound:
		return "sound"
	case Lag:
		return "lag"
	case measures:
	}
	return "unknown"
}
