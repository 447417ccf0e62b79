package retention_test

import (
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/vtest"
	"parley/retention"
)

// pair is two nodes on one Redis, driven by hand, and whoever may do everything there.
type pair struct {
	t     *testing.T
	one   *retention.Glance
	other *retention.Glance
	open  func() redis.UniversalClient // of one more node
	admin redis.UniversalClient
	scans func() int // how many SCANs the servers have answered
}

// TestCounts: the counts that nodes share, on every shape of Redis.
func TestCounts(t *testing.T) {
	t.Run("embedded", func(t *testing.T) {
		rdb := vtest.NewRedis(t)
		var all []*vtest.Commands
		p := &pair{t: t, admin: rdb.Client}
		p.open = func() redis.UniversalClient {
			c := rdb.Another()
			all = append(all, vtest.Watch(c))
			return c
		}
		p.scans = func() (n int) {
			for _, c := range all {
				n += c.Of("scan")
			}
			return n
		}
		p.counts()
	})
	for _, e := range vtest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			url, servers := e.Run(t)
			p := &pair{t: t, open: func() redis.UniversalClient { return vtest.Open(t, url) }, scans: func() int { return scansOf(t, servers) }}
			admin, done := vtest.Admin(p.open())
			defer done()
			p.admin = admin
			p.counts()
		})
	}
}

// scansOf asks servers how often they were sent SCAN.
func scansOf(t *testing.T, servers []*vtest.Server) (n int) {
	t.Helper()
	for _, s := range servers {
		info, ok := s.Run("INFO", "commandstats").(string)
		if !ok {
			t.Fatal("no INFO")
		}
		_, line, _ := strings.Cut(info, "cmdstat_scan:calls=")
		calls := 0
		for _, digit := range line {
			if digit < '0' || digit > '9' {
				break
			}
			calls = 10*calls + int(digit-'0')
		}
		n += calls
	}
	return n
}

func (p *pair) glance() *retention.Glance {
	return retention.NewGlance(p.open(), slog.New(slog.DiscardHandler))
}

