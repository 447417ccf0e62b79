package retention

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Fault is one key that breaks the catalogue's promise.
type Fault struct {
	Key  string
	Says string // what is wrong, in words
}

// Audit walks every key of rdb and returns those that are not in the catalogue, have another type
// than declared, lack an expiry, or would live longer than declared. It reads only, by SCAN.
func Audit(ctx context.Context, rdb redis.UniversalClient) ([]Fault, error) {
	var mu sync.Mutex // guards faults: the masters of a cluster are walked at the same time
	var faults []Fault
	err := scan(ctx, rdb, func(key string) error {
		says, err := audit(ctx, rdb, key)
		if err != nil {
			return fmt.Errorf("audit %s: %w", key, err)
		}
		if says != "" {
			mu.Lock()
			defer mu.Unlock()
			faults = append(faults, Fault{Key: key, Says: says})
		}
		return nil
	})
	return faults, err
}

// scan calls visit for each key, on every master of a cluster; on several masters at once.
func scan(ctx context.Context, rdb redis.UniversalClient, visit func(key string) error) error {
	one := func(ctx context.Context, node redis.Cmdable) error {
		it := node.Scan(ctx, 0, "*", 500).Iterator()
		for it.Next(ctx) {
			if err := visit(it.Val()); err != nil {
				return err
			}
		}
		return it.Err()
	}
	if cluster, ok := rdb.(*redis.ClusterClient); ok {
		return cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error { return one(ctx, node) })
	}
	return one(ctx, rdb)
}

func audit(ctx context.Context, rdb redis.UniversalClient, key string) (says string, err error) {
	it, known := classify(key)
	if !known {
		return "is not in the catalogue", nil
	}
	kind, err := rdb.Type(ctx, key).Result()
	if err != nil {
		return "", err
	}
	if kind == "none" {
		return "", nil // expired between SCAN and here
	}
	if kind != it.Kind {
		return fmt.Sprintf("is a %s, declared as %s", kind, it.Kind), nil
	}
	left, err := rdb.PTTL(ctx, key).Result()
	switch {
	case err != nil:
		return "", err
	case left == -2, it.TTL == 0:
		return "", nil
	case left < 0:
		return "never expires", nil
	case left > it.TTL:
		return fmt.Sprintf("lives for %v, declared at most %v", left.Round(time.Millisecond), it.TTL), nil
	}
	return "", nil
}
