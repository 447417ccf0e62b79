package signaling

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/retention"
)

// OtherRelays is how the nodes of an installation share their relays. What one says of its relay
// is text to signaling, which only the package that has the relay reads.
type OtherRelays struct {
	Announce func() string                           // what other nodes must know of this node's relay
	Meet     func(announced []string)                // told of the relays of all other nodes that live, when that changes
	Ice      func(call string, announced string) Ice // credentials of one of them; without servers while it takes nobody
	Open     func(room string, announced string) Ice // the same for a private room
	End      func(call string)                       // told of each call that is over, wherever it was
}

// announceEvery is how often a node says that its relay is there. What it said lasts as long as a
// lease, so a relay that is gone is known to be after four seconds.
const announceEvery = time.Second

// spare is how many relays are named when none of the nodes of a call has one to offer.
const spare = 2

// fleet knows the relays of the other nodes.
type fleet struct {
	rdb redis.UniversalClient
	cfg OtherRelays

	mu    sync.Mutex        // guards the following
	known map[string]string // what each says
}

// announce says that the relay of this node is there and reads what the others say, until ctx ends.
// Then it takes its word back.
func (h *Hub) announce(ctx context.Context) {
	tick := time.NewTicker(announceEvery)
	defer tick.Stop()
	for {
		if err := h.fleet.look(ctx, h.node, h.cfg.Queue.Living()); err != nil && ctx.Err() == nil {
			h.complain(ctx)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishWithin)
			defer cancel()
			_ = h.fleet.rdb.Del(last, retention.Relay.Key(h.node)).Err() // or it runs out by itself
			return
		}
	}
}

// look tells of this node and asks for the others.
func (f *fleet) look(ctx context.Context, node string, living []string) error {
	ctx, cancel := context.WithTimeout(ctx, jobTime)
	defer cancel()
	if err := f.rdb.Set(ctx, retention.Relay.Key(node), f.cfg.Announce(), retention.Relay.TTL()).Err(); err != nil {
		return fmt.Errorf("announce the relay: %w", err)
	}
	var others, keys []string
	for _, other := range living {
		if other != node {
			others, keys = append(others, other), append(keys, retention.Relay.Key(other))
		}
	}
	said := map[string]string{}
	if len(keys) > 0 {
		texts, err := f.rdb.MGet(ctx, keys...).Result()
		if err != nil {
			return fmt.Errorf("read what relays announce: %w", err)
		}
		for i, text := range texts {
			if text, is := text.(string); is {
				said[others[i]] = text
			}
		}
	}
	f.heard(said)
	return nil
}

// heard takes in all that the others say, and passes it on if it is news.
func (f *fleet) heard(said map[string]string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !maps.Equal(f.known, said) {
		f.known = said
		f.cfg.Meet(slices.Sorted(maps.Values(said)))
	}
}

// of returns what a node says of its relay, "" when it says nothing.
func (f *fleet) of(node string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.known[node]
}

// others returns the nodes that have a relay in an order that differs between calls, so that all
// are used, and that all nodes agree on.
func (f *fleet) others(call string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	weight := func(node string) uint64 {
		sum := fnv.New64a()
		_, _ = sum.Write([]byte(call + " " + node)) // never fails
		return sum.Sum64()
	}
	return slices.SortedFunc(maps.Keys(f.known), func(a, b string) int { return cmp.Compare(weight(a), weight(b)) })
}

// ice returns credentials of the relays of nodes. If none of these has a relay that takes anybody,
// those of others do.
func (h *Hub) ice(of relayed, nodes []string) Ice {
	call, here, there := of.name, h.cfg.Ice, h.cfg.Others.Ice
	if of.kind != "" {
		here, there = h.cfg.Open, h.cfg.Others.Open
	}
	all := Ice{Servers: []IceServer{}}
	if len(nodes) == 0 {
		return all
	}
	add := func(more Ice) {
		if len(more.Servers) > 0 {
			all.Servers, all.TTLMS = append(all.Servers, more.Servers...), more.TTLMS // the same for all
		}
	}
	for _, node := range nodes {
		if node == h.node {
			add(here(call))
		} else if text := h.fleet.of(node); text != "" {
			add(there(call, text))
		}
	}
	if len(all.Servers) > 0 {
		return all
	}
	for _, node := range h.fleet.others(call) {
		if add(there(call, h.fleet.of(node))); len(all.Servers) >= spare {
			break
		}
	}
	return all
}

// endRelays lets no relay of the installation be made for a call any more. A node that does not
// hear of it forgets by itself, as credentials are good for minutes only.
func (h *Hub) endRelays(call string) {
	if h.cfg.Others.End == nil || call == "" {
		return
	}
	h.cfg.Others.End(call)
	for _, node := range h.cfg.Queue.Living() {
		if node != h.node {
			h.send(node, "", kindOf(mailEnded, call))
		}
	}
}
