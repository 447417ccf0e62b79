package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"parley/internal/history"
	"parley/internal/simulate"
	"parley/internal/vtest"
)

const (
	usual = 60 * time.Second // PARLEY_CHAOS says otherwise, for example 20m
	apart = 35 * time.Second // mail between nodes that cannot reach one another, before a reset
	calm  = 15 * time.Second // at the end, without faults, for people to find back
)

// TestChaos breaks three nodes, their Redis and what lies between for a minute, while people arrive,
// talk, drop their sockets and vanish. PARLEY_CHAOS_SEED plays the faults of an earlier run again.
func TestChaos(t *testing.T) {
	long := length(t)
	t.Parallel()
	h := newHouse(t)
	h.redis = vtest.StartServer(t)
	h.faults = slices.Concat(nodeFaults(), serverFaults())
	h.furnish(t, func(n *node) string {
		n.fault = vtest.NewFault(t, h.redis.AsParley().Options())
		return "redis://" + n.fault.Listen()
	})
	h.parts = true
	h.play(t, long)
}

// TestChaosSentinel is the same on a primary with replicas that Sentinels watch. A failover may forget
// what was written last, and what it forgets may not become a wrong match.
func TestChaosSentinel(t *testing.T) {
	long := length(t)
	t.Parallel()
	h := newHouse(t)
	h.set = vtest.StartSplittable(t)
	h.faults = slices.Concat(nodeFaults(), setFaults(), setFaults())
	h.furnish(t, func(*node) string { return h.set.URL() })
	h.parts = true
	h.play(t, long)
}

// TestChaosCluster is the same on a Cluster of three masters with a replica each, whose slots move.
func TestChaosCluster(t *testing.T) {
	long := length(t)
	t.Parallel()
	h := newHouse(t)
	h.slots = vtest.StartCluster(t)
	for _, master := range h.slots.Nodes[:3] {
		h.slots.AddReplica(master)
	}
	h.faults = slices.Concat(nodeFaults(), clusterFaults(), clusterFaults())
	h.furnish(t, func(*node) string { return h.slots.URL() })
	h.parts = true
	h.play(t, long)
}

// length says for how long people live in the house.
func length(t *testing.T) time.Duration {
	t.Helper()
	return plan(t, "PARLEY_CHAOS", usual, time.ParseDuration)
}

func newHouse(t *testing.T) *house {
	t.Helper()
	seed := sow(t)
	return &house{
		t: t, seed: seed, rnd: rand.New(rand.NewPCG(seed, 1)), door: newBalancer(t), counts: map[string]int{},
	}
}

// furnish starts three nodes; store says for each where its Redis is.
func (h *house) furnish(t *testing.T, store func(*node) string) {
	t.Helper()
	h.build(t, store)
	h.open(t)
}

// build makes three nodes.
func (h *house) build(t *testing.T, store func(*node) string) {
	t.Helper()
	state := t.TempDir()
	for range 3 {
		h.nodes = append(h.nodes, newNode(t, "http://"+h.door.Addr, state, store))
	}
}

// open starts the nodes.
func (h *house) open(t *testing.T) {
	t.Helper()
	for _, n := range h.nodes {
		n.Start()
	}
	h.door.nodes.Store(&h.nodes)
	h.await(t)
}

// play lets people live in the house while it is broken, and judges what they met.
func (h *house) play(t *testing.T, long time.Duration) {
	t.Helper()
	people := &crowd{cfg: simulate.Config{Rate: 4, People: 80, For: long, Ramp: 5 * time.Second, Behaviour: restless()}}
	h.visit(t, people, func(context.CancelFunc) {
		ctx, cancel := context.WithTimeout(t.Context(), long-calm)
		defer cancel()
		h.rage(ctx)
	})
	if h.judge(t, people).Calls == 0 {
		t.Error("nobody talked at all")
	}
}

// await returns when every node takes connections.
func (h *house) await(t *testing.T) {
	t.Helper()
	for _, n := range h.nodes {
		deadline := time.Now().Add(20 * time.Second)
		for !n.answers() {
			if time.Now().After(deadline) || !n.Runs() {
				t.Fatalf("a node does not start:\n%s", n.Said())
			}
			h.pause(t.Context(), 50*time.Millisecond)
		}
	}
}

// crowd are people who come to the house, and what they did and were told.
type crowd struct {
	name   string
	cfg    simulate.Config
	result *simulate.Summary
	file   string
}

// visit lets people use the house while something happens to it, and returns when both are over.
// What happens may end the visit.
func (h *house) visit(t *testing.T, c *crowd, happens func(end context.CancelFunc)) {
	t.Helper()
	c.file = historyFile(t, c.name)
	cfg := c.cfg
	out, err := os.Create(c.file)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	target, err := simulate.ParseTarget("http://" + h.door.Addr)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Targets, cfg.Forwarded, cfg.Seed = []simulate.Target{target}, true, h.seed
	cfg.Limits = simulate.Limits{MaxErrors: -1, MaxLost: -1}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	record := history.NewRecorder(out)
	var event sync.WaitGroup
	event.Go(func() { happens(end) })
	c.result, err = simulate.Run(ctx, cfg, os.Stderr, record)
	event.Wait()
	if err = errors.Join(err, record.Close()); err != nil {
		t.Fatal(err)
	}
}

// historyFile is where the history goes; PARLEY_CHAOS_HISTORY keeps it.
func historyFile(t *testing.T, name string) string {
	if dir := os.Getenv("PARLEY_CHAOS_HISTORY"); dir != "" {
		return filepath.Join(dir, t.Name()+name)
	}
	return filepath.Join(t.TempDir(), "history"+name)
}

// restless people do everything that people do, and more often.
func restless() simulate.Behaviour {
	return simulate.Behaviour{
		Talk: 12 * time.Second, Patience: 90 * time.Second, Next: 0.7, Skip: 0.2, Report: 0.1, Block: 0.05,
		Drop: 0.3, Vanish: 0.05, Ignore: 0.02, Languages: []string{"en", "es"},
	}
}

// judge prints what happened and checks the history.
func (h *house) judge(t *testing.T, c *crowd) *history.Result {
	t.Helper()
	var says strings.Builder
	_ = c.result.Print(&says)
	for _, name := range slices.Sorted(maps.Keys(h.counts)) {
		fmt.Fprintf(&says, "%9d  %s\n", h.counts[name], name)
	}
	in, err := os.Open(c.file)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	check := history.Check
	if h.parts {
		check = func(in io.Reader) (*history.Result, error) { return history.CheckHeld(in, apart) }
	}
	result, err := check(in)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&says, "%d events of %d people in %d calls, %d envelopes: %d violations\n",
		result.Events, result.People, result.Calls, result.Envelopes, len(result.Violations))
	t.Log(says.String())
	for _, v := range result.Violations {
		t.Error(v)
	}
	if t.Failed() {
		t.Log("faults:\n" + strings.Join(h.diary, "\n"))
	}
	return result
}
