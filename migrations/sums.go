package migrations

import (
	"context"
	_ "embed" // the script stands in a file beside this one
	"strings"

	"github.com/redis/go-redis/v9"

	"parley/retention"
)

//go:embed lua/plain.lua
var plainLua string

// dropSums cuts out of every record what it says of its reports. It outlived them there; now it lies
// beside the record and goes with the first of them. It is made anew when a device is met.
func dropSums(ctx context.Context, rdb redis.UniversalClient) error {
	node, err := nodeOfRecords(ctx, rdb)
	if err != nil {
		return err
	}
	plain := redis.NewScript(plainLua)
	before, after, _ := strings.Cut(retention.Record.Format(), "%s")
	all := node.Scan(ctx, 0, before+"*"+after, 1000).Iterator()
	for all.Next(ctx) {
		if err := plain.Run(ctx, rdb, []string{all.Val()}).Err(); err != nil {
			return err
		}
	}
	return all.Err()
}

// nodeOfRecords returns where all records are: one master of a Cluster.
func nodeOfRecords(ctx context.Context, rdb redis.UniversalClient) (redis.Cmdable, error) {
	cluster, is := rdb.(*redis.ClusterClient)
	if !is {
		return rdb, nil
	}
	return cluster.MasterForKey(ctx, retention.Record.Key("any"))
}
