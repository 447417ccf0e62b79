// Package history keeps what happened to people on the client side, in a file of JSON lines, and
// checks over such a file that parley kept its promises: nobody in two calls, nobody lost, nobody
// matched with whom they avoid, envelopes complete and in order. The checker knows the protocol
// and nothing of how the server works.
package history

// Event is one line: something that a person did, or was told by the server. A person's events stand
// in the order in which they happened to that person; those of different people nearly so.
type Event struct {
	At  int64  `json:"at"`           // microseconds since the file began
	Who string `json:"who,omitzero"` // the person; empty in the last line
	Did string `json:"did,omitzero"` // what the person did, or
	Got string `json:"got,omitzero"` // what the person was told

	Device  string `json:"device,omitzero"`  // came
	Match   string `json:"match,omitzero"`   // matched, confirm, decline, connected
	Room    string `json:"room,omitzero"`    // connected, relay, leave, rejoin, report, block, heard
	Me      string `json:"me,omitzero"`      // connected
	Peer    string `json:"peer,omitzero"`    // connected
	Seq     uint64 `json:"seq,omitzero"`     // relay, and error about one
	Why     string `json:"why,omitzero"`     // aborted, ended; peer: away or back; relay: bad when it did not open
	Code    string `json:"code,omitzero"`    // error, closed, refused, notice
	About   string `json:"about,omitzero"`   // error: type of the refused frame
	Resumed bool   `json:"resumed,omitzero"` // welcome; hello: a token was shown
	Place   bool   `json:"place,omitzero"`   // find: at a place that was told before
	SinceMS int64  `json:"since_ms,omitzero"`
	Token   int    `json:"token,omitzero"` // connected, reported, blocked: this person's how many-th token of avoid
	Avoid   []int  `json:"avoid,omitzero"` // find: which of them were shown
}

// What a person does besides sending frames, which have their own type as name.
const (
	Came  = "came"  // begins to exist, on a device
	Cut   = "cut"   // dropped the socket
	Heard = "heard" // hears the other one of a room, on a new connection
	Went  = "went"  // is gone for good, without a word
	End   = "end"   // the file is complete; nobody's
)

// What a person is told besides frames.
const (
	Closed  = "closed"  // the socket ended without the person's doing; code is the close code
	Refused = "refused" // no socket: code is the HTTP status, or "unreachable"
)
