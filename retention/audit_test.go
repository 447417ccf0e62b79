package retention_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/vtest"
	"parley/retention"
)

func TestAudit(t *testing.T) {
	t.Run("embedded", func(t *testing.T) { audit(t, vtest.NewRedis(t).Client) })
	for _, engine := range vtest.Engines() {
		t.Run(engine.Name, func(t *testing.T) {
			rdb := engine.Start(t)
			audit(t, rdb)
			census(t, rdb)
		})
	}
}

var ofBytes = regexp.MustCompile(`^has 5\d\d\d bytes, declared at most 4096$`)

// audit puts one key after the other and looks whether it is found at fault, and for what.
func audit(t *testing.T, rdb redis.UniversalClient) {
	ctx := t.Context()
	audited := rdb
	rdb, done := vtest.Admin(audited) // who plants what parley may not write
	defer done()
	ticket := retention.Ticket.Key("t")
	for _, c := range []struct {
		name string
		put  func() error
		key  string // of the fault; "" for none
		says string
	}{
		{"declared", func() error { return rdb.Set(ctx, ticket, "", retention.Ticket.TTL()).Err() }, "", ""},
		{"shorter", func() error { return rdb.Set(ctx, ticket, "", time.Second).Err() }, "", ""},
		{"schema stays", func() error { return rdb.HSet(ctx, retention.Schema.Key(), "v", 1).Err() }, "", ""},
		{"stray", func() error { return rdb.Set(ctx, "session:1", "", time.Second).Err() }, "session:1", "is not in the catalogue"},
		{"part too many", func() error { return rdb.Set(ctx, ticket+":x", "", time.Second).Err() }, ticket + ":x", "is not in the catalogue"},
		{"part empty", func() error { return rdb.Set(ctx, "parley:{m}:ticket:", "", time.Second).Err() }, "parley:{m}:ticket:", "is not in the catalogue"},
		{"no expiry", func() error { return rdb.Set(ctx, ticket, "", 0).Err() }, ticket, "never expires"},
		{"too long", func() error { return rdb.Set(ctx, ticket, "", 12*time.Minute).Err() }, ticket, "lives for 12m0s, declared at most 11m0s"},
		{"too large", func() error { return rdb.Set(ctx, ticket, strings.Repeat("x", 4097), time.Second).Err() }, ticket, "has 4097 bytes, declared at most 4096"},
		{"large", func() error { return rdb.Set(ctx, ticket, strings.Repeat("x", 4096), time.Second).Err() }, "", ""},
		{"a large hash", func() error {
			err := rdb.HSet(ctx, retention.Room.Key("r"), "who", strings.Repeat("x", 5000)).Err()
			return errors.Join(err, rdb.Expire(ctx, retention.Room.Key("r"), time.Second).Err())
		}, retention.Room.Key("r"), "has 5... bytes, declared at most 4096"},
		{"text where a hash should be", func() error { return rdb.Set(ctx, retention.Room.Key("r"), "x", time.Second).Err() }, retention.Room.Key("r"), "is a string, declared as hash"},
		{"other type", func() error { return rdb.HSet(ctx, ticket, "a", "b").Err() }, ticket, "is a hash, declared as string"},
	} {
		if err := vtest.Flush(ctx, audited); err != nil {
			t.Fatal(err)
		}
		if err := c.put(); err != nil {
			t.Fatal(err)
		}
		var want []retention.Fault
		if c.key != "" {
			want = []retention.Fault{{Key: c.key, Says: c.says}}
		}
		got, err := retention.Audit(ctx, audited)
		for i := range got { // a real server has lost a millisecond by now
			if c.name == "too long" && got[i].Says > "lives for 11m59" && got[i].Says < "lives for 12m1" {
				got[i].Says = c.says
			}
			if c.name == "a large hash" && ofBytes.MatchString(got[i].Says) { // each server counts in its own way
				got[i].Says = c.says
			}
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %+v %v, want %+v", c.name, got, err, want)
		}
	}
}

// census lays records on all nodes of a Redis, and counts them there.
func census(t *testing.T, rdb redis.UniversalClient) {
	if err := vtest.Flush(t.Context(), rdb); err != nil {
		t.Fatal(err)
	}
	for i := range 30 { // each call has a slot of its own
		if err := rdb.Set(t.Context(), retention.Call.Key(fmt.Sprint("c", i)), "x", retention.CallTime).Err(); err != nil {
			t.Fatal(err)
		}
	}
	lay(t, rdb, 20, 24*time.Hour)
	c, err := retention.Count(t.Context(), rdb, retention.CountPace)
	if err != nil {
		t.Fatal(err)
	}
	calls, reports := c.Classes[retention.Call], c.Classes[retention.Report]
	if calls.Records != 30 || calls.Bytes != 30 || reports.Records != 20 || reports.Bytes != 20*35 || c.Keys != 50 || c.Faulty != 0 {
		t.Errorf("of 30 calls and 20 reports it counts %+v and %+v, of %d keys, %d faulty", calls, reports, c.Keys, c.Faulty)
	}
	if reports.Oldest < 24*time.Hour || reports.Oldest > 25*time.Hour {
		t.Errorf("reports of a day ago are %v old", reports.Oldest)
	}
}

// TestCountEndsOnAllMasters: where one master of a Cluster refuses, the walk over the others ends too.
func TestCountEndsOnAllMasters(t *testing.T) {
	cluster := vtest.StartCluster(t)
	rdb := vtest.Open(t, cluster.URL())
	for i := range 400 { // each call has a slot of its own
		if err := rdb.Set(t.Context(), retention.Call.Key(fmt.Sprint("c", i)), "x", retention.CallTime).Err(); err != nil {
			t.Fatal(err)
		}
	}
	cluster.Nodes[0].Run("ACL", "SETUSER", "parley", "-scan")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := retention.Count(ctx, rdb, 1) // a key a second
	if err == nil || !strings.Contains(err.Error(), "NOPERM") || ctx.Err() != nil {
		t.Errorf("%v, when the time was over: %v", err, ctx.Err())
	}
}

// TestAuditManyKeys: more keys than one SCAN returns.
func TestAuditManyKeys(t *testing.T) {
	rdb := vtest.NewRedis(t).Client
	for i := range 1500 {
		if err := rdb.Set(t.Context(), retention.Ticket.Key("m"+string(rune('a'+i%26))+time.Duration(i).String()), "", 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if faults, err := retention.Audit(t.Context(), rdb); err != nil || len(faults) != 1500 {
		t.Errorf("%d faults, %v", len(faults), err)
	}
}
