package office

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"parley/moderation/score"
)

// Order is who orders something, when, and why.
type Order struct {
	Who    string
	When   time.Time
	Reason string
}

func (by Order) entry(act Act) Entry {
	return Entry{When: by.When, Who: by.Who, Act: act, Reason: by.Reason}
}

// policyLine is a policy as the trail tells it.
type policyLine struct {
	Revision int64        `json:"revision"`
	Policy   score.Policy `json:"policy"`
}

// SetPolicy makes p hold if revision still does. What it changes is computed anew and stands in the
// trail with it, and is returned. Errors: [ErrReason], [ErrTrail], [ErrUnavailable],
// [ConflictError], [ErrPolicy].
func (o *Office) SetPolicy(ctx context.Context, p score.Policy, revision int64, by Order) (Preview, error) {
	if err := checkPolicy(p); err != nil {
		return Preview{}, err
	}
	s, err := o.Current(ctx)
	switch {
	case err != nil:
		return Preview{}, err
	case s.Holding.Revision != revision:
		return Preview{}, s.Holding.conflict()
	}
	preview, err := o.previewNow(ctx, s.Holding.Policy, p, by.When)
	if err != nil {
		return Preview{}, err
	}
	next := revision + 1
	e := by.entry(ActPolicy)
	e.Old = told(policyLine{revision, s.Holding.Policy})
	e.New = told(policyLine{next, p})
	e.Preview = told(preview.Public())
	err = o.do(ctx, deed{
		Entry: e, saw: strconv.FormatInt(revision, 10),
		fields: []any{
			fieldRevision, next, fieldPolicy, string(told(p)),
			fieldWho, by.Who, fieldWhen, by.When.UTC().Format(time.RFC3339), fieldReason, by.Reason,
		},
	})
	if err != nil {
		return Preview{}, err
	}
	o.people.drop()
	o.catchUp(ctx)
	return preview, nil
}

func checkPolicy(p score.Policy) error {
	if err := p.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrPolicy, err)
	}
	return nil
}

// SetPause pauses matching on all nodes, or lets it go on.
func (o *Office) SetPause(ctx context.Context, paused bool, by Order) error { //nolint:revive // it is the value that is set, not how
	value := "0"
	if paused {
		value = "1"
	}
	type line struct {
		Paused bool `json:"paused"`
	}
	e := by.entry(ActPause)
	e.Old, e.New = told(line{o.Paused()}), told(line{paused})
	err := o.do(ctx, deed{Entry: e, fields: []any{
		fieldPaused, value, fieldPauser, by.Who, fieldPausedAt, by.When.UTC().Format(time.RFC3339), fieldPausedBy, by.Reason,
	}})
	if err == nil {
		o.catchUp(ctx)
	}
	return err
}

// TokenAct is the line of the trail which says that name was given a token, or lost it.
func TokenAct(name string, given bool, by Order) Entry { //nolint:revive // it is what is told, not how
	type line struct {
		Name  string `json:"name"`
		Token string `json:"token"`
	}
	e := by.entry(ActToken)
	if e.New = told(line{name, "made"}); !given {
		e.New = told(line{name, "removed"})
	}
	return e
}

// RelayLogAct is the line of the trail which says that the relay log was read.
func RelayLogAct(by Order) Entry { return by.entry(ActRelayLog) }

// Record writes an act down, and then does it. Errors: [ErrReason], [ErrTrail], [ErrUnavailable],
// or what then says, in which case a further line tells that it failed.
func (o *Office) Record(ctx context.Context, e Entry, then func(context.Context) error) error {
	return o.do(ctx, deed{Entry: e, then: then})
}

// catchUp takes up on this node at once what was just set; the others look within two seconds.
func (o *Office) catchUp(ctx context.Context) {
	if s, err := o.State(ctx); err == nil {
		o.takeUp(ctx, s)
	}
}

// Begin starts a new trail in place of one that cannot go on, which is put aside under the name
// that is returned. The first line of the new one holds the head that Redis remembered.
func (o *Office) Begin(ctx context.Context, by Order) (aside string, err error) {
	if _, err := checkReason(by.Reason); err != nil {
		return "", err
	}
	s, err := o.Current(ctx)
	if err != nil {
		return "", err
	}
	if aside, err = o.trail.setAside(by.When); err != nil {
		return "", err
	}
	l, err := o.trail.lock(ctx)
	if err != nil {
		return aside, err
	}
	defer l.close()
	e := by.entry(ActBegin)
	e.Old = told(s.Head)
	head, err := l.append(e)
	if err != nil {
		return aside, err
	}
	switch said, err := o.effect(ctx, s.Head, head, deed{}); {
	case err != nil:
		return aside, err
	case said != "done":
		return aside, errMeanwhile()
	}
	return aside, nil
}

// History returns the newest lines of the trail first, and what is wrong with it, nil if nothing.
func (o *Office) History(ctx context.Context, n int) (lines []Line, broken error) {
	lines, err := o.trail.Last(n)
	if err != nil {
		return lines, err
	}
	_, err = o.Verify(ctx)
	return lines, err
}

// Verify checks the trail against itself and against Redis, and returns its head.
func (o *Office) Verify(ctx context.Context) (Anchor, error) {
	s, err := o.Current(ctx)
	if err != nil {
		return Anchor{}, err
	}
	return o.trail.Verify(s.Head)
}
