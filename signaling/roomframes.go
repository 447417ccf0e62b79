package signaling

// The frames of private rooms: see the tables in the package comment.

// Make makes a one-time link and goes into its room.
type Make struct {
	T string `json:"t"`
	numbered
	Tag      string `json:"tag"`
	Capacity int    `json:"capacity"`
	Knock    bool   `json:"knock"`
}

// EnterRoom goes to the room of a link or of a channel.
type EnterRoom struct {
	T string `json:"t"`
	numbered
	Kind RoomKind `json:"kind"`
	Tag  string   `json:"tag"`
}

// Admit lets in who knocks, or turns it away.
type Admit struct {
	T string `json:"t"`
	numbered
	Member string `json:"member"`
	Yes    bool   `json:"yes"`
}

// TurnDoor turns knocking on or off.
type TurnDoor struct {
	T string `json:"t"`
	numbered
	Knock bool `json:"knock"`
}

func (Make) fromBrowser()      {}
func (EnterRoom) fromBrowser() {}
func (Admit) fromBrowser()     {}
func (TurnDoor) fromBrowser()  {}

// decodeRoomKind decodes the frames of private rooms.
func decodeRoomKind(kind string, frame []byte) (FromBrowser, error) {
	switch kind {
	case "make":
		return decodeAs[Make](frame)
	case "enter":
		return decodeAs[EnterRoom](frame)
	case "admit":
		return decodeAs[Admit](frame)
	case "door":
		return decodeAs[TurnDoor](frame)
	}
	return nil, &Fault{Code: BadFrame, Text: "unknown type in \"t\""}
}

// AtDoor says that the browser stands at the door of a room.
type AtDoor struct {
	Of       uint64 `json:"of"`
	WithinMS int64  `json:"within_ms"`
}

// Shut says that the browser does not come into the room.
type Shut struct {
	Of  uint64  `json:"of"`
	Why ShutWhy `json:"why"`
}

// JoinedRoom tells how the room stands, in which the browser is.
type JoinedRoom struct {
	Room      string         `json:"room"`
	Kind      RoomKind       `json:"kind"`
	Me        string         `json:"me"`
	Members   []JoinedMember `json:"members"`
	Capacity  int            `json:"capacity"`
	Knock     bool           `json:"knock"`
	ExpiresMS int64          `json:"expires_ms"`
	Ice       Ice            `json:"ice"`
	Pass      string         `json:"pass"`
}

// JoinedMember is one of the others.
type JoinedMember struct {
	ID   string `json:"id"`
	Away bool   `json:"away"`
}

// Member tells what became of one of the others.
type Member struct {
	Member string      `json:"member"`
	State  MemberState `json:"state"`
}

// Knock tells of somebody at the door.
type Knock struct {
	Member string     `json:"member"`
	State  KnockState `json:"state"`
}

// Door tells whether one knocks.
type Door struct {
	Knock bool `json:"knock"`
}

func (AtDoor) kind() string     { return "knocking" }
func (Shut) kind() string       { return "shut" }
func (JoinedRoom) kind() string { return "joined" }
func (Member) kind() string     { return "member" }
func (Knock) kind() string      { return "knock" }
func (Door) kind() string       { return "door" }

// MemberState is what became of a member.
type MemberState string

// The states of Member.
const (
	MemberJoined MemberState = "joined"
	MemberAway   MemberState = "away"
	MemberBack   MemberState = "back"
	MemberLeft   MemberState = "left"
	MemberLost   MemberState = "lost" // did not come back
)

// KnockState tells whether somebody stands at the door.
type KnockState string

// The states of Knock.
const (
	KnockHere KnockState = "here"
	KnockGone KnockState = "gone" // went away, was let in, or was turned away
)

// ShutWhy is why somebody does not come into a room.
type ShutWhy string

// The reasons of Shut.
const (
	ShutFull       ShutWhy = "full"
	ShutBurnt      ShutWhy = "burnt"
	ShutUnknown    ShutWhy = "unknown"         // never made, not used within a day, or burnt more than a day ago
	ShutTurnedAway ShutWhy = "turned_away"     // by a member
	ShutNobody     ShutWhy = "nobody_answered" // the knock
	ShutOtherTab   ShutWhy = "other_tab"       // this device is in the room already
	ShutCrowded    ShutWhy = "crowded"         // too many are at this channel, or of this network
	ShutTaken      ShutWhy = "taken"           // there is a room under this tag
	ShutAway       ShutWhy = "away"            // never on the wire: the store does not answer
)
