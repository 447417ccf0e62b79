package chaos_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/vtest"
	"parley/retention"
)

// house is the installation that is broken.
type house struct {
	t      *testing.T
	seed   uint64
	rnd    *rand.Rand
	redis  *vtest.Server      // one server, or
	set    *vtest.SentinelSet // several, or
	slots  *vtest.Cluster     // many
	faults []fault
	parts  bool // some faults keep nodes from reaching one another, so that what is told may be old
	nodes  []*node
	door   *balancer
	counts map[string]int
	diary  []string // of the faults
}

// fault breaks something for a while, and mends it before it returns.
type fault struct {
	name string
	do   func(h *house, ctx context.Context)
}

// nodeFaults need nothing of Redis.
func nodeFaults() []fault {
	return []fault{
		{"node killed", (*house).killNode},
		{"node stopped by SIGTERM", (*house).drainNode},
		{"node frozen", (*house).freezeNode},
		{"sockets cut", (*house).cutSockets},
	}
}

// serverFaults are those of one Redis and of the way to it.
func serverFaults() []fault {
	return []fault{
		{"redis killed, empty", (*house).killRedis},
		{"redis frozen", (*house).freezeRedis},
		{"redis slow", (*house).slowRedis},
		{"scripts forgotten", (*house).forgetScripts},
		{"connections to redis cut", (*house).cutRedis},
		{"one node without redis", (*house).holeRedis},
		{"replies lost", (*house).loseReplies},
		{"connections dead but open", (*house).strand},
	}
}

// setFaults are those of a primary with replicas.
func setFaults() []fault {
	return []fault{
		{"primary killed", (*house).killPrimary},
		{"primary frozen", (*house).freezePrimary},
		{"failover asked for", (*house).failover},
		{"network split", (*house).split},
	}
}

// clusterFaults are those of masters with replicas.
func clusterFaults() []fault {
	return []fault{
		{"master killed", (*house).killMaster},
		{"queue's slot moved", (*house).moveQueue},
		{"another slot moved", (*house).moveSlot},
	}
}

// rage plays faults until ctx ends, with pauses in between.
func (h *house) rage(ctx context.Context) {
	began := time.Now()
	h.pause(ctx, 3*time.Second) // for the first people to come
	for ctx.Err() == nil {
		h.supervise()
		f := h.faults[h.rnd.IntN(len(h.faults))]
		from := time.Since(began)
		f.do(h, ctx)
		h.counts[f.name]++
		h.diary = append(h.diary, fmt.Sprintf("%.1f to %.1f s: %s", from.Seconds(), time.Since(began).Seconds(), f.name))
		h.pause(ctx, h.between(300*time.Millisecond, 2*time.Second))
	}
}

// supervise starts nodes that have ended by themselves, as those do that find no Redis at their start.
func (h *house) supervise() {
	for _, n := range h.nodes {
		if !n.Runs() {
			n.Start()
			h.counts["node started again by its supervisor"]++
		}
	}
}

func (h *house) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// between is a random time.
func (h *house) between(least, most time.Duration) time.Duration {
	return least + time.Duration(h.rnd.Int64N(int64(most-least)))
}

func (h *house) one() *node { return h.nodes[h.rnd.IntN(len(h.nodes))] }

func (h *house) killNode(ctx context.Context) {
	n := h.one()
	n.Kill()
	h.pause(ctx, h.between(0, 5*time.Second))
	n.Start()
}

func (h *house) drainNode(ctx context.Context) {
	n := h.one()
	n.Signal(syscall.SIGTERM)
	select {
	case <-n.Ended():
	case <-time.After(h.between(3*time.Second, 12*time.Second)): // an impatient operator
		n.Kill()
	}
	h.pause(ctx, h.between(0, 2*time.Second))
	n.Start()
}

func (h *house) freezeNode(ctx context.Context) {
	n := h.one()
	n.Signal(syscall.SIGSTOP)
	h.pause(ctx, h.between(500*time.Millisecond, 8*time.Second))
	n.Signal(syscall.SIGCONT)
}

func (h *house) killRedis(ctx context.Context) {
	h.redis.Kill()
	h.pause(ctx, h.between(0, 4*time.Second))
	h.redis.Again()
}

