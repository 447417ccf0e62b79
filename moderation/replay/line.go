package replay

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"parley/moderation/score"
)

// line is one line of a history, of any kind.
type line struct {
	Op       string         `json:"op"`
	T        int64          `json:"t"`
	D        device         `json:"d"`
	A        device         `json:"a"`
	B        device         `json:"b"`
	Target   device         `json:"target"`
	Reporter device         `json:"reporter"`
	Reason   string         `json:"reason"`
	Sec      float64        `json:"sec"`
	Preset   string         `json:"preset"`
	Set      jsontext.Value `json:"set"`
}

// device is who acts. The zero name stands for one that was not given.
type device struct {
	Inst name `json:"inst"`
	FP   name `json:"fp"`
	Net  name `json:"net"`
	New  bool `json:"new"`
}

// name is an opaque name of 64 bits.
type name struct {
	id    score.ID
	given bool
}

var errName = errors.New("a name has 16 lower-case hexadecimal digits")

// UnmarshalJSONFrom reads a name.
func (n *name) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	v, err := dec.ReadValue()
	if err != nil {
		return err //nolint:wrapcheck // the decoder says where
	}
	if len(v) != 18 || v[0] != '"' {
		return errName
	}
	for _, c := range v[1:17] {
		if c >= 'A' && c <= 'F' {
			return errName
		}
	}
	if _, err := hex.Decode(n.id[:], v[1:17]); err != nil {
		return errName
	}
	n.given = true
	return nil
}

// same tells whether both are known and equal.
func (n name) same(o name) bool { return n.given && o.given && n.id == o.id }

const (
	noTime = math.MinInt64
	// lastTime is so far off that no sum of times overflows.
	lastTime = 1 << 40
)

// parse reads a line. l must be zero.
func (l *line) parse(text []byte) error {
	l.T = noTime
	err := json.Unmarshal(text, l)
	if err == nil {
		return l.check()
	}
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return errors.New("the line is not a JSON object: " + strings.TrimPrefix(err.Error(), "jsontext: "))
	}
	where := strings.ReplaceAll(strings.TrimPrefix(string(semantic.JSONPointer), "/"), "/", ".")
	switch {
	case where == "":
		return errors.New("the line is not a JSON object")
	case errors.Is(err, errName):
		return fmt.Errorf("%s: %w", where, errName)
	default:
		return fmt.Errorf("%s has a value of the wrong kind", where)
	}
}

// check refuses what no operation takes.
func (l *line) check() error {
	switch l.Op {
	case "policy":
		return nil
	case "band":
		return errors.Join(l.timed(), l.D.check("d"))
	case "report":
		return errors.Join(l.timed(), l.Target.check("target"), l.Reporter.check("reporter"), differ("target", l.Target, "reporter", l.Reporter))
	case "end":
		return errors.Join(l.timed(), l.A.check("a"), l.B.check("b"), differ("a", l.A, "b", l.B))
	case "":
		return errors.New("op is missing; there are policy, band, report and end")
	}
	return fmt.Errorf("op %q is unknown; there are policy, band, report and end", l.Op)
}

func (l *line) timed() error {
	switch {
	case l.T == noTime:
		return errors.New("t is missing; give Unix seconds")
	case l.T < 0 || l.T > lastTime:
		return fmt.Errorf("t is %d; give Unix seconds, from 0 to %d", l.T, int64(lastTime))
	case l.Sec < 0:
		return errors.New("sec is negative")
	}
	return nil
}

func (d *device) check(field string) error {
	if !d.Inst.given {
		return fmt.Errorf("%s.inst is missing", field)
	}
	return nil
}

func differ(one string, a device, other string, b device) error {
	if a.Inst.same(b.Inst) {
		return fmt.Errorf("%s and %s are the same install", one, other)
	}
	return nil
}
