package office

import (
	"context"
	_ "embed" // the scripts stand in files beside this one
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/moderation"
	"parley/moderation/score"
	"parley/retention"
)

//go:embed lua/act.lua
var actLua string

const (
	// every is how often a node looks whether an operator has acted elsewhere.
	every = 2 * time.Second
	// answerWithin is how long Redis may take for one question.
	answerWithin = 2 * time.Second
)

// Config is what an office needs.
type Config struct {
	Redis redis.UniversalClient
	Desk  *moderation.Desk // keeps the records
	Trail *Trail
	// Apply is told of each policy that comes to hold; nil where nobody judges, as in the shell.
	Apply func(score.Policy, int64)
	Log   *slog.Logger
}

// Office does what operators order. Safe for concurrent use.
type Office struct {
	rdb   redis.UniversalClient
	desk  *moderation.Desk
	trail *Trail
	apply func(score.Policy, int64)
	log   *slog.Logger
	act   *redis.Script

	paused  atomic.Bool
	holding atomic.Int64 // the revision that was applied last, -1 none
	people  population
}

// New returns an office. It asks Redis nothing yet.
func New(cfg Config) *Office {
	o := &Office{rdb: cfg.Redis, desk: cfg.Desk, trail: cfg.Trail, apply: cfg.Apply, log: cfg.Log, act: redis.NewScript(actLua)}
	if o.apply == nil {
		o.apply = func(score.Policy, int64) {}
	}
	o.holding.Store(-1)
	return o
}

// TrailPath returns where the trail is.
func (o *Office) TrailPath() string { return o.trail.path }

// Paused tells whether an operator has paused matching, as this node saw it last.
func (o *Office) Paused() bool { return o.paused.Load() }

// Run takes up what operators do on any node, until ctx ends.
func (o *Office) Run(ctx context.Context) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	said := ""
	for {
		said = o.follow(ctx, said)
		o.people.forget(time.Now())
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// follow reads what holds and takes it up. It returns what it complained of, and complains of the same
// thing once.
func (o *Office) follow(ctx context.Context, said string) string {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	s, err := o.State(ctx)
	switch {
	case errors.Is(err, ErrUnavailable):
		return said // the watch of the store tells
	case err != nil:
		if err.Error() != said {
			o.log.LogAttrs(ctx, slog.LevelError, "the policy in the store cannot be used, so the one before it holds on this node", slog.Any("error", err))
		}
		o.paused.Store(s.Pause.Paused)
		return err.Error()
	}
	o.takeUp(ctx, s)
	return ""
}

// takeUp makes this node act by what holds.
func (o *Office) takeUp(ctx context.Context, s State) {
	if was := o.paused.Swap(s.Pause.Paused); was != s.Pause.Paused {
		o.log.LogAttrs(ctx, slog.LevelWarn, "an operator paused or resumed matching", slog.Bool("paused", s.Pause.Paused))
	}
	if was := o.holding.Swap(s.Holding.Revision); was != s.Holding.Revision {
		o.apply(s.Holding.Policy, s.Holding.Revision)
		o.log.LogAttrs(ctx, slog.LevelInfo, "policy taken up", slog.Int64("revision", s.Holding.Revision))
	}
}

// deed is one act, ready to be done.
type deed struct {
	Entry
	saw    string // revision that the operator saw, "" when the act does not depend on it
	fields []any  // what is set in the policy's record, names and values
	then   func(context.Context) error
}

// do writes an act down and lets it take effect. The file of the trail stays locked all the while: two
// acts at once are two lines in the order in which they took effect.
func (o *Office) do(ctx context.Context, d deed) error {
	var err error
	if d.Reason, err = checkReason(d.Reason); err != nil {
		return err
	}
	l, err := o.trail.lock(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	s, err := o.anchored(ctx, l)
	if err != nil {
		return err
	}
	if d.saw != "" && d.saw != strconv.FormatInt(s.Holding.Revision, 10) {
		return s.Holding.conflict()
	}
	head, err := l.append(d.Entry)
	if err != nil {
		return err
	}
	said, err := o.effect(ctx, s.Head, head, d)
	switch {
	case err != nil:
		// It may have taken effect or not; the trail tells that it was tried, and the next look at the
		// policy tells the rest.
		return fmt.Errorf("%w; whether it took effect shows when the store is back", err)
	case said == "revision":
		return errors.Join(o.conflict(ctx), o.failed(ctx, l, s.Head, d, "another operator was faster"))
	case said != "done":
		return errMeanwhile()
	}
	if d.then == nil {
		return nil
	}
	if err := d.then(ctx); err != nil {
		return errors.Join(err, o.failed(ctx, l, head, d, err.Error()))
	}
	return nil
}

// errMeanwhile says that the trail which Redis remembers is not the one that was read.
func errMeanwhile() error {
	return fmt.Errorf("%w: another trail was written to at the same moment", ErrTrail)
}

// anchored reads what holds, and makes sure that the trail at hand is the one that Redis remembers.
func (o *Office) anchored(ctx context.Context, l *locked) (State, error) {
	s, err := o.Current(ctx)
	if err != nil {
		return s, err
	}
	if err := l.trail.holds(s.Head); err != nil {
		return s, fmt.Errorf("%w: %s: %w", ErrTrail, o.trail.path, err)
	}
	return s, nil
}

// effect lets an act take effect in Redis, and the trail's new head with it.
func (o *Office) effect(ctx context.Context, before, head Anchor, d deed) (string, error) {
	args := append([]any{before.Hash, head.Seq, head.Hash, d.saw}, d.fields...)
	said, err := o.act.Run(ctx, o.rdb, []string{retention.Policy.Key()}, args...).Text()
	if err != nil {
		return "", unavailable("act", err)
	}
	return said, nil
}

// failed notes that the act of the line before had no effect.
func (o *Office) failed(ctx context.Context, l *locked, before Anchor, d deed, says string) error {
	head, err := l.append(failure(l.trail.head.Seq, d.Entry, says))
	if err != nil {
		return err
	}
	_, err = o.effect(ctx, before, head, deed{})
	return err
}

// failure is the line which says that the act e, in line seq, had no effect.
func failure(seq int64, e Entry, says string) Entry {
	return Entry{
		When: time.Now(), Who: e.Who, Act: ActFailed, Reason: e.Reason,
		New: told(struct {
			Line int64  `json:"line"`
			Says string `json:"says"`
		}{seq, says}),
	}
}

// conflict tells who was faster.
func (o *Office) conflict(ctx context.Context) error {
	s, err := o.State(ctx)
	if err != nil {
		return err
	}
	return s.Holding.conflict()
}

func (h Holding) conflict() error {
	return &ConflictError{Holding: h}
}

// unavailable marks err, which came from Redis.
func unavailable(doing string, err error) error {
	return fmt.Errorf("%s: %w: %w", doing, ErrUnavailable, err)
}