func (h *house) freezeRedis(ctx context.Context) {
	h.redis.Pause()
	h.pause(ctx, h.between(500*time.Millisecond, 10*time.Second))
	h.redis.Resume()
}

func (h *house) slowRedis(ctx context.Context) {
	for _, n := range h.nodes {
		n.fault.Delay(150 * time.Millisecond) // each way
	}
	h.pause(ctx, h.between(2*time.Second, 6*time.Second))
	h.heal()
}

func (h *house) forgetScripts(ctx context.Context) {
	_ = h.redis.Client().ScriptFlush(ctx).Err() // it may be away
}

func (h *house) cutRedis(context.Context) { h.one().fault.Cut() }

func (h *house) holeRedis(ctx context.Context) {
	h.one().fault.Hole([]vtest.Way{vtest.ToServer, vtest.ToClient, vtest.BothWays}[h.rnd.IntN(3)])
	h.pause(ctx, h.between(time.Second, 8*time.Second))
	h.heal()
}

func (h *house) loseReplies(ctx context.Context) {
	loss := []vtest.Loss{vtest.CloseAfter, vtest.StallAfter, vtest.TearAfter}[h.rnd.IntN(3)]
	for _, n := range h.nodes {
		n.fault.DropReplies(1+h.rnd.IntN(8), loss, "evalsha")
	}
	h.pause(ctx, time.Second)
	h.heal()
}

func (h *house) strand(context.Context) { h.one().fault.Strand() }

func (h *house) killPrimary(ctx context.Context) {
	primary := h.set.Primary() //nolint:contextcheck // bounded by itself
	primary.Kill()
	h.pause(ctx, h.between(2*time.Second, 6*time.Second))
	primary.Again() // the Sentinels make it a replica
}

func (h *house) freezePrimary(ctx context.Context) {
	primary := h.set.Primary() //nolint:contextcheck // bounded by itself
	primary.Pause()
	h.pause(ctx, h.between(500*time.Millisecond, 6*time.Second))
	primary.Resume()
}

func (h *house) failover(ctx context.Context) {
	options := h.set.Sentinels[0].Client().Options()
	c := redis.NewSentinelClient(options)
	defer c.Close()
	_ = c.Failover(ctx, "parley") // refused while one is under way
	h.pause(ctx, 2*time.Second)
}

// killMaster kills one until its replica has taken over, and lets it come back as a replica.
func (h *house) killMaster(ctx context.Context) {
	h.slots.Settled()            //nolint:contextcheck // bounded by itself
	masters := h.slots.Masters() //nolint:contextcheck // bounded by itself
	master := masters[h.rnd.IntN(len(masters))]
	master.Kill()
	h.pause(ctx, h.between(3*time.Second, 8*time.Second))
	master.Again()
}

// moveQueue moves the one slot that the whole queue lies in.
func (h *house) moveQueue(ctx context.Context) {
	h.move(ctx, h.slots.Slot(retention.Lease.Key())) //nolint:contextcheck // bounded by itself
}

func (h *house) moveSlot(ctx context.Context) { h.move(ctx, h.rnd.Int64N(16384)) }

// move carries a slot to another master, slowly.
func (h *house) move(ctx context.Context, slot int64) {
	h.slots.Settled()                                                                                       //nolint:contextcheck // bounded by itself
	from := h.slots.Owner(slot)                                                                             //nolint:contextcheck // bounded by itself
	others := slices.DeleteFunc(h.slots.Masters(), func(s *vtest.Server) bool { return s == from })         //nolint:contextcheck // bounded by itself
	h.slots.Move(slot, from, others[h.rnd.IntN(len(others))], func() { h.pause(ctx, 50*time.Millisecond) }) //nolint:contextcheck // bounded by itself
}

// split leaves the primary and one node to themselves. It goes on taking what that node writes, while
// the others have another primary. It is mended when the old one has become a replica.
func (h *house) split(ctx context.Context) {
	h.set.Split(h.set.Primary().Pid(), h.one().Pid()) //nolint:contextcheck // bounded by itself
	h.pause(ctx, h.between(3*time.Second, 12*time.Second))
	h.set.Join()
	h.set.Settled() //nolint:contextcheck // bounded by itself
}

func (h *house) cutSockets(context.Context) { h.door.Cut(h.one().host) }

func (h *house) heal() {
	for _, n := range h.nodes {
		n.fault.Heal()
	}
}
