package simulate

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"
)

// Subprotocol is the only one that is spoken.
const Subprotocol = "parley.v1"

// outgoing is a frame for the server without what is known only when it leaves: c and a.
type outgoing struct {
	kind string
	rest string // the other fields, with a comma in front of each
	seq  uint64 // of an envelope
	k    uint64 // of the text in it
}

// head is what every frame of the server may have.
type head struct {
	T string `json:"t"`
	N uint64 `json:"n"`
	C uint64 `json:"c"`
}

func (h head) common() head { return h }

// frame is a frame of the server.
type frame interface{ common() head }

type (
	plain   struct{ head } // cancelled, expired, ack, ping
	welcome struct {
		head
		Token   string `json:"token"`
		Resumed bool   `json:"resumed"`
		GraceMS int64  `json:"grace_ms"`
		Age     string `json:"age"`
	}
	puzzle struct {
		head
		Of        uint64 `json:"of"`
		Challenge string `json:"challenge"`
		Bits      int    `json:"bits"`
		WithinMS  int64  `json:"within_ms"`
	}
	held struct {
		head
		Of      uint64   `json:"of"`
		UntilMS int64    `json:"until_ms"`
		Reasons []string `json:"reasons"`
	}
	queued struct {
		head
		Place    string `json:"place"`
		SinceMS  int64  `json:"since_ms"`
		WidensMS int64  `json:"widens_ms"`
		Steps    []step `json:"steps"`
		Wait     *waits `json:"wait"`
		Waiting  *int   `json:"waiting"`
	}
	step struct {
		AtMS int64  `json:"at_ms"`
		Look string `json:"look"`
	}
	waits struct {
		P50MS int64 `json:"p50_ms"`
		P90MS int64 `json:"p90_ms"`
	}
	matched struct {
		head
		Match    string   `json:"match"`
		Role     string   `json:"role"`
		Shared   []string `json:"shared"`
		Language string   `json:"language"`
		WithinMS int64    `json:"within_ms"`
	}
	because struct { // aborted, ended
		head
		Why string `json:"why"`
	}
	connected struct {
		head
		Room     string   `json:"room"`
		Me       string   `json:"me"`
		Peer     string   `json:"peer"`
		Role     string   `json:"role"`
		Ice      ice      `json:"ice"`
		Handle   string   `json:"handle"`
		Avoid    string   `json:"avoid"`
		Pass     string   `json:"pass"`
		Shared   []string `json:"shared"`
		Language string   `json:"language"`
	}
	ice struct {
		Servers []relayServer `json:"servers"`
		TTLMS   int64         `json:"ttl_ms"`
	}
	relayServer struct {
		URLs       []string `json:"urls"`
		Username   string   `json:"username"`
		Credential string   `json:"credential"`
	}
	relayed struct {
		head
		From string `json:"from"`
		Seq  uint64 `json:"seq"`
		Box  string `json:"box"`
	}
	peerIs struct {
		head
		State string `json:"state"`
	}
	relays struct {
		head
		Ice ice `json:"ice"`
	}
	avoided struct { // reported, blocked
		head
		Avoid string `json:"avoid"`
		Next  string `json:"next"`
	}
	refusal struct {
		head
		Of   uint64 `json:"of"`
		Code string `json:"code"`
		Text string `json:"text"`
	}
	notice struct {
		head
		Code string `json:"code"`
		Text string `json:"text"`
	}
	drain struct {
		head
		WithinMS int64 `json:"within_ms"`
	}
)

// decode reads a frame of the server. An unknown type or field is an error: a server that
// speaks otherwise is not what this client was written for.
func decode(b []byte) (frame, error) {
	kind, ok := bytes.CutPrefix(b, []byte(`{"t":"`))
	end := bytes.IndexByte(kind, '"')
	if !ok || end < 0 {
		return nil, errors.New("a frame does not begin with its type")
	}
	switch string(kind[:end]) {
	case "relay":
		return decodeAs[relayed](b)
	case "ack", "ping", "cancelled", "expired":
		return decodeAs[plain](b)
	case "welcome":
		return decodeAs[welcome](b)
	case "puzzle":
		return decodeAs[puzzle](b)
	case "held":
		return decodeAs[held](b)
	case "queued":
		return decodeAs[queued](b)
	case "matched":
		return decodeAs[matched](b)
	case "aborted", "ended":
		return decodeAs[because](b)
	case "connected":
		return decodeAs[connected](b)
	case "peer":
		return decodeAs[peerIs](b)
	case "relays":
		return decodeAs[relays](b)
	case "reported", "blocked":
		return decodeAs[avoided](b)
	case "error":
		return decodeAs[refusal](b)
	case "notice":
		return decodeAs[notice](b)
	case "drain":
		return decodeAs[drain](b)
	}
	return nil, fmt.Errorf("a frame of the unknown type %.32q", kind[:end])
}

func decodeAs[T frame](b []byte) (frame, error) {
	var f T
	if err := json.Unmarshal(b, &f, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("a frame that is not understood: %w", err)
	}
	return f, nil
}

// hello is the first frame on a socket.
func hello(token string, last uint64, who device) []byte {
	return fmt.Appendf(nil, `{"t":"hello","token":"%s","last":%d,"device":"%s","digest":"%s","age":"%s"}`, token, last, who.token, who.digest, who.age)
}

func pong() []byte { return []byte(`{"t":"pong"}`) }

func ack(a uint64) []byte { return fmt.Appendf(nil, `{"t":"ack","a":%d}`, a) }

// bare is a frame without fields: cancel, leave, relays.
func bare(kind string) outgoing { return outgoing{kind: kind} }

// with is a frame of one text field.
func with(kind, field, value string) outgoing {
	return outgoing{kind: kind, rest: `,"` + field + `":"` + value + `"`}
}

func report(handle, reason string) outgoing {
	return outgoing{kind: "report", rest: `,"handle":"` + handle + `","reason":"` + reason + `"`}
}

func envelopeTo(to string, seq uint64, box string) outgoing {
	return outgoing{kind: "relay", seq: seq, rest: `,"to":"` + to + `","seq":` + strconv.FormatUint(seq, 10) + `,"box":"` + box + `"`}
}

// choices are what somebody searches with.
type choices struct {
	Languages []string `json:"languages"`
	Interests []string `json:"interests"`
	Widen     bool     `json:"widen"`
	Avoid     []string `json:"avoid"`
	Place     string   `json:"place"`
	Proof     string   `json:"proof"`
}

func find(c choices) (outgoing, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return outgoing{}, fmt.Errorf("find: %w", err)
	}
	return outgoing{kind: "find", rest: "," + string(b[1:len(b)-1])}, nil
}

// stamp writes the frame as it leaves, in the order that the server reads fastest.
func (o outgoing) stamp(c, a uint64) []byte {
	b := make([]byte, 0, len(o.kind)+len(o.rest)+64)
	b = append(b, `{"t":"`...)
	b = append(b, o.kind...)
	b = append(b, `","c":`...)
	b = strconv.AppendUint(b, c, 10)
	b = append(b, `,"a":`...)
	b = strconv.AppendUint(b, a, 10)
	b = append(b, o.rest...)
	return append(b, '}')
}
