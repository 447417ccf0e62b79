package matcher_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/vtest"
)

// TestOnEveryServer: the rules and the scripts, unchanged, on a Sentinel set and a Cluster, whose
// every node refuses a script that touches what lies elsewhere.
func TestOnEveryServer(t *testing.T) {
	suite := map[string]func(*testing.T, engine){
		"Model": modelHolds, "Alive": alive, "BothRipenWhileWaiting": bothRipenWhileWaiting, "OneRipeIsEnough": oneRipeIsEnough,
		"Strict": strict, "OtherLanguages": otherLanguages, "OverlapWithinTwoSeconds": overlapWithinTwoSeconds,
		"LateDuplicates": lateDuplicates, "NodeComesBack": nodeComesBack, "DeadDoNotBlock": deadDoNotBlock,
		"Sweep": sweepsTheDead, "Deadline": deadline, "Estimate": estimate, "DeadAreNotCounted": deadAreNotCounted,
	}
	for _, one := range vtest.Engines() {
		if one.Name == "redis-server" {
			continue // each test for itself
		}
		t.Run(one.Name, func(t *testing.T) {
			t.Parallel()
			rdb := one.Start(t)
			for name, test := range suite {
				if name == "Model" && one.Name == "sentinel" {
					continue // its primary is a redis-server like any other, and the rest comes through the same client
				}
				t.Run(name, func(t *testing.T) { test(t, setClock(one.Name, rdb)) })
			}
		})
	}
}

// setClock is an engine on a server that cannot have its clock set, so the one line that asks for the
// time is replaced by one that reads a key. Everything else is the real thing, but keys expire by the
// real clock: a history is shorter than the shortest lifetime.
func setClock(name string, rdb redis.UniversalClient) engine {
	const clock = "parley:{m}:clock"
	var now time.Time
	set := func(ctx context.Context) error {
		micros := now.UnixMicro()
		return rdb.HSet(ctx, clock, "s", micros/1e6, "us", micros%1e6).Err()
	}
	return engine{
		name: name, rdb: rdb,
		edit: func(source string) string {
			return strings.ReplaceAll(source, "call('TIME')", "call('HMGET', '"+clock+"', 's', 'us')")
		},
		reset: func(ctx context.Context) error {
			now = dawn
			return errors.Join(vtest.Flush(ctx, rdb), set(ctx))
		},
		pass: func(ctx context.Context, d time.Duration) error {
			now = now.Add(d)
			return set(ctx)
		},
	}
}
