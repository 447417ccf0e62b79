package moderation

import (
	_ "embed" // the scripts stand in files beside this one
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/redis/go-redis/v9"

	"parley/internal/keyring"
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

//go:embed lua/begin.lua
var beginLua string

//go:embed lua/end.lua
var endLua string

//go:embed lua/report.lua
var reportLua string

// Desk takes reports and answers who may meet whom. Safe for concurrent use.
type Desk struct {
	rdb  redis.UniversalClient
	ring *keyring.Ring
	log  *slog.Logger

	begin, end, report *redis.Script
	blind              sync.Once // Redis does not tell whether it has replicas
}

// New returns a desk that stores in rdb and derives every hash and handle from ring.
func New(rdb redis.UniversalClient, ring *keyring.Ring, log *slog.Logger) *Desk {
	return &Desk{
		rdb: rdb, ring: ring, log: log,
		begin:  redis.NewScript(beginLua),
		end:    redis.NewScript(endLua),
		report: redis.NewScript(reportLua),
	}
}

// Tag returns the 12 characters by which the matcher knows a device. They are not those under
// which reports are kept, so that a copy of the database does not join the two.
func (d *Desk) Tag(device string) string { return d.ring.Tag("matching device", device) }

// unavailable marks err, which came from Redis.
func unavailable(doing string, err error) error {
	return fmt.Errorf("%s: %w: %w", doing, ErrUnavailable, err)
}
