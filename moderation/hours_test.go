package moderation_test

import (
	"maps"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/vtest"
	"parley/moderation"
	"parley/retention"
)

// TestHours: each call that ended is counted once, in its hour, by how long it lasted, and nothing
// else of it is kept there.
func TestHours(t *testing.T) {
	virtual(t, func(t *testing.T, w world) {
		stop := w.run(t)
		defer stop()
		ana, bo := moderation.Device{Token: "a"}, moderation.Device{Token: "b"}
		for _, length := range []time.Duration{time.Second, 9 * time.Second, 10 * time.Second, 5 * time.Minute, time.Hour, 10 * time.Minute} {
			w.Talked("call", ana, bo, length)
		}
		synctest.Wait()
		got := map[string]string{}
		keys, err := vtest.AllKeys(t.Context(), w.rdb)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			if strings.HasPrefix(key, strings.TrimSuffix(retention.Hour.Key("0"), "0")) {
				maps.Copy(got, w.rdb.HGetAll(t.Context(), key).Val())
			}
		}
		if want := map[string]string{"under_10s": "2", "under_1m": "1", "under_10m": "1", "longer": "2"}; !maps.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}