// look lets nodes look at the same time, and tells how many SCANs that took.
func (p *pair) look(nodes ...*retention.Glance) (scans int) {
	p.t.Helper()
	before := p.scans()
	errs := make([]error, len(nodes))
	var wg sync.WaitGroup
	for i, g := range nodes {
		wg.Go(func() { errs[i] = g.Look(p.t.Context()) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			p.t.Error(err)
		}
	}
	return p.scans() - before
}

// lives gives a key another time to live; 0 takes that from it.
func (p *pair) lives(c retention.Class, left time.Duration) {
	p.t.Helper()
	err := p.admin.PExpire(p.t.Context(), c.Key(), left).Err()
	if left == 0 {
		err = p.admin.Persist(p.t.Context(), c.Key()).Err()
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *pair) set(c retention.Class, value string, left time.Duration) {
	p.t.Helper()
	if err := p.admin.Set(p.t.Context(), c.Key(), value, left).Err(); err != nil {
		p.t.Fatal(err)
	}
}

// told fails the test unless a node tells of so many reports.
func (p *pair) told(g *retention.Glance, reports int) {
	p.t.Helper()
	if o, there := g.Last(); o.Classes[retention.Report].Records != reports || !there {
		p.t.Errorf("a node tells of %+v, want %d reports", o, reports)
	}
}

func (p *pair) counts() {
	t := p.t
	lay(t, p.admin, 20, time.Hour)
	p.one, p.other = p.glance(), p.glance()
	walk := p.look(p.one)
	if walk == 0 {
		t.Fatal("control: no SCAN was seen")
	}
	p.told(p.one, 20)
	if n := p.look(p.other, p.one); n != 0 {
		t.Errorf("what was just counted is counted again: %d SCANs", n)
	}
	a, _ := p.one.Last()
	if b, _ := p.other.Last(); !reflect.DeepEqual(a, b) {
		t.Errorf("two nodes tell of\n%+v and\n%+v", a, b)
	}

	lay(t, p.admin, 30, 2*time.Hour)
	p.lives(retention.Counts, retention.CountsTime-every+time.Minute)
	if n := p.look(p.one, p.other); n != 0 {
		t.Errorf("what was counted four minutes ago is counted again: %d SCANs", n)
	}
	p.lives(retention.Counts, retention.CountsTime-every)
	if n := p.look(p.one, p.other); n != walk {
		t.Errorf("two nodes walk with %d SCANs, want %d", n, walk)
	}
	p.look(p.one, p.other)
	p.told(p.one, 50)
	p.told(p.other, 50)

	p.dies(walk)
	p.planted(walk)
	if faults, err := retention.Audit(t.Context(), p.open()); err != nil || len(faults) != 0 {
		t.Errorf("%v %v", faults, err)
	}
}

// dies: while another node counts, and when it has died.
func (p *pair) dies(walk int) {
	t := p.t
	p.lives(retention.Counts, retention.CountsTime-every)
	p.set(retention.Counting, "dead", retention.Counting.TTL())
	fresh := p.glance()
	if n := p.look(p.one, p.other, fresh); n != 0 {
		t.Errorf("two nodes count at once: %d SCANs", n)
	}
	p.told(fresh, 50)
	p.lives(retention.Counting, 0)
	if n := p.look(p.one); n != walk {
		t.Errorf("a lease without an end is for ever: %d SCANs, want %d", n, walk)
	}
	p.lives(retention.Counts, retention.CountsTime-every)
	p.set(retention.Counting, "dead", retention.Counting.TTL()+time.Hour)
	if n := p.look(p.other); n != walk {
		t.Errorf("a lease longer than declared holds: %d SCANs, want %d", n, walk)
	}
	if p.admin.Exists(t.Context(), retention.Counting.Key()).Val() != 0 {
		t.Error("the lease is kept after the count")
	}
}

// planted: counts that are not as they should be last for one pause at the most, and nobody is shown
// what cannot be read.
func (p *pair) planted(walk int) {
	t := p.t
	p.lives(retention.Counts, 0)
	if n := p.look(p.one); n != walk {
		t.Errorf("counts without an end are new for ever: %d SCANs, want %d", n, walk)
	}
	p.lives(retention.Counts, retention.CountsTime+time.Hour)
	if n := p.look(p.one); n != walk {
		t.Errorf("counts that last longer than declared are new: %d SCANs, want %d", n, walk)
	}
	for text, says := range map[string]string{
		"": "", "x": "shape", "at 1 took 1\nreport 1 0\n": "shape", "at 1 took 1 faulty 0\nreport 90\n": "line", "at 1 took 1 faulty 0\nreport -1 0\n": "line",
		"at 1 took 1 faulty 0\n" + strings.Repeat("report 1 0\n", 800): "shape",
	} {
		p.set(retention.Counts, text, retention.CountsTime)
		err := p.one.Look(t.Context())
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("of %.40q it says %v, want %q", text, err, says)
		}
		p.told(p.one, 50)
	}
	p.set(retention.Counts, "at 1700000000 took 1500 faulty 2 of 9\nreport 90 60\nof-a-newer-parley 10 20 30\n", retention.CountsTime)
	p.look(p.one)
	want := retention.Outline{When: time.Unix(1_700_000_000, 0), Took: 1500 * time.Millisecond, Faulty: 2, Classes: make(map[retention.Class]retention.Known)}
	want.Classes[retention.Report] = retention.Known{Records: 90, Oldest: time.Minute}
	if o, _ := p.one.Last(); !reflect.DeepEqual(o, want) {
		t.Errorf("of a newer parley it tells %+v, want %+v", o, want)
	}
	p.lives(retention.Counts, retention.CountsTime-every)
	p.look(p.one)
	p.told(p.one, 50)
}

// TestCountsFull: a server that is full takes no new counts, and tells the old ones.
func TestCountsFull(t *testing.T) {
	server := vtest.StartServer(t)
	lay(t, server.Client(), 20, time.Hour)
	if err := retention.NewGlance(server.AsParley(), slog.New(slog.DiscardHandler)).Look(t.Context()); err != nil {
		t.Fatal(err)
	}
	server.Run("PEXPIRE", retention.Counts.Key(), (retention.CountsTime - every).Milliseconds())
	server.Run("CONFIG", "SET", "maxmemory", "1")
	g := retention.NewGlance(server.AsParley(), slog.New(slog.DiscardHandler))
	err := g.Look(t.Context())
	if o, there := g.Last(); !there || o.Classes[retention.Report].Records != 20 || err != nil {
		t.Errorf("%+v, %v", o, err)
	}
	if server.Client().Exists(t.Context(), retention.Counting.Key()).Val() != 0 {
		t.Error("control: it took the lease")
	}
}
