package matcher_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"parley/internal/vtest"
	"parley/matcher"
	"parley/retention"
)

func TestMain(m *testing.M) {
	// A pool that could not dial looks once a second whether it is closed.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/go-redis/v9/internal/pool.(*ConnPool).tryDial"))
}

// gate is a way to a Redis that a test can shut.
type gate struct {
	mu    sync.Mutex // guards the following
	shut  bool
	conns []net.Conn
}

var errShut = errors.New("the gate is shut")

// through returns options that lead through the gate.
func (g *gate) through(o redis.Options) *redis.Options {
	dial := o.Dialer
	o.Dialer = func(ctx context.Context, network, addr string) (net.Conn, error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.shut {
			return nil, errShut
		}
		conn, err := dial(ctx, network, addr)
		if err == nil {
			g.conns = append(g.conns, conn)
		}
		return conn, err
	}
	return &o
}

func (g *gate) set(shut bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = shut
	for _, conn := range g.conns {
		conn.Close()
	}
	g.conns = nil
}

// running is a Redis whose clock runs, behind a gate, with two nodes that run.
type running struct {
	*gate
	rdb  *redis.Client
	a, b *matcher.Queue
}

func run(t *testing.T, o *redis.Options) running {
	if o.Dialer == nil {
		o.Dialer = (&net.Dialer{}).DialContext
	}
	r := running{gate: &gate{}, rdb: redis.NewClient(o)}
	nodes := redis.NewClient(r.through(*o))
	r.a, r.b = matcher.New(nodes, matcher.Config{}), matcher.New(nodes, matcher.Config{})
	ctx, cancel := context.WithCancel(t.Context())
	var both sync.WaitGroup
	for _, q := range []*matcher.Queue{r.a, r.b} {
		both.Go(func() { _ = q.Run(ctx) })
	}
	t.Cleanup(func() {
		cancel()
		both.Wait()
		nodes.Close()
		r.rdb.Close()
	})
	return r
}

// runs runs a test in real time on both engines.
func runs(t *testing.T, test func(*testing.T, running)) {
	t.Run("embedded", func(t *testing.T) { test(t, run(t, vtest.NewRedis(t).Options())) })
	t.Run("redis-server", func(t *testing.T) { test(t, run(t, vtest.StartRedis(t))) })
}

// next returns the next event of a node. A busy machine may need a while for it.
func next(t *testing.T, q *matcher.Queue) matcher.Event {
	t.Helper()
	select {
	case e := <-q.Events():
		return e
	case <-time.After(15 * second):
		t.Fatal("no event came")
		return nil
	}
}

