package signaling

import "parley/moderation"

// Letters of private rooms only, to the room.
type (
	// Come comes to the door of a private room.
	Come struct {
		From   Address
		Member string
		Device moderation.Device
		Kind   RoomKind
	}
	// Admits answers a knock. It is the member's word about somebody at the door.
	Admits struct {
		From   Address
		Member string
		C      uint64 // the number of the browser's frame
		Who    string
		Yes    bool
	}
	// Turns turns knocking on or off.
	Turns struct {
		From   Address
		Member string
		C      uint64
		Knock  bool
	}
	// released answers endRoom.
	released struct{ err error }
)

func (Come) toRoom()     {}
func (Admits) toRoom()   {}
func (Turns) toRoom()    {}
func (held) toRoom()     {}
func (released) toRoom() {}

// Letters of private rooms only, to a session.
type (
	// Welcomed lets a session in, or tells one that comes back how the room stands.
	Welcomed struct {
		pass
		Ice     Ice            `json:"ice"` // as in Opened
		Back    bool           `json:"back"`
		Knock   bool           `json:"knock"`
		LeftMS  int64          `json:"left_ms"` // until an unused link expires; 0 otherwise
		Members []JoinedMember `json:"members"` // the others
	}
	// Waits tells that a member must open the door.
	Waits struct{ Room string }
	// Turned tells that a session does not come in, or not again.
	Turned struct {
		Room string
		Why  ShutWhy
	}
	// Knocked tells of somebody at the door.
	Knocked struct {
		Room  string
		Who   string
		State KnockState
	}
	// MemberIs tells of another member.
	MemberIs struct {
		Room   string
		Member string
		State  MemberState
	}
	// DoorIs tells whether one knocks.
	DoorIs struct {
		Room  string
		Knock bool
	}
	// Astray tells who comes back that the room is not where it was: the store knows.
	Astray struct{ Room string }
)

func (Welcomed) toSession() {}
func (Waits) toSession()    {}
func (Turned) toSession()   {}
func (Knocked) toSession()  {}
func (MemberIs) toSession() {}
func (DoorIs) toSession()   {}
func (Astray) toSession()   {}

func (Welcomed) event() {}
func (Waits) event()    {}
func (Turned) event()   {}
func (Knocked) event()  {}
func (MemberIs) event() {}
func (DoorIs) event()   {}
func (Astray) event()   {}
