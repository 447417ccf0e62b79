package signaling

import (
	"time"

	"parley/retention"
)

// RoomKind tells a private room from a call of strangers, of which the kind is empty.
type RoomKind string

// The kinds of private rooms, as the wire has them.
const (
	LinkRoom    RoomKind = "link"    // found by a phrase, once
	ChannelRoom RoomKind = "channel" // found by a number; who talks with whom is the members' affair
)

// Policy is what distinguishes kinds of room. The room machine knows no other difference.
type Policy struct {
	Kind          RoomKind
	Capacity      int           // how many members there are at the most; before the room opens, if it gathers
	Gather        time.Duration // how long the first waits for the others to enter; 0: the room opens for the first
	Arrive        time.Duration // how long the room waits for a member to say that it knows of it
	Rejoin        time.Duration // how long a member may be missing after the server lost the room
	Unmet         time.Duration // the same for a member of whom the one who made the room anew had heard nothing
	EndsWithFirst bool          // the room ends when the first member leaves
	Burns         bool          // the tag opens nothing any more once two have been there and all have left
	Unused        time.Duration // how long the tag of a room that nobody came to is good; 0: while somebody is there
	AtDoor        time.Duration // how long somebody waits to be let in
	OfNetwork     int           // how many members one network may have; 0: any number
	Probes        int           // envelopes to a member who has not answered twice; 0: any number
}

const (
	// MostMembers is the highest capacity of a link.
	MostMembers = 8
	// Visitors is how many may be at one channel: several groups, and people with a wrong password.
	Visitors = 64
	// visitorsOfNetwork is how many of them may come from one network: a household or an office, but
	// not all, so that nobody can take a channel from everybody else with one connection.
	visitorsOfNetwork = 16
	// probes and probeSize are room for a key exchange, and for not much else.
	probes    = 8
	probeSize = 4096 + 64 // the box, and the rest of the frame's tail
	// answers is how many envelopes show that a member goes on talking with another: the first may be
	// an answer to anybody.
	answers = 2
	// unusedTime is how long a link waits for people.
	unusedTime = retention.LinkTime
	// doorTime is how long somebody stands at the door.
	doorTime = 2 * time.Minute
)

// Stranger is the policy of a call between two whom the matcher has paired.
func Stranger() Policy {
	return Policy{Capacity: 2, Gather: 5 * time.Second, Arrive: 5 * time.Second, Rejoin: Grace, Unmet: 10 * time.Second, EndsWithFirst: true}
}

// Link is the policy of a room behind a one-time link.
func Link(capacity int) Policy {
	return Policy{Kind: LinkRoom, Capacity: capacity, Rejoin: Grace, Burns: true, Unused: unusedTime, AtDoor: doorTime}
}

// Channel is the policy of the place where all meet who have chosen one channel.
func Channel() Policy {
	return Policy{Kind: ChannelRoom, Capacity: Visitors, Rejoin: Grace, AtDoor: doorTime, OfNetwork: visitorsOfNetwork, Probes: probes}
}

// policyOf returns the policy of a private room.
func policyOf(kind RoomKind, capacity int) Policy {
	if kind == ChannelRoom {
		return Channel()
	}
	return Link(capacity)
}

// private tells whether this is a room that people find by a tag.
func (p Policy) private() bool { return p.Kind != "" }
