package moderation

import (
	"context"
	_ "embed" // the scripts stand in files beside this one
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/keyring"
	"parley/moderation/score"
)

// Errors that callers tell apart.
var (
	// ErrHandle says that a handle names nobody who can be reported now: it is forged, was made for
	// another device, or its call is unknown or ended more than ten minutes ago.
	ErrHandle = errors.New("this report or block is not possible: the call is unknown, not yours, or ended over 10 minutes ago")
	// ErrReason says that the reason is none of [Reasons].
	ErrReason = errors.New("unknown reason: use sexual, hate, threat, minor, spam or other")
	// ErrUnavailable says that Redis did not answer. Nothing is known to be stored; the same request
	// may be repeated, which never makes a second record.
	ErrUnavailable = errors.New("the store is away; try again in a few seconds")
)

// The scripts.
var (
	//go:embed lua/begin.lua
	beginLua string
	//go:embed lua/end.lua
	endLua string
	//go:embed lua/read.lua
	readLua string
	//go:embed lua/write.lua
	writeLua string
	//go:embed lua/talked.lua
	talkedLua string
	//go:embed lua/erase.lua
	eraseLua string
)

// scripts are what runs in Redis.
type scripts struct{ begin, end, read, write, talked, erase *redis.Script }

// Config is what a desk needs.
type Config struct {
	Redis redis.UniversalClient
	// Ring is the installation's secret: handles and age tickets.
	Ring *keyring.Ring
	// Epochs are the weekly keys under which devices are named in Redis. All nodes have the same.
	Epochs *keyring.Epochs
	// TokenOnly leaves the digests of browsers aside: none is stored, and none is looked for.
	TokenOnly bool
	Log       *slog.Logger
}

// Desk takes reports and answers who may meet whom. Safe for concurrent use.
type Desk struct {
	rdb       redis.UniversalClient
	ring      *keyring.Ring
	epochs    *keyring.Epochs
	tokenOnly bool
	log       *slog.Logger
	scripts   scripts

	policy  atomic.Pointer[score.Policy]
	lookups lookups
	bare    bare
	ended   chan talk
	tired   chan *person // whose reports are to be summed up anew
	blind   sync.Once    // Redis does not tell whether it has replicas
	told    atomic.Int64 // when the log last heard of damage
	damaged atomic.Int64
}

// New returns a desk, with the policy that parley comes with.
func New(cfg Config) *Desk {
	d := &Desk{
		rdb: cfg.Redis, ring: cfg.Ring, epochs: cfg.Epochs, tokenOnly: cfg.TokenOnly, log: cfg.Log,
		scripts: scripts{
			begin: redis.NewScript(beginLua), end: redis.NewScript(endLua), read: redis.NewScript(readLua),
			write: redis.NewScript(writeLua), talked: redis.NewScript(talkedLua), erase: redis.NewScript(eraseLua),
		},
		ended: make(chan talk, talksAtOnce), tired: make(chan *person, tiredAtOnce),
	}
	d.lookups.read = d.looks
	balanced, err := score.Preset(score.Default)
	if err != nil {
		panic(fmt.Sprintf("moderation: %v", err)) // it is one that parley comes with
	}
	d.SetPolicy(balanced, 0)
	return d
}

// SetPolicy makes the desk judge by p from now on. The office says so when operators have decided;
// the revision is theirs. A policy is one that [score.Policy.Check] passed.
func (d *Desk) SetPolicy(p score.Policy, _ int64) { d.policy.Store(&p) }

// Tag returns the 12 characters by which the matcher knows a device. They are not those under
// which reports are kept, so that a copy of the database does not join the two.
func (d *Desk) Tag(device string) string { return d.ring.Tag("matching device", device) }

// keys returns the epochs that count at now and the one under which new things are named.
func (d *Desk) keys(now time.Time) (keyring.Live, keyring.Epoch, error) {
	live := d.epochs.Live(now)
	current, there := live.Current(now)
	if !there {
		return nil, keyring.Epoch{}, fmt.Errorf("%w: there is no epoch key", ErrUnavailable)
	}
	return live, current, nil
}

// complainEvery is how often the log hears that records cannot be read.
const complainEvery = time.Minute

// unreadable notes records and reports that are not what this program writes. They count for
// nothing. The next report on such a device begins a record anew in the place of one that is not
// readable; a report goes with the next change of its record; and what nobody touches expires.
func (d *Desk) unreadable(ctx context.Context, n int) {
	if n == 0 {
		return
	}
	met := d.damaged.Add(int64(n))
	now, last := time.Now().UnixNano(), d.told.Load()
	if now-last > int64(complainEvery) && d.told.CompareAndSwap(last, now) {
		d.log.LogAttrs(ctx, slog.LevelError, "records or reports in redis are not what parley writes: they count for nothing, and the next report on such a device takes their place; see who else writes to this redis", slog.Int64("met", met))
	}
}

// Damaged is how many records and reports could not be read since the start.
func (d *Desk) Damaged() int64 { return d.damaged.Load() }

// unavailable marks err, which came from Redis.
func unavailable(doing string, err error) error {
	return fmt.Errorf("%s: %w: %w", doing, ErrUnavailable, err)
}
