package signaling

import (
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"
)

// frame is a frame of the server without what is only known when it leaves: n and c.
type frame struct {
	kind string
	from string // relay only: who sent it
	tail []byte // the fields and the closing brace; for a relay the sender's own bytes
}

// size is about how many bytes the frame has on the wire.
func (f frame) size() int { return len(f.kind) + len(f.from) + len(f.tail) + 48 }

// frameOf marshals all fields of m but t, n and c.
func frameOf(m ToBrowser) frame {
	body, err := json.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("signaling: encode %s: %v", m.kind(), err)) // our own types always marshal
	}
	return frame{kind: m.kind(), tail: body[1:]}
}

// bare is the whole frame without numbers.
func (f frame) bare() []byte { return append(f.appendHead(nil, 0, 0), f.tail...) }

// appendHead appends everything before the tail. n is 0 in frames without a number, c when there
// is nothing to acknowledge.
func (f frame) appendHead(b []byte, n, c uint64) []byte {
	b = append(b, `{"t":"`...)
	b = append(b, f.kind...)
	b = append(b, '"')
	if n > 0 {
		b = append(b, `,"n":`...)
		b = strconv.AppendUint(b, n, 10)
	}
	if c > 0 {
		b = append(b, `,"c":`...)
		b = strconv.AppendUint(b, c, 10)
	}
	if f.from != "" {
		b = append(b, `,"from":"`...)
		b = append(b, f.from...)
		b = append(b, '"')
	}
	if len(f.tail) > 1 {
		b = append(b, ',')
	}
	return b
}
