package signaling

import "time"

// Policy is what distinguishes kinds of room. The room machine knows no other difference.
type Policy struct {
	Capacity      int           // how many members there are before the room opens, and at the most
	Gather        time.Duration // how long the first waits for the others to enter
	Arrive        time.Duration // how long the room waits for a member to say that it knows of it
	Rejoin        time.Duration // how long a member may be missing after the server lost the room
	Unmet         time.Duration // the same for a member of whom the one who made the room anew had heard nothing
	EndsWithFirst bool          // the room ends when the first member leaves
}

// Stranger is the policy of a call between two whom the matcher has paired.
func Stranger() Policy {
	return Policy{Capacity: 2, Gather: 5 * time.Second, Arrive: 5 * time.Second, Rejoin: Grace, Unmet: 10 * time.Second, EndsWithFirst: true}
}
