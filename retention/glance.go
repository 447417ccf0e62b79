package retention

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// GlancePace is how many keys a second a node looks at in the background; bench/README.md has what
	// that costs.
	GlancePace = 2000
	// glanceEvery is the pause between two walks.
	glanceEvery = 5 * time.Minute
)

// Glance keeps the newest census of a Redis in memory, so that whoever asks for one never touches
// Redis. Safe for concurrent use.
type Glance struct {
	rdb  redis.UniversalClient
	log  *slog.Logger
	last atomic.Pointer[Census]
}

// NewGlance returns a glance that has not looked yet; [Glance.Run] does.
func NewGlance(rdb redis.UniversalClient, log *slog.Logger) *Glance {
	return &Glance{rdb: rdb, log: log}
}

// Last returns the newest census, and false when there is none yet.
func (g *Glance) Last() (Census, bool) {
	if c := g.last.Load(); c != nil {
		return *c, true
	}
	return Census{}, false
}

// Run walks over Redis slowly, and again five minutes after it has come to an end, until ctx ends.
func (g *Glance) Run(ctx context.Context) error {
	tick := time.NewTimer(0)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if c, err := Count(ctx, g.rdb, GlancePace); err == nil {
			g.complain(ctx, c.Faulty)
			g.last.Store(&c)
		} else if ctx.Err() == nil { // of a Redis that is away the watch of the store complains
			g.log.LogAttrs(ctx, slog.LevelDebug, "what is remembered could not be counted", slog.Any("error", err))
		}
		tick.Reset(glanceEvery)
	}
}

// complain tells the log that there are undeclared keys, when their number has changed. It names none:
// the name of a stray key may hold anything.
func (g *Glance) complain(ctx context.Context, faulty int) {
	before := 0
	if c := g.last.Load(); c != nil {
		before = c.Faulty
	}
	if faulty > 0 && faulty != before {
		g.log.LogAttrs(ctx, slog.LevelWarn, "keys in Redis break the catalogue: parley remembered lists them", slog.Int("keys", faulty))
	}
}
