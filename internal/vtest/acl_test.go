package vtest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"parley/internal/store"
	"parley/internal/vtest"
	"parley/retention"
)

// TestAccessList: the file that operators load says what the program asks for, and lets nobody
// else in.
func TestAccessList(t *testing.T) {
	text, err := os.ReadFile("../../deploy/redis-acl")
	if err != nil {
		t.Fatal(err)
	}
	want := "user default off\nuser parley on >REPLACE-BY-A-LONG-PASSWORD " + store.Rights() + "\n"
	if string(text) != want {
		t.Errorf("deploy/redis-acl is not what store.Rights says. It should be:\n%s", want)
	}
}

// TestNothingElse: what parley never sends is refused to it, on its own keys too, and so is what
// it sends on keys and channels of others. A Redis that says so is what every other test on a
// real one runs on.
func TestNothingElse(t *testing.T) {
	rdb := redis.NewClient(vtest.StartRedis(t))
	defer rdb.Close()
	own := retention.Ticket.Key("t")
	ctx := t.Context()
	if err := rdb.Set(ctx, own, "", retention.Ticket.TTL()).Err(); err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{
		"FLUSHALL", "FLUSHDB", "KEYS *", "CONFIG SET maxmemory 1", "CONFIG REWRITE", "SHUTDOWN", "SAVE",
		"MONITOR", "ACL LIST", "ACL SETUSER parley +@all", "CLIENT LIST", "CLIENT KILL TYPE normal", "SLAVEOF NO ONE", "REPLICAOF NO ONE",
		"MODULE LIST", "SCRIPT FLUSH", "SCRIPT KILL", "FUNCTION LIST", "MIGRATE h 1 k 0 1", "RESTORE " + own + " 0 x", "DUMP " + own,
		"PERSIST " + own, "APPEND " + own + " x", "SWAPDB 0 1", "RANDOMKEY", "PSUBSCRIBE parley:*", "CLUSTER RESET", "CLUSTER FORGET x",
		"GET other", "SET other x", "PUBLISH other x", "SUBSCRIBE other",
	} {
		var args []any
		for word := range strings.FieldsSeq(words) {
			args = append(args, word)
		}
		if err := rdb.Do(ctx, args...).Err(); err == nil || !strings.HasPrefix(err.Error(), "NOPERM") {
			t.Errorf("%s: %v, want NOPERM", words, err)
		}
	}
	inside := redis.NewScript("return redis.call('GET', 'other')")
	if err := inside.Run(ctx, rdb, nil).Err(); err == nil || !strings.Contains(err.Error(), "access") { // Redis says "can't access", Valkey "No permissions to access"
		t.Errorf("a script that reads what is not parley's: %v", err)
	}
	if n := rdb.Exists(ctx, own).Val(); n != 1 {
		t.Error("something was carried out all the same")
	}
}
