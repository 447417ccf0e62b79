package vtest

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// slots is how many a Cluster has.
const slots = 16384

// Cluster is a Redis Cluster of three masters, all real processes.
type Cluster struct {
	Nodes []*Server
	t     testing.TB
	more  []string // arguments of each
}

// StartCluster starts a Cluster that serves every slot, each server with more arguments after its own.
// It ends with the test.
func StartCluster(t testing.TB, args ...string) *Cluster {
	t.Helper()
	c := &Cluster{t: t, more: args}
	for i := range 3 {
		node, bus := c.start()
		node.Run("CLUSTER", "SET-CONFIG-EPOCH", i+1)
		node.Run("CLUSTER", "ADDSLOTSRANGE", i*slots/3, (i+1)*slots/3-1)
		c.join(node, bus)
	}
	for _, node := range c.Nodes {
		one := node.Client()
		until(t, "the Cluster does not come up", func(ctx context.Context) bool {
			info := one.ClusterInfo(ctx).Val()
			return strings.Contains(info, "cluster_state:ok") && strings.Contains(info, "cluster_size:3")
		})
	}
	return c
}

// start starts a node, and returns the port at which the others reach it.
func (c *Cluster) start() (node *Server, bus string) {
	c.t.Helper()
	_, bus, err := net.SplitHostPort(FreeAddr(c.t))
	if err != nil {
		c.t.Fatal(err)
	}
	// The usual port of the bus, 10000 above the other, may be none.
	node = StartServer(c.t, append([]string{
		"--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", "2000", "--repl-diskless-sync-delay", "0",
	}, c.more...)...)
	return node, bus
}

// join lets the first node meet one more.
func (c *Cluster) join(node *Server, bus string) {
	c.t.Helper()
	if c.Nodes = append(c.Nodes, node); node != c.Nodes[0] {
		host, port, _ := strings.Cut(node.Addr, ":")
		c.Nodes[0].Run("CLUSTER", "MEET", host, port, bus)
	}
}

// AddReplica starts a replica of one of the masters, and waits until it could take over.
func (c *Cluster) AddReplica(of *Server) *Server {
	c.t.Helper()
	node, bus := c.start()
	c.join(node, bus)
	one, id := node.Client(), of.Run("CLUSTER", "MYID")
	until(c.t, "the replica does not meet its master", func(ctx context.Context) bool {
		return one.Do(ctx, "CLUSTER", "REPLICATE", id).Err() == nil
	})
	master := of.Client()
	until(c.t, "the replica does not come up", func(ctx context.Context) bool {
		return strings.Contains(one.Info(ctx, "replication").Val(), "master_link_status:up") &&
			strings.Contains(master.Info(ctx, "replication").Val(), "state=online")
	})
	return node
}

// Settled returns when all nodes serve every slot and agree on it, and each of the three masters has a
// replica that could take over. It fails the test when that does not come about.
func (c *Cluster) Settled() {
	c.t.Helper()
	until(c.t, "the Cluster does not settle", func(ctx context.Context) bool {
		slaves := 0
		for _, node := range c.Nodes {
			one := node.Client()
			info, role := one.ClusterInfo(ctx).Val(), one.Info(ctx, "replication").Val()
			slaves += strings.Count(role, "state=online")
			if !strings.Contains(info, "cluster_state:ok") || strings.Contains(role, "role:slave") && !strings.Contains(role, "master_link_status:up") {
				return false
			}
		}
		return slaves >= len(c.Nodes)-3 && c.serves(0) != nil && c.serves(slots-1) != nil //nolint:contextcheck // bounded by itself
	})
}

// URL is how parley is told of this Cluster.
func (c *Cluster) URL() string {
	var hosts []string
	for _, node := range c.Nodes {
		hosts = append(hosts, node.Addr)
	}
	return "redis-cluster://" + c.Nodes[0].who() + strings.Join(hosts, ",")
}

// Client returns the client that parley would use. It is closed with the test.
func (c *Cluster) Client() redis.UniversalClient { return open(c.t, c.URL()) }

// Slot returns the number of the slot in which key lies.
func (c *Cluster) Slot(key string) int64 {
	c.t.Helper()
	n, ok := c.Nodes[0].Run("CLUSTER", "KEYSLOT", key).(int64)
	if !ok {
		c.t.Fatal("no number of a slot")
	}
	return n
}

// Move carries a slot with its keys from one node to another, as redis-cli --cluster reshard
// --cluster-replace does, and tells all masters. With between, it calls that after each ten keys.
// A key may be in both places by then: a script that runs at the new one writes what it does not find.
func (c *Cluster) Move(slot int64, from, to *Server, between func()) {
	c.t.Helper()
	source, target := from.Run("CLUSTER", "MYID"), to.Run("CLUSTER", "MYID")
	to.Run("CLUSTER", "SETSLOT", slot, "IMPORTING", source)
	from.Run("CLUSTER", "SETSLOT", slot, "MIGRATING", target)
	host, port, _ := strings.Cut(to.Addr, ":")
	for {
		keys, ok := from.Run("CLUSTER", "GETKEYSINSLOT", slot, 10).([]any)
		if !ok || len(keys) == 0 {
			break
		}
		from.Run(append([]any{"MIGRATE", host, port, "", 0, 5000, "REPLACE", "KEYS"}, keys...)...)
		if between != nil {
			between()
		}
	}
	to.Run("CLUSTER", "SETSLOT", slot, "NODE", target)
	from.Run("CLUSTER", "SETSLOT", slot, "NODE", target)
	for _, node := range c.Masters() {
		if node != to && node != from {
			node.Run("CLUSTER", "SETSLOT", slot, "NODE", target)
		}
	}
}

// Owner returns the node that serves a slot.
func (c *Cluster) Owner(slot int64) *Server {
	c.t.Helper()
	owner := c.serves(slot)
	if owner == nil {
		c.t.Fatalf("nobody serves slot %d", slot)
	}
	return owner
}

// serves is Owner, or nil if there is none.
func (c *Cluster) serves(slot int64) *Server {
	c.t.Helper()
	for _, node := range c.Nodes {
		own := fmt.Sprint(node.Run("CLUSTER", "MYID"))
		ranges, ok := node.Run("CLUSTER", "SLOTS").([]any)
		if !ok {
			continue
		}
		for _, r := range ranges {
			one, ok := r.([]any)
			if ok && len(one) > 2 && one[0].(int64) <= slot && slot <= one[1].(int64) && strings.Contains(fmt.Sprint(one[2]), own) {
				return node
			}
		}
	}
	return nil
}

// Masters returns the nodes that serve slots now.
func (c *Cluster) Masters() (all []*Server) {
	c.t.Helper()
	for _, node := range c.Nodes {
		if role, ok := node.Run("ROLE").([]any); ok && len(role) > 0 && role[0] == "master" {
			all = append(all, node)
		}
	}
	return all
}
