package day_test

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"parley/internal/day"
	"parley/internal/vtest"
	"parley/retention"
)

// TestEachKey: every key is visited once, with what it holds, one after the other, on whichever server
// it lies.
func TestEachKey(t *testing.T) {
	for _, e := range vtest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			rdb, want := e.Start(t), map[string]string{}
			for i := range 300 {
				key := retention.Call.Key(fmt.Sprint(i))
				want[key] = fmt.Sprintf("call %d", i)
				if err := rdb.Set(t.Context(), key, want[key], time.Minute).Err(); err != nil {
					t.Fatal(err)
				}
			}
			got := map[string]string{} // nobody guards it: visits are not to meet
			err := day.EachKey(t.Context(), rdb, func(key, value string) error {
				got[key] += value
				return nil
			})
			if err != nil || !maps.Equal(got, want) {
				t.Errorf("%d keys, %v, want %d", len(got), err, len(want))
			}
		})
	}
}
