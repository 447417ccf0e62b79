package signaling

// CloseCode is why the server closed a socket. 4000 to 4499: come back and resume. 4500 to 4999:
// do not come back by itself. The table in the package comment says what to do on each.
type CloseCode int

// The close codes. 1009 is the one of RFC 6455 that we use.
const (
	CloseTooBig   CloseCode = 1009
	CloseDrain    CloseCode = 4001
	CloseSlow     CloseCode = 4008
	CloseSilent   CloseCode = 4009
	CloseBadHello CloseCode = 4500
	CloseReplaced CloseCode = 4501
	CloseBinary   CloseCode = 4510
	CloseVersion  CloseCode = 4526 // never on the wire: a refused upgrade has HTTP status 400
)

// Text is the one sentence of the close frame.
func (c CloseCode) Text() string {
	switch c {
	case CloseTooBig:
		return "frame over 48 KiB or envelope over 32 KiB"
	case CloseDrain:
		return "this node stops: come back"
	case CloseSlow:
		return "you did not read fast enough: come back"
	case CloseSilent:
		return "no pong in 10 s: come back"
	case CloseBadHello:
		return "the first frame must be a valid hello, within 10 s"
	case CloseReplaced:
		return "the same session came on another socket"
	case CloseBinary:
		return "binary frames are not spoken here"
	case CloseVersion:
		return "this server speaks " + Subprotocol + ": reload the page"
	}
	return ""
}

// ErrorCode says in an error frame why a frame was refused.
type ErrorCode string

// The error codes. The table in the package comment says what to do on each.
const (
	BadFrame    ErrorCode = "bad_frame"
	BadValue    ErrorCode = "bad_value"
	BadState    ErrorCode = "bad_state"
	BadMatch    ErrorCode = "bad_match"
	BadProof    ErrorCode = "bad_proof"
	BadHandle   ErrorCode = "bad_handle"
	NoMember    ErrorCode = "no_member"
	PeerBusy    ErrorCode = "peer_busy"
	TooMany     ErrorCode = "too_many"
	Unavailable ErrorCode = "unavailable"
)

// CloseCodes returns every code that stands in the table.
func CloseCodes() []CloseCode {
	return []CloseCode{
		CloseTooBig, CloseDrain, CloseSlow, CloseSilent, CloseBadHello, CloseReplaced, CloseBinary, CloseVersion,
	}
}

// ErrorCodes returns every code that stands in the table.
func ErrorCodes() []ErrorCode {
	return []ErrorCode{BadFrame, BadValue, BadState, BadMatch, BadProof, BadHandle, NoMember, PeerBusy, TooMany, Unavailable}
}
