package vtest_test

import (
	"testing"
	"time"

	"parley/internal/vtest"
)

// TestEngines: each comes up soon, takes what parley writes, and can be emptied.
func TestEngines(t *testing.T) {
	for _, e := range vtest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			began := time.Now()
			rdb := e.Start(t)
			t.Logf("up in %v", time.Since(began).Round(time.Millisecond))
			for _, key := range []string{"a", "b", "c", "d"} {
				if err := rdb.Set(t.Context(), key, "x", time.Minute).Err(); err != nil {
					t.Error(err)
				}
			}
			if err := vtest.Flush(t.Context(), rdb); err != nil {
				t.Error(err)
			}
			if n, err := rdb.Exists(t.Context(), "a").Result(); n != 0 || err != nil {
				t.Errorf("%d keys are left, %v", n, err)
			}
		})
	}
}

// TestSentinelFailsOver: a killed primary is replaced, and the client finds the new one.
func TestSentinelFailsOver(t *testing.T) {
	set := vtest.StartSentinel(t)
	rdb := set.Client()
	if err := rdb.Set(t.Context(), "a", "x", time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	old := set.Primary()
	old.Kill()
	began := time.Now()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for rdb.Set(t.Context(), "b", "x", time.Minute).Err() != nil {
		if <-tick.C; time.Since(began) > 20*time.Second {
			t.Fatal("no write for 20 s")
		}
	}
	t.Logf("written again after %v", time.Since(began).Round(time.Millisecond))
	if set.Primary() == old {
		t.Error("the dead server is still the primary")
	}
}
