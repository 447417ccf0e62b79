package vtest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"parley/internal/vtest"
)

// TestSplit: a primary that is kept apart is replaced, goes on taking writes from its own side alone,
// and becomes a replica when the sides are joined.
func TestSplit(t *testing.T) {
	set := vtest.StartSplittable(t)
	old := set.Nodes[0]
	client, here := set.Client(), old.Client()
	if err := client.Set(t.Context(), "parley:before", "x", time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	set.Split(old.Pid())
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := client.Set(short, "parley:between", "x", time.Minute).Err(); err == nil {
		t.Error("who is on the other side reaches the primary")
	}
	comesTrue(t, "nobody replaces the primary", func() bool { return set.Primary() != old })
	if err := here.Set(t.Context(), "parley:apart", "x", time.Minute).Err(); err != nil {
		t.Error("the old primary takes no writes any more: ", err)
	}
	comesTrue(t, "the client does not find the new primary", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		return client.Set(ctx, "parley:after", "x", time.Minute).Err() == nil
	})
	set.Join()
	set.Settled()
	if role := here.Info(t.Context(), "replication").Val(); !strings.Contains(role, "role:slave") {
		t.Error("the old primary is no replica: ", role)
	}
	if n := here.Exists(t.Context(), "parley:apart").Val(); n != 0 {
		t.Error("what was written apart is still there")
	}
}

// comesTrue asks for 20 s.
func comesTrue(t *testing.T, fault string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(20 * time.Second); !is(); {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal(fault)
		}
	}
}
