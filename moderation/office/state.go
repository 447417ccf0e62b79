package office

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"parley/moderation/score"
	"parley/retention"
)

// Holding is the policy that holds, and how it came to.
type Holding struct {
	Revision int64        `json:"revision"`
	Preset   string       `json:"preset"` // its name, "" for an operator's own
	Policy   score.Policy `json:"policy"`
	Who      string       `json:"who"` // "" as long as nobody has set one
	When     time.Time    `json:"when"`
	Reason   string       `json:"reason"`
}

// Pause says whether anybody is matched at present.
type Pause struct {
	Paused bool      `json:"paused"`
	Who    string    `json:"who"`
	When   time.Time `json:"when"`
	Reason string    `json:"reason"`
}

// State is what all nodes share.
type State struct {
	Holding Holding
	Pause   Pause
	Head    Anchor // the last line of the trail
}

// The fields of the policy's record.
const (
	fieldRevision = "revision"
	fieldPolicy   = "policy"
	fieldWho      = "who"
	fieldWhen     = "when"
	fieldReason   = "reason"
	fieldPaused   = "paused" // 1 or 0
	fieldPauser   = "paused_who"
	fieldPausedAt = "paused_when"
	fieldPausedBy = "paused_reason"
	fieldSeq      = "trail_seq"
	fieldHash     = "trail_hash"
)

// State reads what holds now. Error: [ErrUnavailable].
func (o *Office) State(ctx context.Context) (State, error) {
	fields, err := o.rdb.HGetAll(ctx, retention.Policy.Key()).Result()
	if err != nil {
		return State{}, unavailable("read the policy", err)
	}
	return readState(fields)
}

// Current is [Office.State] for those who go on without a policy that can be read: the balanced one
// stands in for one that another version wrote, so that it can be looked at and replaced. Error:
// [ErrUnavailable].
func (o *Office) Current(ctx context.Context) (State, error) {
	s, err := o.State(ctx)
	if errors.Is(err, ErrUnavailable) {
		return s, err
	}
	return s, nil
}

// readState reads the fields as Redis holds them. Without a record the balanced policy holds.
func readState(fields map[string]string) (State, error) {
	s := State{
		Holding: Holding{Who: fields[fieldWho], When: date(fields[fieldWhen]), Reason: fields[fieldReason]},
		Pause: Pause{
			Paused: fields[fieldPaused] == "1",
			Who:    fields[fieldPauser], When: date(fields[fieldPausedAt]), Reason: fields[fieldPausedBy],
		},
		Head: Anchor{number(fields[fieldSeq]), fields[fieldHash]},
	}
	s.Holding.Revision = number(fields[fieldRevision])
	var err error
	if s.Holding.Policy, err = score.Preset(score.Default); err != nil {
		return s, err
	}
	if text, set := fields[fieldPolicy]; set {
		p, wrong := score.Parse(s.Holding.Policy, []byte(text))
		if err = errors.Join(wrong, p.CheckRange()); err == nil {
			s.Holding.Policy = p
		}
	}
	if err != nil {
		return s, fmt.Errorf("the policy in Redis, revision %d: %w", s.Holding.Revision, err)
	}
	s.Holding.Preset = presetOf(s.Holding.Policy)
	return s, nil
}

// presetOf returns the name of the preset that p is, "" if it is none.
func presetOf(p score.Policy) string {
	for _, name := range score.Presets() {
		if preset, err := score.Preset(name); err == nil && preset == p {
			return name
		}
	}
	return ""
}

// number reads a field that a script of ours wrote; one that is missing is 0.
func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

func date(text string) time.Time {
	at, _ := time.Parse(time.RFC3339, text)
	return at
}

// told is v as it stands in the trail. All that is given to it is of this package and can be written.
func told(v any) jsontext.Value {
	text, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		panic(fmt.Sprintf("office: %v", err)) // only if a type of ours could not be written
	}
	return text
}
