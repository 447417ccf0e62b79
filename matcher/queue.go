package matcher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/retention"
)

// ErrUnavailable says that Redis is away or too slow. The call may or may not have had its effect;
// the same call again tells.
var ErrUnavailable = errors.New("the queue's store is away")

const (
	defaultOffer   = 4 * time.Second
	defaultTimeout = 2 * time.Second

	// early is how far before its deadline a timer on another machine's clock may fire.
	early = 250 * time.Millisecond

	// eventCapacity bounds the events that wait for the owner. Beyond it they are dropped; the
	// owner's repeated Join and its deadline of the offer find out.
	eventCapacity = 4096

	// joinFields is how many fields an answer of join.lua has at most.
	joinFields = 5
)

// Config is what a queue needs to know.
type Config struct {
	Node    string        // random name of this process, as of [NewID]; default: a new one
	Offer   time.Duration // time to confirm; default 4 s
	Timeout time.Duration // for one call; default 2 s, never more than the caller's context allows
	Log     *slog.Logger  // default: none
}

// Queue is this node's access to the common queue. Safe for concurrent use.
type Queue struct {
	rdb     redis.UniversalClient
	cfg     Config
	scripts scripts
	widens  func(Ticket) time.Duration
	pace    *pace
	sweeper *sweeper
	joins   *joins

	events  chan Event
	dropped atomic.Int64
	skew    atomic.Int64 // clock of Redis minus ours, in microseconds
	living  living
}

// New returns a queue on rdb. It is alive once [Queue.Run] runs.
func New(rdb redis.UniversalClient, cfg Config) *Queue {
	return build(rdb, cfg, func(source string) string { return source })
}

