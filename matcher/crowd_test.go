package matcher_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/vtest"
	"parley/matcher"
	"parley/retention"
)

// crowd is many people who search, talk for a moment and search again on several nodes, whatever
// becomes of Redis meanwhile. It keeps what each was told.
type crowd struct {
	queues []*matcher.Queue

	mu      sync.Mutex          // guards the following
	live    map[string]string   // the match that a ticket was told live in
	sides   map[string][]string // the tickets that were told a match is live
	faults  []string
	joins   int
	refused map[string]int       // joins without an answer, by what Redis said
	last    time.Time            // when a join was answered last
	longest time.Duration        // between two answers
	calls   []int                // by person
	began   map[string]time.Time // when a ticket's search did
	took    []time.Duration      // from there to a live match
}

const people = 40

// gather lets people search until the returned function is called, which checks what all were told.
func gather(t *testing.T, rdbs ...redis.UniversalClient) (c *crowd, disperse func()) {
	c = &crowd{
		live: map[string]string{}, sides: map[string][]string{}, refused: map[string]int{},
		last: time.Now(), calls: make([]int, people), began: map[string]time.Time{},
	}
	running, stop := context.WithCancel(t.Context())
	present, leave := context.WithCancel(t.Context())
	var nodes, all sync.WaitGroup
	for _, rdb := range rdbs {
		q := matcher.New(rdb, matcher.Config{})
		c.queues = append(c.queues, q)
		nodes.Go(func() { _ = q.Run(running) })
		nodes.Go(func() {
			for {
				select {
				case <-q.Events(): // people ask by themselves
				case <-running.Done():
					return
				}
			}
		})
	}
	for i := range people {
		all.Go(func() {
			for present.Err() == nil {
				c.search(present, i)
			}
		})
	}
	return c, func() {
		leave()
		all.Wait()
		stop()
		nodes.Wait()
		c.check(t)
		faults, err := retention.Audit(t.Context(), rdbs[0])
		if err != nil {
			t.Error(err)
		}
		for _, f := range faults {
			t.Errorf("%s %s", f.Key, f.Says)
		}
	}
}

// search is one search of one person, until it talks or the ticket is over.
func (c *crowd) search(ctx context.Context, person int) {
	q := c.queues[person%len(c.queues)]
	ticket := matcher.Ticket{ID: matcher.NewID(), Device: fmt.Sprintf("%012d", person), Languages: []string{"en"}, Meets: []int{0}}
	c.mu.Lock()
	c.began[ticket.ID] = time.Now()
	c.mu.Unlock()
	for ctx.Err() == nil {
		result, err := q.Join(ctx, ticket)
		if ctx.Err() != nil {
			return
		}
		c.note(err)
		switch r := result.(type) {
		case matcher.Waiting, nil:
		case matcher.Offered:
			c.decide(ctx, q, person, r.Offer)
			return
		case matcher.Closed:
			return
		}
		pause(ctx, 100*time.Millisecond)
	}
}

// decide confirms an offer until it is known what became of it.
func (c *crowd) decide(ctx context.Context, q *matcher.Queue, person int, o matcher.Offer) {
	for ctx.Err() == nil {
		if time.Now().After(o.Deadline.Add(time.Second)) {
			became, err := q.Abort(ctx, o.Match, o.Ticket)
			switch {
			case err != nil:
			case became == matcher.AlreadyLive:
				c.talk(person, o)
				return
			default:
				return
			}
		} else if answer, err := q.Confirm(ctx, o.Match, o.Ticket); err == nil {
			switch answer {
			case matcher.Live:
				c.talk(person, o)
				pause(ctx, 50*time.Millisecond)
				return
			case matcher.Gone:
				return
			case matcher.Pending:
			}
		}
		pause(ctx, 50*time.Millisecond)
	}
}

// talk notes that a ticket was told that its match is live.
func (c *crowd) talk(person int, o matcher.Offer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if before, twice := c.live[o.Ticket]; twice {
		c.faults = append(c.faults, fmt.Sprintf("a ticket is live in %s and %s", before, o.Match))
	}
	c.live[o.Ticket] = o.Match
	c.took = append(c.took, time.Since(c.began[o.Ticket]))
	c.sides[o.Match] = append(c.sides[o.Match], o.Ticket)
	for _, ticket := range c.sides[o.Match] {
		if ticket != o.Ticket && ticket != o.PeerTicket {
			c.faults = append(c.faults, "a third ticket is live in "+o.Match)
		}
	}
	c.calls[person]++
}

// note notes the answer to a join.
func (c *crowd) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.joins++
	if err != nil {
		c.refused[sayShort(err)]++
		return
	}
	now := time.Now()
	c.longest = max(c.longest, now.Sub(c.last))
	c.last = now
}

// sayShort is what went wrong, without addresses.
func sayShort(err error) string {
	for cause := errors.Unwrap(err); cause != nil; cause = errors.Unwrap(err) {
		err = cause
	}
	if op := (*net.OpError)(nil); errors.As(err, &op) {
		return op.Op
	}
	says := strings.TrimPrefix(err.Error(), matcher.ErrUnavailable.Error()+": ")
	words := strings.Fields(says)
	return strings.Join(words[:min(3, len(words))], " ")
}

// met waits until everybody has talked again, limit at most.
func (c *crowd) met(t *testing.T, limit time.Duration) {
	t.Helper()
	c.mu.Lock()
	before := slices.Clone(c.calls)
	c.mu.Unlock()
	began := time.Now()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		c.mu.Lock()
		lacking := 0
		for i, n := range c.calls {
			if n == before[i] {
				lacking++
			}
		}
		c.mu.Unlock()
		if lacking == 0 {
			t.Logf("everybody has talked again after %v", time.Since(began).Round(time.Millisecond))
			return
		}
		if <-tick.C; time.Since(began) > limit {
			t.Fatalf("%d of %d have not talked again for %v", lacking, people, limit)
		}
	}
}

