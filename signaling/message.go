package signaling

// FromBrowser is a frame of the browser: a closed set, one Go type for each line of the table in
// the package comment.
//
//sumtype:decl
type FromBrowser interface {
	// number is the frame's own number and the highest number received that it acknowledges. Frames
	// without a number return 0.
	number() (c, a uint64)
	fromBrowser()
}

// numbered are the two fields that most frames of a browser carry.
type numbered struct {
	C uint64 `json:"c"`
	A uint64 `json:"a"`
}

func (n numbered) number() (c, a uint64) { return n.C, n.A }

// Hello is the first frame on a socket. An empty token asks for a new session.
type Hello struct {
	T      string `json:"t"`
	Token  string `json:"token"`
	Last   uint64 `json:"last"`
	Device string `json:"device"`
	Digest string `json:"digest"`
	Age    string `json:"age"`
}

// Find starts a search.
type Find struct {
	T string `json:"t"`
	numbered
	Languages []string `json:"languages"`
	Interests []string `json:"interests"`
	Widen     bool     `json:"widen"`
	Avoid     []string `json:"avoid"`
	Place     string   `json:"place"`
	Proof     string   `json:"proof"`
}

// Cancel ends a search.
type Cancel struct {
	T string `json:"t"`
	numbered
}

// Confirm says that the browser is here and its microphone open.
type Confirm struct {
	T string `json:"t"`
	numbered
	Match string `json:"match"`
}

// Decline refuses a match and ends the search.
type Decline struct {
	T string `json:"t"`
	numbered
	Match string `json:"match"`
}

// Relay carries a sealed envelope to a member of the room. Tail is the end of the frame from
// "seq" on: it goes out to the peer byte for byte, so that the envelope is never copied.
type Relay struct {
	numbered
	To   string
	Tail []byte
}

// Leave ends the browser's part in a call.
type Leave struct {
	T string `json:"t"`
	numbered
}

// Rejoin comes back into a running call after the session was lost.
type Rejoin struct {
	T string `json:"t"`
	numbered
	Pass string `json:"pass"`
}

// Relays asks for fresh credentials of the relay.
type Relays struct {
	T string `json:"t"`
	numbered
}

// Report reports the peer whom a handle names.
type Report struct {
	T string `json:"t"`
	numbered
	Handle string `json:"handle"`
	Reason string `json:"reason"`
}

// Block asks never to meet again whom a handle names.
type Block struct {
	T string `json:"t"`
	numbered
	Handle string `json:"handle"`
}

// AskStanding asks for the band of the device.
type AskStanding struct {
	T string `json:"t"`
	numbered
}

// Erase deletes what is stored of the device.
type Erase struct {
	T string `json:"t"`
	numbered
}

// AskReview asks that an operator look at what is stored.
type AskReview struct {
	T string `json:"t"`
	numbered
}

// AskAnswer asks what became of a review.
type AskAnswer struct {
	T string `json:"t"`
	numbered
	Code string `json:"code"`
}

// Ack acknowledges received frames when there is nothing else to say.
type Ack struct {
	T string `json:"t"`
	A uint64 `json:"a"`
}

// Pong answers a ping.
type Pong struct {
	T string `json:"t"`
}

func (Hello) number() (c, a uint64) { return 0, 0 }
func (m Ack) number() (c, a uint64) { return 0, m.A }
func (Pong) number() (c, a uint64)  { return 0, 0 }

func (Hello) fromBrowser()       {}
func (Find) fromBrowser()        {}
func (Cancel) fromBrowser()      {}
func (Confirm) fromBrowser()     {}
func (Decline) fromBrowser()     {}
func (*Relay) fromBrowser()      {}
func (Leave) fromBrowser()       {}
func (Rejoin) fromBrowser()      {}
func (Relays) fromBrowser()      {}
func (Report) fromBrowser()      {}
func (Block) fromBrowser()       {}
func (AskStanding) fromBrowser() {}
func (Erase) fromBrowser()       {}
func (AskReview) fromBrowser()   {}
func (AskAnswer) fromBrowser()   {}
func (Ack) fromBrowser()         {}
func (Pong) fromBrowser()        {}

