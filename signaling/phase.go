package signaling

// Phase is where a session stands. The comments are the transitions.
type Phase int

// The phases.
const (
	Idle      Phase = iota // no search, no call; -> Searching by find, -> Entering by rejoin, make and enter
	Searching              // -> Offered by an offer, -> Idle by cancel or after 10 minutes
	Offered                // matched was told; -> Confirmed by confirm, -> Idle by decline or too late, -> Searching if the peer is gone
	Confirmed              // waits for the peer's confirmation; -> Entering when live, -> Searching if aborted, -> Idle by cancel
	Entering               // waits for the room; -> InRoom when both are there, -> Searching if the peer does not come, -> Knocking at a private room, -> Idle by cancel
	Knocking               // stands at the door of a private room; -> InRoom when let in, -> Entering when the room is lost, -> Idle otherwise
	InRoom                 // connected or joined was told; -> Idle by leave, or when the peer leaves or is lost, -> Searching if the room says that it never was a call
	Gone                   // the socket was away for 30 s; final
)

// stays tells whether a node that stops waits for a session of this phase.
func (p Phase) stays() bool {
	return p == Offered || p == Confirmed || p == Entering || p == Knocking || p == InRoom
}

// String returns the phase for a log.
func (p Phase) String() string {
	switch p {
	case Idle:
		return "idle"
	case Searching:
		return "searching"
	case Offered:
		return "offered"
	case Confirmed:
		return "confirmed"
	case Entering:
		return "entering"
	case Knocking:
		return "knocking"
	case InRoom:
		return "in_room"
	case Gone:
		return "gone"
	}
	return "unknown"
}
