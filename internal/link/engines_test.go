package link_test

import (
	"testing"
	"time"

	"parley/internal/store"
	"parley/internal/vtest"
	"parley/retention"
)

// duo is two links on a real Redis that the program's own clients lead to.
type duo struct {
	t    *testing.T
	n    [2]*node
	sent [2]uint64
}

func newDuo(t *testing.T, url string) *duo {
	where, err := store.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	d := &duo{t: t}
	for i := range d.n {
		client, pubsub := where.Open(), where.Listener()
		var stop func()
		d.n[i], stop = start(t, name(byte('a'+i)), client, pubsub, func(string) *node { return &node{} })
		t.Cleanup(func() {
			stop()
			client.Close()
			pubsub.Close()
		})
	}
	d.await("both are up", func(i int) bool { return d.n[i].Up() })
	return d
}

// await waits until something holds for both.
func (d *duo) await(what string, holds func(i int) bool) {
	d.t.Helper()
	late := time.After(20 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for i := range d.n {
		for !holds(i) {
			select {
			case <-tick.C:
			case <-late:
				d.t.Fatalf("not within 20 s: %s; %d: %+v", what, i, d.n[i].Counts())
			}
		}
	}
}

// send sends the next messages of node i and tells how many were refused.
func (d *duo) send(i, messages int) (refused int) {
	for range messages {
		if d.n[i].Send(d.n[1-i].name, "", numbered(d.sent[i]+1)) {
			d.sent[i]++
		} else {
			refused++
		}
	}
	return refused
}

// talk sends from both for a time.
func (d *duo) talk(during time.Duration) (refused int) {
	end := time.After(during)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-end:
			return refused
		case <-tick.C:
			refused += d.send(0, 3) + d.send(1, 1)
		}
	}
}

// complete waits until all has arrived, in order, once and without a reset.
func (d *duo) complete() {
	d.t.Helper()
	d.await("all that was sent arrives", func(i int) bool {
		n := d.n[1-i]
		n.mu.Lock()
		defer n.mu.Unlock()
		return uint64(len(n.heard[d.n[i].name])) >= d.sent[i]
	})
	for i := range d.n {
		n := d.n[1-i]
		n.mu.Lock()
		for k, number := range n.heard[d.n[i].name] {
			if number != uint64(k)+1 {
				d.t.Fatalf("%d in place %d", number, k)
			}
		}
		n.mu.Unlock()
	}
}

// TestLinkEngines: messages pass on every shape of Redis. In a Cluster too they come in order by
// themselves, although PUBLISH may go to any of its nodes.
func TestLinkEngines(t *testing.T) {
	for _, shape := range []struct {
		name  string
		start func() string
	}{
		{"redis-server", func() string { return vtest.StartServer(t).URL() }},
		{"sentinel", func() string { return vtest.StartSentinel(t).URL() }},
		{"cluster", func() string { return vtest.StartCluster(t).URL() }},
	} {
		t.Run(shape.name, func(t *testing.T) {
			d := newDuo(t, shape.start())
			for range 20 {
				if d.send(0, 100)+d.send(1, 50) > 0 {
					t.Error("refused")
				}
				d.complete()
			}
			d.talk(500 * time.Millisecond)
			d.complete()
			for i := range d.n {
				if c := d.n[i].Counts(); c.Gaps+c.Rebuilds+c.Resets+c.Garbage > 0 {
					t.Errorf("%+v", c)
				}
			}
		})
	}
}

// TestLinkServerDies: redis-server is killed, comes back empty after two seconds, and is stopped for
// three. Nothing is lost, and the links are back within 3 s each time.
func TestLinkServerDies(t *testing.T) {
	s := vtest.StartServer(t)
	d := newDuo(t, s.URL())
	d.talk(200 * time.Millisecond)
	s.Kill()
	d.talk(2 * time.Second)
	if d.n[0].Up() || d.n[1].Up() {
		t.Error("up without a Redis")
	}
	s.Again()
	d.back()
	s.Pause()
	d.talk(3 * time.Second)
	d.n[0].mu.Lock()
	if ups := d.n[0].ups; d.n[0].Up() || ups[len(ups)-1] {
		t.Error("up although nothing is published", ups)
	}
	d.n[0].mu.Unlock()
	s.Resume()
	d.back()
}

// back holds the links to be up within 3 s, and complete.
func (d *duo) back() {
	d.t.Helper()
	start := time.Now()
	d.await("both are up again", func(i int) bool { return d.n[i].Up() })
	if took := time.Since(start); took > 3*time.Second {
		d.t.Error("back after", took)
	}
	d.talk(200 * time.Millisecond)
	d.complete()
}

// TestLinkSentinel: the primary is killed under traffic, after a moment in which a loaded machine
// let the Sentinels wait. Nothing is lost.
func TestLinkSentinel(t *testing.T) {
	set := vtest.StartSentinel(t)
	d := newDuo(t, set.URL())
	d.talk(200 * time.Millisecond)
	for _, one := range set.Sentinels {
		one.Pause()
	}
	d.talk(2200 * time.Millisecond)
	for _, one := range set.Sentinels {
		one.Resume()
	}
	set.Primary().Kill()
	start := time.Now()
	refused := d.talk(3 * time.Second)
	d.complete()
	t.Logf("complete %v after the primary was killed; %d refused; %+v", time.Since(start).Round(time.Millisecond), refused, d.n[0].Counts())
	d.talk(200 * time.Millisecond)
	d.complete()
}

// TestLinkClusterMoves: the slot of a channel moves under traffic, and the node that serves it dies
// for two seconds. Nothing is lost.
func TestLinkClusterMoves(t *testing.T) {
	c := vtest.StartCluster(t)
	d := newDuo(t, c.URL())
	slot := c.Slot(retention.Bus.Key(d.n[1].name))
	from := c.Owner(slot)
	to := c.Nodes[0]
	if to == from {
		to = c.Nodes[1]
	}
	d.talk(200 * time.Millisecond)
	c.Move(slot, from, to, nil)
	d.talk(300 * time.Millisecond)
	d.complete()
	to.Kill()
	d.talk(2 * time.Second)
	to.Again()
	start := time.Now()
	d.complete()
	t.Logf("complete %v after the node was back; %+v", time.Since(start).Round(time.Millisecond), d.n[0].Counts())
}