// ToBrowser is a frame of the server: a closed set, one Go type for each line of the table in the
// package comment. The fields t, n and c are written by the outbox when the frame leaves.
//
//sumtype:decl
type ToBrowser interface {
	// kind is the value of the field t.
	kind() string
}

// Welcome answers hello. C is the highest number received from this browser.
type Welcome struct {
	Token   string `json:"token"`
	Resumed bool   `json:"resumed"`
	C       uint64 `json:"c"`
	GraceMS int64  `json:"grace_ms"`
	Age     string `json:"age"`
}

// Puzzle asks for work before the find numbered Of.
type Puzzle struct {
	Of        uint64 `json:"of"`
	Challenge string `json:"challenge"`
	Bits      int    `json:"bits"`
	WithinMS  int64  `json:"within_ms"`
}

// Held says that the device is in cooldown.
type Held struct {
	Of      uint64   `json:"of"`
	UntilMS int64    `json:"until_ms"`
	Reasons []string `json:"reasons"`
}

// Queued tells how the search stands.
type Queued struct {
	Place    string       `json:"place"`
	SinceMS  int64        `json:"since_ms"`
	WidensMS int64        `json:"widens_ms"`
	Steps    []QueuedStep `json:"steps"`
	Wait     *QueuedWait  `json:"wait"`
	Waiting  *int         `json:"waiting"`
}

// QueuedStep is one step of the widening schedule.
type QueuedStep struct {
	AtMS int64  `json:"at_ms"`
	Look string `json:"look"`
}

// QueuedWait is what searches like this one took of late.
type QueuedWait struct {
	P50MS int64 `json:"p50_ms"`
	P90MS int64 `json:"p90_ms"`
}

// Cancelled answers cancel and decline.
type Cancelled struct{}

// Expired says that nobody came.
type Expired struct{}

// Matched offers a peer.
type Matched struct {
	Match    string   `json:"match"`
	Role     Role     `json:"role"`
	Shared   []string `json:"shared"`
	Language string   `json:"language"`
	WithinMS int64    `json:"within_ms"`
}

// Aborted says that an offered match came to nothing.
type Aborted struct {
	Why AbortWhy `json:"why"`
}

// Connected opens the call.
type Connected struct {
	Room     string   `json:"room"`
	Me       string   `json:"me"`
	Peer     string   `json:"peer"`
	Role     Role     `json:"role"`
	Ice      Ice      `json:"ice"`
	Handle   string   `json:"handle"`
	Avoid    string   `json:"avoid"`
	Pass     string   `json:"pass"`
	Shared   []string `json:"shared"`
	Language string   `json:"language"`
}

// Ice is what a browser needs to reach the relay.
type Ice struct {
	Servers []IceServer `json:"servers"`
	TTLMS   int64       `json:"ttl_ms"`
}

// IceServer is one entry for RTCPeerConnection.
type IceServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username"`
	Credential string   `json:"credential"`
}

// Peer tells that the peer's socket was lost or is back.
type Peer struct {
	State PeerState `json:"state"`
}

// Ended closes the call.
type Ended struct {
	Why EndWhy `json:"why"`
}

// FreshRelays answers relays.
type FreshRelays struct {
	Ice Ice `json:"ice"`
}

// Reported answers report.
type Reported struct {
	Avoid string     `json:"avoid"`
	Next  ReportNext `json:"next"`
}

// Blocked answers block.
type Blocked struct {
	Avoid string `json:"avoid"`
}

// Standing answers AskStanding.
type Standing struct {
	Band      string   `json:"band"`
	UntilMS   int64    `json:"until_ms"`
	Reasons   []string `json:"reasons"`
	ExpiresMS int64    `json:"expires_ms"`
	Records   bool     `json:"records"`
	Stored    []string `json:"stored"`
}

