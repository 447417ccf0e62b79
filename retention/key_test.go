package retention_test

import (
	"fmt"
	"strings"
	"testing"

	"parley/retention"
)

func TestKey(t *testing.T) {
	for _, c := range []struct {
		got, want string
	}{
		{retention.Ticket.Key("t1"), "parley:{m}:ticket:t1"},
		{retention.Pool.Key("en", "music", "0"), "parley:{m}:pool:en:music:0"},
		{retention.Lease.Key(), "parley:{m}:leases"},
		{retention.Pool.Format(), "parley:{m}:pool:%s:%s:%s"},
		{retention.Lease.Format(), "parley:{m}:leases"},
		{fmt.Sprintf(retention.Inbox.Format(), "n"), retention.Inbox.Key("n")},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}

// TestKeyRefuses: a part can never make a key of another record.
func TestKeyRefuses(t *testing.T) {
	for _, parts := range [][]string{{}, {"a", "b"}, {""}, {"a:b"}, {"a}"}, {"{a"}, {"a b"}, {"*"}, {"<x>"}, {"a\n"}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q made a key", parts)
				}
			}()
			retention.Ticket.Key(parts...)
		}()
	}
}

// TestCatalogue: each item is complete, and only the schema and the policy stay for ever.
func TestCatalogue(t *testing.T) {
	names := map[string]bool{}
	for i, it := range retention.Catalogue() {
		if int(it.Class) != i || it.Class.String() != it.Name || names[it.Name] {
			t.Errorf("%s is out of order, or there twice", it.Name)
		}
		names[it.Name] = true
		if it.Holds == "" || it.Why == "" || it.Breach == "" || it.Reader == "" {
			t.Errorf("%s is not explained", it.Name)
		}
		if (it.Size > 0) == (it.Kind == "channel") {
			t.Errorf("%s has a bound of %d bytes", it.Name, it.Size)
		}
		if it.TTL == 0 && it.Class != retention.Schema && it.Class != retention.Policy {
			t.Errorf("%s stays for ever", it.Name)
		}
		if strings.Count(it.Pattern, "{") != 1 || !strings.HasPrefix(it.Pattern, "parley:{") {
			t.Errorf("%s has no hash tag: %s", it.Name, it.Pattern)
		}
	}
}
