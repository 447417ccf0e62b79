package retention_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/vtest"
	"parley/retention"
)

// every is how long counts are new, and lookedAt by when a node has read them.
const every, lookedAt = 5 * time.Minute, 11 * time.Second

// slow is a pace at which a lease runs out during a walk over a thousand keys and more, unless it is
// renewed.
const slow = 50

// node is a glance that runs, on a client of its own.
type node struct {
	*retention.Glance
	rdb  *redis.Client
	sent *vtest.Commands
	said *vtest.Log
	stop func() // and wait
}

// start runs a node until the end of the test, or until it is stopped.
func start(t *testing.T, on *vtest.Redis, pace int) *node {
	t.Helper()
	n := &node{rdb: on.Another(), said: &vtest.Log{}}
	n.sent = vtest.Watch(n.rdb)
	n.Glance = retention.NewGlance(n.rdb, slog.New(slog.NewTextHandler(n.said, &slog.HandlerOptions{Level: slog.LevelDebug}))).Slowed(pace)
	ctx, cancel := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- n.Run(ctx) }()
	n.stop = func() {
		cancel()
		if err := <-ran; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		n.stop = func() {}
	}
	t.Cleanup(func() { n.stop() })
	synctest.Wait()
	return n
}

// reports is how many reports a node tells of.
func (n *node) reports() int {
	o, _ := n.Last()
	return o.Classes[retention.Report].Records
}

// TestGlance: what visitors are shown is counted in the background, slowly, and never because one
// of them asks. Undeclared keys are told of by number only, and once.
func TestGlance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb := vtest.NewRedis(t)
		if _, there := retention.NewGlance(rdb.Client, nil).Last(); there {
			t.Error("something was counted before anybody looked")
		}
		lay(t, rdb.Client, 20, time.Hour)
		if err := rdb.Set(t.Context(), "ana@203.0.113.9", "x", 0).Err(); err != nil {
			t.Fatal(err)
		}
		n := start(t, rdb, retention.GlancePace)
		rdb.Pass(time.Second)
		o, there := n.Last()
		if !there || n.reports() != 20 || o.Faulty != 1 || o.Took != 11*time.Millisecond || time.Since(o.When) > 2*time.Second {
			t.Errorf("%+v", o)
		}
		lay(t, rdb.Client, 20, 2*time.Hour)
		rdb.Pass(every - lookedAt)
		if again, _ := n.Last(); again.When != o.When {
			t.Error("it counts again too soon")
		}
		rdb.Pass(2 * lookedAt)
		if n.reports() != 40 {
			t.Errorf("after five minutes it tells of %d", n.reports())
		}
		rdb.Away()
		rdb.Pass(every + lookedAt)
		if n.reports() != 40 {
			t.Error("what was counted last is forgotten while Redis is away")
		}
		rdb.Back()
		if err := rdb.FlushAll(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		rdb.Pass(lookedAt)
		if o, _ := n.Last(); n.reports() != 0 || time.Since(o.When) > lookedAt || o.Faulty != 0 {
			t.Errorf("a Redis that has forgotten everything: %+v", o)
		}
		if text := n.said.String(); strings.Count(text, "keys in Redis break the catalogue") != 1 || strings.Contains(text, "203.0.113") || strings.Contains(text, "ana") {
			t.Errorf("the log says\n%s", text)
		}
	})
}

// TestGlanceOfSeveral: nodes on one Redis tell the same, and one of them walks for all; whoever
// comes later knows at once. One of them tells the log of what is wrong.
func TestGlanceOfSeveral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb := vtest.NewRedis(t)
		lay(t, rdb.Client, 500, time.Hour)
		if err := rdb.Set(t.Context(), "stray", "x", 0).Err(); err != nil {
			t.Fatal(err)
		}
		nodes := []*node{start(t, rdb, slow), start(t, rdb, slow), start(t, rdb, slow)}
		rdb.Pass(11*time.Second + lookedAt) // 501 keys, and the others look
		for round := 1; round < 4; round++ {
			scans, complaints := 0, 0
			first, _ := nodes[0].Last()
			for i, n := range nodes {
				scans += n.sent.Of("scan")
				complaints += strings.Count(n.said.String(), "keys in Redis break the catalogue")
				if o, _ := n.Last(); n.reports() != 500 || !reflect.DeepEqual(o, first) {
					t.Errorf("round %d: node %d tells %+v, the first %+v", round, i, o, first)
				}
			}
			if scans != round || complaints != 1 { // the embedded server answers a SCAN with all keys
				t.Errorf("after %d rounds there were %d walks, and %d complaints", round, scans, complaints)
			}
			rdb.Pass(every + 30*time.Second)
		}
		late := start(t, rdb, slow)
		if late.reports() != 500 || late.sent.Of("scan") != 0 {
			t.Errorf("a node that has just started tells of %d reports after %d walks", late.reports(), late.sent.Of("scan"))
		}
	})
}

