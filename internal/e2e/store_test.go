package e2e_test

import (
	"os"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"parley/internal/vtest"
)

// engine is the kind of Redis under the servers of all tests: PARLEY_ENGINE names redis-server,
// sentinel or cluster. Without it they keep what they know in their own memory, as the first start
// of parley does, and tests that look into Redis have a redis-server.
func engine(t testing.TB) (vtest.Engine, bool) {
	t.Helper()
	name := os.Getenv("PARLEY_ENGINE")
	if name == "" {
		return vtest.Engine{}, false
	}
	all := vtest.Engines()
	i := slices.IndexFunc(all, func(e vtest.Engine) bool { return e.Name == name })
	if i < 0 {
		t.Fatalf("PARLEY_ENGINE is %q, which is none of redis-server, sentinel and cluster", name)
	}
	return all[i], true
}

// startStore starts a Redis and returns its address, and a client for which it has no secrets. Both
// end with the test.
func startStore(t testing.TB) (url string, admin redis.UniversalClient) {
	t.Helper()
	kind, named := engine(t)
	if named {
		url, _ = kind.Run(t)
	} else {
		url = vtest.SocketURL(vtest.StartRedis(t))
	}
	admin, done := vtest.Admin(vtest.Open(t, url))
	t.Cleanup(done)
	return url, admin
}

// under is what a server is told of its Redis by the engine of all tests, unless the test says it.
func under(t testing.TB, args []string) []string {
	t.Helper()
	kind, named := engine(t)
	if !named || slices.Contains(args, "--redis") {
		return nil
	}
	url, _ := kind.Run(t)
	return []string{"--redis", url}
}
