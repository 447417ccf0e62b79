package signaling

import "parley/moderation"

// Address names a session or a room on a node.
type Address struct{ Node, ID string }

// ToRoom is a letter from a session to a room: plain values, which could as well come from another
// node. A closed set.
//
//sumtype:decl
type ToRoom interface{ toRoom() }

type (
	// Enter comes into a room that gathers. Both sides name the same room, from their match.
	Enter struct {
		From     Address
		Member   string
		Device   moderation.Device
		Role     Role
		Shared   []string
		Language string
	}
	// Reenter comes back after the session, and perhaps the room, was lost.
	Reenter struct {
		From Address
		pass
		Met bool // it has heard its peer in this call, or cannot know
		// Claimed says that the store knows this node as the one that carries the private room, or does
		// not answer: the room may be made anew.
		Claimed bool `json:",omitzero"`
	}
	// Say is a sealed envelope on its way to one member. It goes through the room unchanged.
	Say struct {
		Room   string
		Sender Address
		C      uint64 // the number of the sender's frame
		From   string
		To     string
		Tail   []byte
	}
	// Went leaves the room for good: Why is EndLeft by wish, EndPeerLost when the browser did not
	// come back. It counts only from the session that is the member's now, like the two that follow: an
	// older one of the same browser may yet be waiting for it on another node.
	Went struct {
		From   Address
		Member string
		Why    EndWhy
	}
	// Missing and Present tell that the member's socket was lost, and is back.
	Missing struct {
		From   Address
		Member string
	}
	// Present is the end of Missing.
	Present struct {
		From   Address
		Member string
	}
	// Want asks for fresh credentials: only the room knows on which nodes its members are.
	Want struct {
		From   Address
		Member string
		C      uint64 // the number of the browser's frame
	}
)

func (Enter) toRoom()   {}
func (Reenter) toRoom() {}
func (*Say) toRoom()    {}
func (Went) toRoom()    {}
func (Missing) toRoom() {}
func (Present) toRoom() {}
func (Want) toRoom()    {}

// ToSession is a letter to a session, from a room or from the session that could not take an
// envelope. Each names its room: a late one of a call that is over must not be taken for one of the
// next. A closed set.
//
//sumtype:decl
type ToSession interface {
	Event
	toSession()
}

type (
	// Opened tells that the room is open, and who is there.
	Opened struct {
		pass
		Ice  Ice  `json:"ice"`  // the room's node fills them in on the way out
		Back bool `json:"back"` // answers Reenter
	}
	// Granted answers Want.
	Granted struct {
		Room string
		Ice  Ice // as in Opened
	}
	// Recheck asks a session whether it is in the room: letters between the two were lost. If not, the
	// answer is Went.
	Recheck struct {
		To     Address // that is asked
		Room   Address
		Member string
	}
	// Moved tells that another node carries the room: the session comes in there.
	Moved struct{ To Address }
	// Failed tells that the others did not enter.
	Failed struct{ Room string }
	// Heard is an envelope of a peer.
	Heard struct{ Say *Say }
	// PeerIs tells of a peer's socket.
	PeerIs struct {
		Room  string
		State PeerState
	}
	// Over tells that the call has ended for this session.
	Over struct {
		Room string
		Why  EndWhy
	}
	// Undelivered tells that the envelope in frame C did not reach its receiver.
	Undelivered struct {
		Room string
		C    uint64
		Code ErrorCode
	}
)

func (Opened) toSession()      {}
func (Granted) toSession()     {}
func (Recheck) toSession()     {}
func (Moved) toSession()       {}
func (Failed) toSession()      {}
func (Heard) toSession()       {}
func (PeerIs) toSession()      {}
func (Over) toSession()        {}
func (Undelivered) toSession() {}

func (Opened) event()      {}
func (Granted) event()     {}
func (Recheck) event()     {}
func (Moved) event()       {}
func (Failed) event()      {}
func (Heard) event()       {}
func (PeerIs) event()      {}
func (Over) event()        {}
func (Undelivered) event() {}

// fallen and torn are events for rooms and sessions alike: a node's lease ended; letters from or to
// a node were lost.
type (
	fallen struct{ node string }
	torn   struct{ node string }
)

func (fallen) toRoom() {}
func (torn) toRoom()   {}
func (fallen) event()  {}
func (torn) event()    {}

// pass is all that one member knows of its place in a room. Sealed, it is the token with which the
// browser comes back after the server has lost everything.
type pass struct {
	Room       string            `json:"room"`
	Node       string            `json:"node"` // that carries the room
	Member     string            `json:"member"`
	Peer       string            `json:"peer"`
	PeerDevice moderation.Device `json:"peer_device"`
	Device     moderation.Device `json:"device"`
	Role       Role              `json:"role"`
	Shared     []string          `json:"shared"`
	Language   string            `json:"language"`
	// Turn tells the sessions of a member apart that have used the same pass: it is when the session
	// came back, in milliseconds since 1970, or 0. The one with the highest is the last.
	Turn int64 `json:"turn"`
	// Until is when the pass and the handle end, in seconds since 1970: counted once, when the room
	// opened, so that coming back does not make a call longer than [passTime].
	Until int64 `json:"until"`
	// The following are of private rooms only. A tag can be used for several rooms, one after the other;
	// Life tells them apart.
	Kind     RoomKind `json:"kind,omitzero"`
	Life     string   `json:"life,omitzero"`
	Capacity int      `json:"capacity,omitzero"`
}