// TestGlanceTakenOver: a walk that takes longer than its lease keeps it; when the node dies another
// one walks, soon. A node that is stopped in an orderly way leaves no lease behind, and one that was
// overtaken stores nothing.
func TestGlanceTakenOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb := vtest.NewRedis(t)
		lay(t, rdb.Client, 2000, time.Hour) // 40 seconds
		dies, stays := start(t, rdb, slow), start(t, rdb, slow)
		rdb.Pass(35 * time.Second)
		if stays.sent.Of("scan") != 0 || dies.sent.Of("scan") != 1 {
			t.Fatalf("%d and %d walks", dies.sent.Of("scan"), stays.sent.Of("scan"))
		}
		dies.rdb.Close() // its next page fails, and it can take nothing back
		rdb.Pass(retention.Counting.TTL() + lookedAt)
		if stays.sent.Of("scan") != 1 || rdb.Exists(t.Context(), retention.Counting.Key()).Val() != 1 {
			t.Fatal("nobody has taken over")
		}
		stays.stop()
		if rdb.Exists(t.Context(), retention.Counting.Key()).Val() != 0 {
			t.Error("a node that was stopped keeps the others waiting")
		}
		heir := start(t, rdb, slow)
		rdb.Pass(20 * time.Second)
		if err := rdb.Set(t.Context(), retention.Counting.Key(), "another", retention.Counting.TTL()).Err(); err != nil {
			t.Fatal(err)
		}
		rdb.Pass(retention.Counting.TTL() - time.Second)
		if got := rdb.Get(t.Context(), retention.Counting.Key()).Val(); got != "another" || rdb.Exists(t.Context(), retention.Counts.Key()).Val() != 0 {
			t.Errorf("the lease of another is held by %q, and counts are stored", got)
		}
		if text := heir.said.String(); !strings.Contains(text, "another node may be at it") || heir.sent.Of("strlen") >= 2000 {
			t.Errorf("who lost the lease has looked at %d keys; its log says\n%s", heir.sent.Of("strlen"), text)
		}
		last := start(t, rdb, slow)
		rdb.Pass(lookedAt + 45*time.Second)
		if last.reports() != 2000 || last.sent.Of("scan") != 1 || heir.reports() != 2000 || heir.sent.Of("scan") != 1 {
			t.Errorf("%d and %d, by %d and %d walks", last.reports(), heir.reports(), last.sent.Of("scan"), heir.sent.Of("scan"))
		}
	})
}

// TestGlanceRests: a walk that fails is not tried again at once by the same node.
func TestGlanceRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb := vtest.NewRedis(t)
		lay(t, rdb.Client, 300, time.Hour)
		n := start(t, rdb, slow)
		rdb.Pass(time.Second)
		rdb.Away()
		rdb.Pass(5 * time.Second) // the second page fails
		rdb.Back()
		rdb.Pass(every - lookedAt)
		if n.sent.Of("scan") != 1 || n.reports() != 0 {
			t.Errorf("it walks again after %d walks, and tells of %d", n.sent.Of("scan"), n.reports())
		}
		rdb.Pass(3 * lookedAt)
		if n.reports() != 300 {
			t.Errorf("it tells of %d", n.reports())
		}
	})
}

// TestCountsAreWhatIsTold: a number that nobody is told is not stored.
func TestCountsAreWhatIsTold(t *testing.T) {
	rdb := vtest.NewRedis(t)
	lay(t, rdb.Client, 1234, 29*24*time.Hour)
	for i := range 7 {
		if err := rdb.Set(t.Context(), retention.Call.Key(fmt.Sprint("c", i)), "runs", retention.CallTime/2).Err(); err != nil {
			t.Fatal(err)
		}
	}
	g := retention.NewGlance(rdb.Client, slog.New(slog.DiscardHandler))
	if err := g.Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	o, _ := g.Last()
	reports, calls := o.Classes[retention.Report], o.Classes[retention.Call]
	if (reports != retention.Known{Records: 1200, Oldest: 29 * 24 * time.Hour}) || (calls != retention.Known{Records: 1}) {
		t.Errorf("%+v and %+v", reports, calls)
	}
	if got := len(o.Classes); got != len(retention.Catalogue()) {
		t.Errorf("of %d classes it tells of %d", len(retention.Catalogue()), got)
	}
	text := rdb.Get(t.Context(), retention.Counts.Key()).Val()
	if !strings.Contains(text, "\nreport 1200 2505600\n") || !strings.Contains(text, "\ncall 1 0\n") {
		t.Errorf("stored is\n%s", text)
	}
}

// TestRounded: what is stored of a number is told as the number is, and no more can be seen from it.
func TestRounded(t *testing.T) {
	least := map[string]int{}
	for n := range 3000 {
		for _, n := range []int{n, n * n, n * n * n} {
			got, says := retention.Rounded(n), retention.Public(n)
			if first, told := least[says]; retention.Public(got) != says || told && first != got {
				t.Fatalf("%d is told as %s and stored as %d, as which %s was stored before", n, says, got, fmt.Sprint(first))
			}
			least[says] = got
		}
	}
}
