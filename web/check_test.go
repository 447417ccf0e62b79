package web_test

import (
	"encoding/json"
	"strconv"
	"testing"

	"parley/web"
)

// TestCheck: a browser gets a credential for each way, never kept, and not more often than it may open
// sockets; asking holds no place. A server without a relay has no such page.
func TestCheck(t *testing.T) {
	calls := 0
	h := newServer(t, func(c *web.Config) {
		c.Limits = web.Limits{Burst: 3, PerAddress: 1}
		c.Relay = func() web.Relay { calls++; return web.Relay{Username: strconv.Itoa(calls)} }
	}).Public()
	for range 3 {
		var got []web.Relay
		r := ask(h, "GET", "/check.json")
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil || len(got) != 3 || got[0].Username == got[1].Username {
			t.Errorf("%v: %+v", err, got)
		}
		if r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("kept: %v", r.Header)
		}
	}
	if r := ask(h, "GET", "/check.json"); r.StatusCode != 429 || r.Header.Get("Retry-After") == "" || calls != 9 {
		t.Errorf("a fourth time: %d, %d credentials", r.StatusCode, calls)
	}
	without := newServer(t, func(c *web.Config) { c.Relay = nil }).Public()
	for _, path := range []string{"/check", "/check.json"} {
		if r := ask(without, "GET", path); r.StatusCode != 404 {
			t.Errorf("%s without a relay: %d", path, r.StatusCode)
		}
	}
}