func join(t *testing.T, q *matcher.Queue, ticket matcher.Ticket) matcher.Result {
	t.Helper()
	result, err := q.Join(t.Context(), ticket)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func fresh(who byte) matcher.Ticket {
	ticket := want(who, en, music)
	ticket.ID = matcher.NewID()
	return ticket
}

// meet lets a ticket of one node meet one of another, and both confirm.
func meet(t *testing.T, one, other *matcher.Queue) {
	t.Helper()
	first, last := fresh('a'), fresh('c')
	join(t, one, first)
	offer := join(t, other, last).(matcher.Offered).Offer
	told := next(t, one).(matcher.OfferMade).Offer
	if told.Ticket != first.ID || told.Match != offer.Match || told.PeerTicket != last.ID {
		t.Errorf("%+v is told of %+v", first.ID, told)
	}
	for _, c := range []struct {
		q      *matcher.Queue
		ticket string
		want   matcher.Confirmation
	}{{one, first.ID, matcher.Pending}, {other, last.ID, matcher.Live}} {
		if got, err := c.q.Confirm(t.Context(), offer.Match, c.ticket); err != nil || got != c.want {
			t.Errorf("confirm: %v %v, want %v", got, err, c.want)
		}
	}
	if got := next(t, one); got != (matcher.WentLive{Match: offer.Match, Ticket: first.ID}) {
		t.Errorf("%+v", got)
	}
}

func TestNodesAreTold(t *testing.T) {
	runs(t, func(t *testing.T, r running) {
		meet(t, r.a, r.b)
		meet(t, r.b, r.a)
		meet(t, r.a, r.a)
	})
}

// TestOwnEvents: what a node did itself it hears at once, and not again from its inbox.
func TestOwnEvents(t *testing.T) {
	runs(t, func(t *testing.T, r running) {
		meet(t, r.a, r.a)
		meet(t, r.a, r.b) // its events come after all earlier ones of the inbox
		if n := len(r.a.Events()) + len(r.b.Events()); n > 0 {
			t.Errorf("%d events more", n)
		}
	})
}

func TestRedisForgets(t *testing.T) {
	runs(t, func(t *testing.T, r running) {
		meet(t, r.a, r.b)
		ticket := fresh('a')
		before := join(t, r.a, ticket).(matcher.Waiting)
		lapses := r.a.Lapses()
		if err := vtest.Flush(t.Context(), r.rdb); err != nil {
			t.Fatal(err)
		}
		ticket.Arrived = before.Arrived
		after := join(t, r.a, ticket).(matcher.Waiting)
		if !after.Arrived.Equal(before.Arrived) {
			t.Errorf("place %v became %v", before.Arrived, after.Arrived)
		}
		if r.a.Lapses() == lapses {
			t.Error("nobody is told that the queue has forgotten this node")
		}
		join(t, r.b, fresh('c'))
		if got := next(t, r.a).(matcher.OfferMade); got.Offer.Ticket != ticket.ID {
			t.Errorf("%+v", got)
		}
	})
}

func TestRedisAway(t *testing.T) {
	runs(t, func(t *testing.T, r running) {
		meet(t, r.a, r.b)
		r.set(true)
		ticket := fresh('a')
		for name, call := range map[string]func(context.Context) error{
			"join":     func(ctx context.Context) error { _, err := r.a.Join(ctx, ticket); return err },
			"leave":    func(ctx context.Context) error { _, err := r.a.Leave(ctx, ticket.ID); return err },
			"confirm":  func(ctx context.Context) error { _, err := r.a.Confirm(ctx, ticket.ID, ticket.ID); return err },
			"abort":    func(ctx context.Context) error { _, err := r.a.Abort(ctx, ticket.ID, ticket.ID); return err },
			"estimate": func(ctx context.Context) error { _, err := r.a.Estimate(ctx, ticket); return err },
		} {
			const limit = 100 * time.Millisecond
			ctx, cancel := context.WithTimeout(t.Context(), limit)
			start := time.Now()
			err := call(ctx)
			cancel()
			if took := time.Since(start); !errors.Is(err, matcher.ErrUnavailable) || took > 5*limit {
				t.Errorf("%s: %v after %v", name, err, took)
			}
		}
		r.set(false)
		if _, err := r.a.Leave(t.Context(), ticket.ID); err != nil {
			t.Error(err)
		}
		meet(t, r.b, r.a) // and the inbox is read again
	})
}

func TestResigned(t *testing.T) {
	runs(t, func(t *testing.T, r running) {
		ctx, cancel := context.WithCancel(t.Context())
		q := matcher.New(r.rdb, matcher.Config{})
		done := make(chan error, 1)
		go func() { done <- q.Run(ctx) }()
		join(t, q, fresh('a'))
		start := time.Now()
		cancel()
		if err := <-done; err != nil || time.Since(start) > second/2 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		if _, waits := join(t, r.a, fresh('c')).(matcher.Waiting); !waits {
			t.Error("met somebody of a node that is gone")
		}
		faults, err := retention.Audit(t.Context(), r.rdb)
		if err != nil || len(faults) > 0 {
			t.Errorf("%+v %v", faults, err)
		}
	})
}

// TestInBubble: a node lives in virtual time, where ten minutes of it are cheap.
func TestInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb := vtest.NewRedis(t)
		r := run(t, rdb.Options())
		synctest.Wait()
		meet(t, r.a, r.b)
		ticket := fresh('a')
		ticket.Arrived = join(t, r.a, ticket).(matcher.Waiting).Arrived
		rdb.Pass(time.Minute)
		if _, waits := join(t, r.a, ticket).(matcher.Waiting); !waits {
			t.Error("the lease did not hold")
		}
		rdb.Pass(retention.LongestWait)
		if got := join(t, r.a, ticket); got != (matcher.Closed{}) {
			t.Errorf("%+v", got)
		}
		faults, err := retention.Audit(t.Context(), rdb.Client)
		if err != nil || len(faults) > 0 {
			t.Errorf("%+v %v", faults, err)
		}
	})
}

// TestNobodyTakesEvents: the queue of events is bounded; what does not fit is dropped and counted.
func TestNobodyTakesEvents(t *testing.T) {
	const capacity, more = 4096, 3
	q := matcher.New(vtest.NewRedis(t).Client, matcher.Config{})
	for range capacity + more {
		q.Hand(matcher.WentLive{})
	}
	if q.Dropped() != more || len(q.Events()) != capacity {
		t.Errorf("%d dropped, %d kept", q.Dropped(), len(q.Events()))
	}
}

// TestLapses: a node is told when the store may have forgotten its tickets: it was away, though for
// less than a lease, or it lost everything; and at no other time.
func TestLapses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb := vtest.NewRedis(t)
		q := run(t, rdb.Options()).a
		after := func(what string, want int) {
			t.Helper()
			rdb.Pass(1500 * time.Millisecond)
			if got := q.Lapses(); got != want {
				t.Errorf("%s: %d lapses, want %d", what, got, want)
			}
		}
		after("at the beginning", 0)
		rdb.Away()
		after("while it is away", 0)
		rdb.Back()
		after("when it is back", 1)
		if err := rdb.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		after("when it has forgotten everything", 2)
		rdb.Pass(time.Minute)
		after("a quiet minute later", 2)
	})
}