func build(rdb redis.UniversalClient, cfg Config, edit func(string) string) *Queue {
	if cfg.Node == "" {
		cfg.Node = NewID()
	}
	if !isID(cfg.Node) {
		panic(fmt.Sprintf("matcher: %q cannot be the name of a node", cfg.Node))
	}
	if cfg.Offer == 0 {
		cfg.Offer = defaultOffer
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	q := &Queue{
		rdb: rdb, cfg: cfg, scripts: load(cfg.Offer, edit),
		pace: newPace(), sweeper: newSweeper(),
		events: make(chan Event, eventCapacity),
	}
	q.joins = newJoins(cfg.Timeout, q.send)
	q.widens = func(t Ticket) time.Duration {
		return widening(q.pace.expected(time.Now(), near(t)) * float64(q.living.count()))
	}
	return q
}

// Node returns the name of this node.
func (q *Queue) Node() string { return q.cfg.Node }

// Events returns what happened to tickets of this node by the doing of others. An event may come
// again when a call was repeated or the connection to Redis was lost.
func (q *Queue) Events() <-chan Event { return q.events }

// Dropped returns how many events were dropped because nobody took them.
func (q *Queue) Dropped() int64 { return q.dropped.Load() }

// Join finds a peer for the ticket, or queues it. The owner repeats it with the same ticket at each
// step of the schedule and every 10 s. It fails with a [*FieldError] or [ErrUnavailable].
func (q *Queue) Join(ctx context.Context, t Ticket) (Result, error) {
	if err := t.Validate(); err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	reply, err := q.join(ctx, t)
	if err == nil && reply[0] == "lease" { // not yet beaten, or Redis forgot everything
		if err = q.beat(ctx); err == nil {
			reply, err = q.join(ctx, t)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	return q.read(t, reply)
}

// read reads an answer of join.lua.
func (q *Queue) read(t Ticket, reply []string) (Result, error) {
	switch reply[0] {
	case "waiting":
		return q.waiting(t, reply), nil
	case "offered":
		return q.offered(t, reply), nil
	case "closed":
		return Closed{}, nil
	}
	return nil, fmt.Errorf("join: %w: this node has no lease", ErrUnavailable)
}

// join asks join.lua and returns the fields of its answer.
func (q *Queue) join(ctx context.Context, t Ticket) ([]string, error) {
	text, err := q.joins.ask(ctx, t.request(q.cfg.Node, q.widens(t)))
	return fields(text), err
}

func fields(text string) []string { return strings.SplitN(text, ";", joinFields) }

// waiting reads waiting;<now>;<arrived>;<ripe>.
func (q *Queue) waiting(t Ticket, reply []string) Waiting {
	now, arrived := micros(reply[1]), micros(reply[2])
	widens := time.Duration(micros(reply[3])-arrived) * time.Microsecond
	q.sweeper.watch(t)
	if now == arrived { // not a repeat, not a kept place
		q.pace.arrived(time.Now(), t)
	}
	return Waiting{
		Arrived: time.UnixMicro(arrived),
		Waited:  time.Duration(now-arrived) * time.Microsecond,
		Widens:  widens,
		Steps:   Steps(t, widens),
	}
}

// offered reads offered;<now>;<new or old>;<match>;<record>. The peer's owner, if it is this node,
// learns of it here: again too, for the first answer may have been lost.
func (q *Queue) offered(t Ticket, reply []string) Result {
	q.sync(reply[1])
	age, id, record := reply[2], reply[3], reply[4]
	mine, ok := readOffer(id, t.ID, record, q.local)
	if !ok {
		return Closed{}
	}
	if age == "new" {
		q.living.met(mine.PeerNode)
		if t.Arrived.IsZero() {
			q.pace.arrived(time.Now(), t)
		}
	}
	if theirs, ok := readOffer(id, mine.PeerTicket, record, q.local); ok && mine.PeerNode == q.cfg.Node {
		q.hand(OfferMade{theirs})
	}
	return Offered{mine}
}

// Leave takes a ticket out of the queue.
func (q *Queue) Leave(ctx context.Context, ticket string) (Left, error) {
	if !isID(ticket) {
		return Left{State: Unknown}, nil
	}
	reply, err := q.run(ctx, q.scripts.leave, []string{retention.Ticket.Key(ticket)}, ticket)
	if err != nil {
		return Left{}, fmt.Errorf("leave: %w", err)
	}
	switch reply[0] {
	case "left":
		return Left{State: LeftQueue}, nil
	case "claimed":
		return Left{State: Claimed, Match: reply[2]}, nil
	}
	return Left{State: Unknown}, nil
}

// Confirm says that the ticket's browser is here and ready. After Gone the owner queues it anew.
func (q *Queue) Confirm(ctx context.Context, match, ticket string) (Confirmation, error) {
	if !isID(match) || !isID(ticket) {
		return Gone, nil
	}
	reply, err := q.run(ctx, q.scripts.confirm, []string{retention.Ticket.Key(match)}, match, ticket)
	if err != nil {
		return Gone, fmt.Errorf("confirm: %w", err)
	}
	switch reply[0] {
	case "pending":
		return Pending, nil
	case "live":
		if reply[3] == q.cfg.Node {
			q.hand(WentLive{match, reply[2]})
		}
		return Live, nil
	case "orphaned":
		if reply[3] == q.cfg.Node {
			q.hand(WasAborted{match, reply[2], WhyPeer})
		}
	}
	return Gone, nil
}

// Abort gives a match up: the ticket's browser left or declined, or the deadline has passed.
func (q *Queue) Abort(ctx context.Context, match, ticket string) (Abortion, error) {
	if !isID(match) || !isID(ticket) {
		return NoMatch, nil
	}
	reply, err := q.run(ctx, q.scripts.abort, []string{retention.Ticket.Key(match)}, match, ticket, early.Microseconds())
	if err != nil {
		return NoMatch, fmt.Errorf("abort: %w", err)
	}
	switch reply[0] {
	case "aborted":
		if reply[3] == q.cfg.Node {
			q.hand(WasAborted{match, reply[2], Why(reply[4])})
		}
		return Aborted, nil
	case "live":
		return AlreadyLive, nil
	}
	return NoMatch, nil
}

// run calls a script within the queue's timeout and returns its answer, all strings.
func (q *Queue) run(ctx context.Context, s *redis.Script, keys []string, args ...any) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, q.cfg.Timeout)
	defer cancel()
	reply, err := s.Run(ctx, q.rdb, keys, args...).StringSlice()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return reply, nil
}

// sync notes the clock of Redis.
func (q *Queue) sync(now string) { q.skew.Store(micros(now) - time.Now().UnixMicro()) }

// local returns a time of Redis by our clock.
func (q *Queue) local(at int64) time.Time { return time.UnixMicro(at - q.skew.Load()) }

// micros reads a number that a script wrote; what cannot be read is 0.
func micros(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