// check fails the test if anybody was told what cannot be.
func (c *crowd) check(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	alone := 0
	for _, tickets := range c.sides {
		if len(tickets) == 1 {
			alone++ // the other left, or its node did not hear in time
		}
	}
	t.Logf("%d joins, of them without an answer %v; %d calls, %d told to one side only; longest time without an answer %v",
		c.joins, c.refused, len(c.sides), alone, c.longest.Round(time.Millisecond))
	for _, f := range c.faults {
		t.Error(f)
	}
}

// quiet returns how long no join was answered, at most.
func (c *crowd) quiet() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(c.longest, time.Since(c.last))
}

func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// TestFailover: a primary is replaced under load, by the operator or because it died. No join is
// without an answer for longer than 10 s, and nobody is in two matches.
func TestFailover(t *testing.T) {
	for name, fail := range map[string]func(*vtest.SentinelSet){
		"planned": func(s *vtest.SentinelSet) { s.Failover() },
		"killed":  func(s *vtest.SentinelSet) { s.Primary().Kill() },
		"stopped": func(s *vtest.SentinelSet) { s.Primary().Pause() },
	} {
		t.Run("sentinel "+name, func(t *testing.T) {
			t.Parallel()
			set := vtest.StartSentinel(t)
			c, disperse := gather(t, set.Client(), set.Client())
			c.met(t, 10*time.Second)
			old := set.Primary()
			fail(set)
			await(t, 10*time.Second, func() bool { return set.Primary() != old })
			c.met(t, 15*time.Second)
			if gap := c.quiet(); gap > 10*time.Second {
				t.Errorf("no join was answered for %v", gap)
			}
			disperse()
		})
	}
}

// TestClusterFailover: the master of the queue's slot dies under load, and its replica takes over.
func TestClusterFailover(t *testing.T) {
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		all := vtest.StartCluster(t)
		owner := all.Owner(all.Slot(retention.Lease.Key()))
		replica := all.AddReplica(owner)
		c, disperse := gather(t, all.Client(), all.Client())
		c.met(t, 10*time.Second)
		owner.Kill()
		await(t, 10*time.Second, func() bool {
			return strings.Contains(fmt.Sprint(replica.Run("INFO", "replication")), "role:master")
		})
		c.met(t, 15*time.Second)
		if gap := c.quiet(); gap > 10*time.Second {
			t.Errorf("no join was answered for %v", gap)
		}
		disperse()
	})
}

func await(t *testing.T, limit time.Duration, is func() bool) {
	t.Helper()
	began := time.Now()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		if <-tick.C; time.Since(began) > limit {
			t.Fatalf("not within %v", limit)
		}
	}
}

// TestResharding: slots move between the nodes of a Cluster under load. Nobody notices that of a call.
// While that of the queue moves joins are refused, as docs/scaling.md says; nobody is in two matches,
// and afterwards everybody is matched again.
func TestResharding(t *testing.T) {
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		all := vtest.StartCluster(t)
		c, disperse := gather(t, all.Client(), all.Client())
		for range 6 { // until there is something to move
			c.met(t, 10*time.Second)
		}
		move := func(key string, between func()) {
			t.Helper()
			slot := all.Slot(key)
			from := all.Owner(slot)
			to := all.Nodes[(slices.Index(all.Nodes, from)+1)%len(all.Nodes)]
			keys, began := from.Run("CLUSTER", "COUNTKEYSINSLOT", slot), time.Now()
			all.Move(slot, from, to, between)
			t.Logf("slot %d with %d keys moved in %v", slot, keys, time.Since(began).Round(time.Millisecond))
			c.met(t, 15*time.Second)
		}
		move(retention.Call.Key("x"), nil)
		if lost := c.lost(); lost > 0 {
			t.Errorf("%d joins were refused while another slot moved", lost)
		}
		move(retention.Lease.Key(), nil)
		t.Logf("%d joins were refused", c.lost())
		move(retention.Lease.Key(), func() { pause(t.Context(), 50*time.Millisecond) }) // as over a slow network
		disperse()
	})
}

// lost returns how many joins had no answer.
func (c *crowd) lost() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, times := range c.refused {
		n += times
	}
	return n
}

// TestSlowStore: every command to the store and every answer of it takes 150 ms. Nobody is in two
// matches, everybody is matched again and again, and 99 of 100 within 3 s.
func TestSlowStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb := vtest.NewRedis(t)
		fault := vtest.NewFault(t, rdb.Options())
		nodes := []redis.UniversalClient{redis.NewClient(fault.Options()), redis.NewClient(fault.Options())}
		fault.Delay(150 * time.Millisecond)
		c, disperse := gather(t, nodes...)
		rdb.Pass(2 * time.Minute)
		disperse()
		for _, n := range nodes {
			_ = n.Close()
		}
		slices.Sort(c.took)
		if len(c.took) < 10*people || slices.Contains(c.calls, 0) {
			t.Fatalf("%d calls, by person %v", len(c.took)/2, c.calls)
		}
		middle, most := c.took[len(c.took)/2], c.took[len(c.took)*99/100]
		t.Logf("matched after %v (p50), %v (p99)", middle, most)
		if most > 3*time.Second {
			t.Errorf("p99 of the time to a match is %v", most)
		}
	})
}
