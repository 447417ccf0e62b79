package vtest

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
)

// Engine is one shape of a real Redis that parley supports.
type Engine struct {
	Name string
	// Run starts it, each server with more arguments after its own, and returns how parley is told of it
	// and which servers hold keys. It ends with the test.
	Run func(t testing.TB, args ...string) (url string, servers []*Server)
}

// Start starts it and returns the client that parley would use, which is closed with the test.
func (e Engine) Start(t testing.TB) redis.UniversalClient {
	t.Helper()
	url, _ := e.Run(t)
	return open(t, url)
}

// Engines returns all of them. A suite starts each once and empties it by [Flush] between its tests,
// for a Sentinel set and a Cluster take seconds to come up. The embedded store, whose time a test
// lets pass, is [NewRedis].
func Engines() []Engine {
	return []Engine{
		{"redis-server", func(t testing.TB, args ...string) (string, []*Server) {
			s := StartServer(t, args...)
			return s.URL(), []*Server{s}
		}},
		{"sentinel", func(t testing.TB, args ...string) (string, []*Server) {
			s := StartSentinel(t, args...)
			return s.URL(), s.Nodes
		}},
		{"cluster", func(t testing.TB, args ...string) (string, []*Server) {
			c := StartCluster(t, args...)
			return c.URL(), c.Nodes
		}},
	}
}

// Open returns the client that parley would make for an address. It is closed with the test.
func Open(t testing.TB, url string) redis.UniversalClient { return open(t, url) }

// Flush removes every key, on all masters.
func Flush(ctx context.Context, rdb redis.UniversalClient) error {
	admin, close := Admin(rdb)
	defer close()
	if all, is := admin.(*redis.ClusterClient); is {
		return all.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error { return node.FlushAll(ctx).Err() })
	}
	return admin.FlushAll(ctx).Err()
}

// AllKeys returns, sorted, every key, of all masters.
func AllKeys(ctx context.Context, rdb redis.UniversalClient) ([]string, error) {
	admin, close := Admin(rdb)
	defer close()
	all, is := admin.(*redis.ClusterClient)
	if !is {
		keys, err := admin.Keys(ctx, "*").Result()
		slices.Sort(keys)
		return keys, err
	}
	var mu sync.Mutex // guards keys: the masters are asked at the same time
	var keys []string
	err := all.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
		some, err := node.Keys(ctx, "*").Result()
		mu.Lock()
		defer mu.Unlock()
		keys = append(keys, some...)
		return err
	})
	slices.Sort(keys)
	return keys, err
}
