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
	Name  string
	Start func(testing.TB) redis.UniversalClient // as parley would open it; both end with the test
}

// Engines returns all of them. A suite starts each once and empties it by [Flush] between its tests,
// for a Sentinel set and a Cluster take seconds to come up. The embedded store, whose time a test
// lets pass, is [NewRedis].
func Engines() []Engine {
	return []Engine{
		{"redis-server", func(t testing.TB) redis.UniversalClient { return open(t, StartServer(t).URL()) }},
		{"sentinel", func(t testing.TB) redis.UniversalClient { return StartSentinel(t).Client() }},
		{"cluster", func(t testing.TB) redis.UniversalClient { return StartCluster(t).Client() }},
	}
}

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
