package main

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rogpeppe/go-internal/testscript"

	"parley/internal/vtest"
)

// TestOnEveryServer runs what operators run in the shell on each shape of Redis, with the rights of
// deploy/redis-acl: testdata/engines. A script asks by the name of a shape whether it runs there.
func TestOnEveryServer(t *testing.T) {
	for _, e := range vtest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			at, servers := e.Run(t, "--appendonly", "yes")
			admin, done := vtest.Admin(vtest.Open(t, at))
			t.Cleanup(done)
			own := commands()
			own["put"], own["empty"] = putInto(admin), emptied(admin)
			own["spoil"] = func(ts *testscript.TestScript, _ bool, args []string) {
				if len(args) != 2 {
					ts.Fatalf("usage: spoil SETTING VALUE")
				}
				servers[0].Run("CONFIG", "SET", args[0], args[1])
			}
			testscript.Run(t, testscript.Params{
				Dir: "testdata/engines", RequireExplicitExec: true, Cmds: own,
				Condition: func(shape string) (bool, error) { return shape == e.Name, nil },
				Setup: func(env *testscript.Env) error {
					env.Setenv("PARLEY_REDIS", at)
					return setup(env)
				},
			})
		})
	}
}

// putInto is the command put for a real Redis.
func putInto(rdb redis.UniversalClient) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, args []string) {
		if len(args) != 3 && len(args) != 4 {
			ts.Fatalf("usage: put N KEY VALUE [LIFETIME]")
		}
		n, err := strconv.Atoi(args[0])
		ts.Check(err)
		lifetime := time.Duration(0)
		if len(args) == 4 {
			lifetime, err = time.ParseDuration(args[3])
			ts.Check(err)
		}
		for i := range n {
			ts.Check(rdb.Set(context.Background(), strings.ReplaceAll(args[1], "%d", strconv.Itoa(i)), args[2], lifetime).Err())
		}
	}
}

// emptied is the command that takes every key away, from every server.
func emptied(rdb redis.UniversalClient) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, _ bool, _ []string) { ts.Check(vtest.Flush(context.Background(), rdb)) }
}
