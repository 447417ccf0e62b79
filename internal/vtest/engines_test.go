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
			for _, key := range []string{"parley:a", "parley:b", "parley:c", "parley:d"} {
				if err := rdb.Set(t.Context(), key, "x", time.Minute).Err(); err != nil {
					t.Error(err)
				}
			}
			if err := vtest.Flush(t.Context(), rdb); err != nil {
				t.Error(err)
			}
			if n, err := rdb.Exists(t.Context(), "parley:a").Result(); n != 0 || err != nil {
				t.Errorf("%d keys are left, %v", n, err)
			}
		})
	}
}
