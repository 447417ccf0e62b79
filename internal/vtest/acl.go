package vtest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// The user of parley in every real Redis that a test starts has the rights of deploy/redis-acl, and no
// others: each test on a real Redis is a test of that file. What only tests do, such as emptying a
// server or planting what parley would never write, they do as the user that [Admin] connects as.
const user, password = "parley", "sesame"

// accessList writes the file to dir and returns its path: that of deploy/redis-acl, with a password and
// with a default user who may do everything.
func accessList(t testing.TB, dir string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), "deploy", "redis-acl"))
	if err != nil {
		t.Fatal(err)
	}
	const closed, blank = "user default off", ">REPLACE-BY-A-LONG-PASSWORD"
	list := string(text)
	if strings.Count(list, closed) != 1 || strings.Count(list, blank) != 1 {
		t.Fatal("deploy/redis-acl is not what the tests know: it has one line for default, and one password")
	}
	list = strings.NewReplacer(closed, "user default on nopass ~* &* +@all", blank, ">"+password).Replace(list)
	path := filepath.Join(dir, "acl")
	if err := os.WriteFile(path, []byte(list), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// root is the folder of go.mod, above that of the test.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("this is not within the module")
		}
		dir = filepath.Dir(dir)
	}
}

// ownUsers tells whether arguments of a server say who may use it, so that the list has no place.
func ownUsers(args []string) bool {
	return slices.Contains(args, "--requirepass") || slices.Contains(args, "--user") || slices.Contains(args, "--aclfile")
}

// SocketURL is how parley is told of a server of [StartRedis].
func SocketURL(o *redis.Options) string { return "unix://" + user + ":" + password + "@" + o.Addr }

// AdminOptions are o for a client that may do everything.
func AdminOptions(o *redis.Options) *redis.Options {
	all := *o
	all.Username, all.Password = "", ""
	return &all
}

// Admin returns a client of the same server, set or Cluster that may do everything. Rdb itself may if it
// is that of an embedded one. Close closes it in both cases.
func Admin(rdb redis.UniversalClient) (admin redis.UniversalClient, close func()) {
	switch c := rdb.(type) {
	case *redis.Client:
		if c.Options().Username == "" {
			return rdb, func() {}
		}
		admin = redis.NewClient(AdminOptions(c.Options()))
	case *redis.ClusterClient:
		if c.Options().Username == "" {
			return rdb, func() {}
		}
		o := *c.Options()
		o.Username, o.Password, o.NewClient = "", "", nil
		admin = redis.NewClusterClient(&o)
	default:
		return rdb, func() {}
	}
	return admin, func() { _ = admin.Close() }
}
