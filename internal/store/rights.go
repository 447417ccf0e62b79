package store

import (
	"slices"
	"strings"

	"parley/retention"
)

// Commands are all that parley sends to Redis, scripts included, and what its client needs to connect.
// deploy/redis-acl allows these and no others, and the tests on a real Redis run with that file.
func Commands() []string {
	return slices.Concat(
		// to connect, to any shape of Redis
		[]string{"hello", "auth", "ping", "select", "reset", "command", "cluster|slots", "cluster|shards", "asking", "readonly"},
		// what it is, what it does with what it is given, and whether others have a copy
		[]string{"info", "config|get", "time", "wait"},
		// scripts, and what they call
		[]string{"evalsha", "eval"},
		// keys of every kind
		[]string{"exists", "del", "type", "pexpire", "pttl", "ttl", "rename", "scan"},
		[]string{"get", "set", "setnx", "mget", "getrange"},
		[]string{"hget", "hset", "hsetnx", "hdel", "hmget", "hgetall", "hvals", "hlen", "hexists", "hincrby"},
		[]string{"lpush", "lpushx", "ltrim", "lrange"},
		[]string{"sadd", "srem", "scard", "smembers", "smismember"},
		[]string{"zadd", "zrem", "zrange", "zlexcount", "zpopmin"},
		[]string{"xadd", "xdel", "xread"},
		// what an audit and a census ask
		[]string{"strlen", "memory|usage", "dbsize"},
		// what a backup reads and is restored with
		[]string{"multi", "exec", "pexpireat", "pexpiretime"},
		// mail between nodes
		[]string{"subscribe", "unsubscribe", "publish"},
		// what has expired leaves the disk: parley has it done daily
		[]string{"bgrewriteaof"},
	)
}

// Rights is what an ACL file must allow the user of parley.
func Rights() string {
	return "resetkeys resetchannels ~" + retention.All + " &" + retention.All + " -@all +" + strings.Join(Commands(), " +")
}
