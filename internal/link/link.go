package link

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// MaxMessage is the longest message that a link takes.
const MaxMessage = 256 << 10

const defaultTimeout = 2 * time.Second

// Config is what a link needs to know. Callbacks are called by one goroutine, one at a time; they
// must not block, and may call the link.
type Config struct {
	Node    string                // this process: a random name of 22 characters of base64url
	Client  redis.UniversalClient // for publishing
	PubSub  redis.UniversalClient // for the subscription only; with Protocol 2
	Alive   func(node string) bool
	Deliver func(from string, m []byte) // m is the receiver's own
	Reset   func(node string)           // some messages from or to that node were lost for ever; comes before anything newer of it
	Up      func(up bool)               // optional: the bus as a whole is away or back
	Log     *slog.Logger                // default: none
	Timeout time.Duration               // for one call to Redis; default 2 s
}

// Counts says what a link went through since its start.
type Counts struct {
	Gaps     int64 // arrivals that showed that something before them is missing
	Resends  int64 // messages published again
	Resets   int64 // calls of Reset
	Rebuilds int64 // subscriptions that were made anew
	Refused  int64 // messages that Send did not take
	Garbage  int64 // arrivals that were not understood, or that nobody had room for
	Aliens   int64 // nodes that speak another version
}

// Link is this node's end of the links to all others. Safe for concurrent use.
type Link struct {
	cfg    Config
	up     atomic.Bool
	mu     sync.Mutex // guards counts
	counts Counts
}

// New returns a link. It carries once [Link.Run] runs.
func New(cfg Config) *Link {
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	return &Link{cfg: cfg}
}

// Run subscribes, receives and publishes until ctx ends. It returns when all its goroutines have
// ended. While Redis is away it goes on trying.
func (l *Link) Run(ctx context.Context) error {
	<-ctx.Done()
	return nil
}

// Send sends m to another node and never blocks. It keeps m: the caller must not change it. False
// says that m was refused and will not arrive: the node is not alive or speaks another version, or
// too much for it is unacknowledged, or for too long.
func (l *Link) Send(to string, m []byte) bool { return false }

// Forget drops everything about a node whose lease has ended. If it lives all the same, its side
// gets a reset when it next sends.
func (l *Link) Forget(node string) {}

// Up says whether the bus as a whole works: what this node publishes to itself comes back.
func (l *Link) Up() bool { return l.up.Load() }

// Counts returns what the link went through since its start.
func (l *Link) Counts() Counts {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts
}