// Erased answers Erase.
type Erased struct{}

// Review answers AskReview.
type Review struct {
	Code string `json:"code"`
}

// ReviewAnswer answers AskAnswer.
type ReviewAnswer struct {
	State string `json:"state"`
}

// Refused is the error frame: the frame numbered Of changed nothing. WaitMS, with [TooMany], is
// after what time the same may be asked for again.
type Refused struct {
	Of     uint64    `json:"of"`
	Code   ErrorCode `json:"code"`
	Text   string    `json:"text"`
	WaitMS int64     `json:"wait_ms,omitzero"`
}

// Acked acknowledges the browser's frames when the server has nothing else to say. Its only field,
// c, is written by the outbox.
type Acked struct{}

// Ping asks whether the browser is there, and shows the browser that the server is.
type Ping struct{}

// Notice is a hint without a number.
type Notice struct {
	Code NoticeCode `json:"code"`
	Text string     `json:"text"`
}

// Drain says that this node stops.
type Drain struct {
	WithinMS int64 `json:"within_ms"`
}

func (Welcome) kind() string      { return "welcome" }
func (Puzzle) kind() string       { return "puzzle" }
func (Held) kind() string         { return "held" }
func (Queued) kind() string       { return "queued" }
func (Cancelled) kind() string    { return "cancelled" }
func (Expired) kind() string      { return "expired" }
func (Matched) kind() string      { return "matched" }
func (Aborted) kind() string      { return "aborted" }
func (Connected) kind() string    { return "connected" }
func (Peer) kind() string         { return "peer" }
func (Ended) kind() string        { return "ended" }
func (FreshRelays) kind() string  { return "relays" }
func (Reported) kind() string     { return "reported" }
func (Blocked) kind() string      { return "blocked" }
func (Standing) kind() string     { return "standing" }
func (Erased) kind() string       { return "erased" }
func (Review) kind() string       { return "review" }
func (ReviewAnswer) kind() string { return "answer" }
func (Refused) kind() string      { return "error" }
func (Acked) kind() string        { return "ack" }
func (Ping) kind() string         { return "ping" }
func (Notice) kind() string       { return "notice" }
func (Drain) kind() string        { return "drain" }

// Role says who of two makes the WebRTC offer.
type Role string

// The roles.
const (
	Offer  Role = "offer"
	Answer Role = "answer"
)

// AbortWhy is why an offered match came to nothing.
type AbortWhy string

// The reasons of Aborted.
const (
	AbortPeer AbortWhy = "peer" // the peer did not confirm, or left: the search goes on
	AbortLate AbortWhy = "late" // this browser did not confirm: the search is over
)

// EndWhy is why a call ended.
type EndWhy string

// The reasons of Ended.
const (
	EndLeft     EndWhy = "left"
	EndPeerLeft EndWhy = "peer_left"
	EndPeerLost EndWhy = "peer_lost"
	EndExpired  EndWhy = "expired" // nobody came to the link
	EndOver     EndWhy = "over"    // the private room has ended meanwhile
)

// ReportNext says what comes of a report.
type ReportNext string

// What comes of a report.
const (
	Counted       ReportNext = "counted"
	CountedBefore ReportNext = "counted_before" // this pair's report of the last 30 days counts already
)

// PeerState tells whether the peer's socket is there.
type PeerState string

// The states of Peer.
const (
	PeerAway PeerState = "away"
	PeerBack PeerState = "back"
)

// NoticeCode names a hint.
type NoticeCode string

// The hints.
const (
	SlowDown  NoticeCode = "slow_down"  // frames come faster than they are read
	StoreAway NoticeCode = "store_away" // a search waits for the store to come back
	Paused    NoticeCode = "paused"     // a search waits until operators let matching go on
)
