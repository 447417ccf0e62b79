package retention

import (
	"context"
	"crypto/rand"
	_ "embed" // the scripts stand in files beside this one
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// GlancePace is how many keys of a server are looked at in a second for everybody to be told;
	// bench/README.md has what that costs.
	GlancePace = 1500
	// glanceEvery is the pause between two counts, and how long a node leaves it to others after one of
	// its own has failed.
	glanceEvery = 5 * time.Minute
	// lookEvery is how often a node looks what was counted.
	lookEvery = 10 * time.Second
	// answerTime is how long Redis may take for one small script.
	answerTime = 2 * time.Second
)

//go:embed lua/look.lua
var lookLua string

//go:embed lua/stay.lua
var stayLua string

//go:embed lua/counted.lua
var countedLua string

// errLost says that another node may be counting.
var errLost = errors.New("the count took longer than its lease: another node may be at it")

// Glance keeps in memory what was counted last, so that whoever asks never touches Redis. Of all nodes
// on a Redis one counts at a time, for all of them: what it has counted lies in Redis ([Counts]), and
// every node reads it from there.
type Glance struct {
	rdb  redis.UniversalClient
	log  *slog.Logger
	pace int // keys of a server in a second
	last atomic.Pointer[Outline]

	// Of whoever looks.
	text string    // what last was read from
	rest time.Time // until then this node does not count
}

// NewGlance returns a glance that has not looked yet; [Glance.Run] does.
func NewGlance(rdb redis.UniversalClient, log *slog.Logger) *Glance {
	return &Glance{rdb: rdb, log: log, pace: GlancePace}
}

// Last returns what was counted last, and false when nothing was yet. Safe for concurrent use.
func (g *Glance) Last() (Outline, bool) {
	if o := g.last.Load(); o != nil {
		return *o, true
	}
	return Outline{}, false
}

// Run looks every few seconds until ctx ends.
func (g *Glance) Run(ctx context.Context) error {
	tick := time.NewTimer(0)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if err := g.Look(ctx); err != nil && ctx.Err() == nil { // of a Redis that is away the watch of the store complains
			g.log.LogAttrs(ctx, slog.LevelDebug, "what is remembered could not be counted", slog.Any("error", err))
		}
		tick.Reset(lookEvery)
	}
}

// Look reads what was counted last. If that is five minutes old and no other node is at it, it walks
// over Redis slowly and stores what there is. Not safe for concurrent use.
func (g *Glance) Look(ctx context.Context) error {
	l := &lease{rdb: g.rdb, token: rand.Text(), taken: time.Now()}
	l.next.Store(int64(Counting.TTL() / 3))
	if time.Now().Before(g.rest) {
		l.token = ""
	}
	text, mine, err := l.look(ctx)
	if err != nil {
		return fmt.Errorf("read what was counted: %w", err)
	}
	err = g.take(text)
	if !mine {
		return err
	}
	if err := g.count(ctx, l); err != nil {
		g.rest = time.Now().Add(glanceEvery)
		return err
	}
	return nil
}

// take makes a text what was counted last. When there is none, as after a failover that lost it, what
// was known stays.
func (g *Glance) take(text string) error {
	if text == "" || text == g.text {
		return nil
	}
	o, err := parseOutline(text)
	if err != nil {
		return err
	}
	g.text = text
	g.last.Store(&o)
	return nil
}

// count walks while it has the lease, and gives that up in any case.
func (g *Glance) count(ctx context.Context, l *lease) error {
	c, err := count(ctx, &walker{rdb: g.rdb, pace: g.pace, between: l.stay})
	counted := ""
	if err == nil {
		counted = c.outline().text()
	}
	text, failed := l.counted(ctx, counted)
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	g.complain(ctx, c.Faulty)
	return g.take(text)
}

// complain tells the log that there are undeclared keys, when their number is not the one that was
// counted last, by this node or another. It names none: the name of a stray key may hold anything.
func (g *Glance) complain(ctx context.Context, faulty int) {
	before, _ := g.Last()
	if faulty > 0 && faulty != before.Faulty {
		g.log.LogAttrs(ctx, slog.LevelWarn, "keys in Redis break the catalogue: parley remembered lists them", slog.Int("keys", faulty))
	}
}

// lease is what a node holds while it counts. It runs out by itself when the node dies.
type lease struct {
	rdb   redis.UniversalClient
	token string
	taken time.Time
	next  atomic.Int64 // when it is renewed: nanoseconds after taken
}

// look reads what was counted, and takes the lease if that is old and the lease is free.
func (l *lease) look(ctx context.Context) (text string, mine bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	answer, err := redis.NewScript(lookLua).Run(ctx, l.rdb, []string{Counts.Key(), Counting.Key()},
		Counts.TTL().Milliseconds(), glanceEvery.Milliseconds(), l.token, Counting.TTL().Milliseconds()).Slice()
	if err != nil {
		return "", false, err
	}
	text, _ = answer[1].(string)
	return text, answer[0] == int64(1), nil
}

// stay renews the lease when it is time. Of several at once one does.
func (l *lease) stay(ctx context.Context) error {
	due, now := l.next.Load(), time.Since(l.taken)
	if int64(now) < due || !l.next.CompareAndSwap(due, int64(now+Counting.TTL()/3)) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	held, err := redis.NewScript(stayLua).Run(ctx, l.rdb, []string{Counting.Key()}, l.token, Counting.TTL().Milliseconds()).Bool()
	if err == nil && !held {
		err = errLost
	}
	return err
}

// counted gives the lease up, also when ctx has ended, and stores what was counted, if anything. It
// returns what is stored then.
func (l *lease) counted(ctx context.Context, what string) (text string, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
	defer cancel()
	text, err = redis.NewScript(countedLua).Run(ctx, l.rdb, []string{Counts.Key(), Counting.Key()},
		l.token, what, Counts.TTL().Milliseconds()).Text()
	if err == nil && what != "" && text == "" {
		err = errLost
	}
	return text, err
}
