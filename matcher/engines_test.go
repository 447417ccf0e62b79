package matcher_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"parley/internal/vtest"
)

// TestModelOnEveryServer: the scripts, unchanged, on a Sentinel set and a Cluster, whose every node
// refuses a script that touches what lies elsewhere.
func TestModelOnEveryServer(t *testing.T) {
	for _, one := range vtest.Engines() {
		if one.Name == "redis-server" {
			continue // TestModel
		}
		t.Run(one.Name, func(t *testing.T) {
			t.Parallel()
			e := setClock(one.Name, one.Start(t))
			for _, history := range classics() {
				if err := play(t.Context(), e, history, sound); err != nil {
					t.Error(err)
				}
			}
			rapid.Check(t, func(rt *rapid.T) {
				if err := play(t.Context(), e, scenarios().Draw(rt, "scenario"), sound); err != nil {
					rt.Fatal(err)
				}
			})
		})
	}
}

// setClock is an engine on a server that cannot have its clock set, so the one line that asks for the
// time is replaced by one that reads a key. Everything else is the real thing, but keys expire by the
// real clock: a history is shorter than the shortest lifetime.
func setClock(name string, rdb redis.UniversalClient) engine {
	const clock = "clock:{m}"
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
