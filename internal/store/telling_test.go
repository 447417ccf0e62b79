package store_test

import (
	"net"
	"sync"
	"testing"
	"time"

	"parley/internal/store"
	"parley/internal/vtest"
)

// TestTelling: every server that a client comes to is told of, also those that only a Sentinel or
// a Cluster names.
func TestTelling(t *testing.T) {
	t.Parallel()
	set, cluster, alone := vtest.StartSentinel(t), vtest.StartCluster(t), vtest.StartServer(t)
	masters := cluster.Masters()
	for _, test := range []struct {
		url  string
		want []string
	}{
		{alone.URL(), []string{alone.Addr}},
		{set.URL(), []string{set.Primary().Addr, set.Sentinels[0].Addr}},
		{"redis-cluster://" + masters[0].Addr, []string{masters[0].Addr, masters[1].Addr}},
	} {
		where, err := store.Parse(test.url)
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		met := map[string]bool{}
		rdb := where.Telling(func(a net.Addr) {
			mu.Lock()
			defer mu.Unlock()
			met[a.String()] = true
		}).Open()
		within(t, 10*time.Second, "all servers of "+test.url+" are told of", func() bool {
			for _, key := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} { // of several slots
				_ = rdb.Get(t.Context(), key).Err()
			}
			mu.Lock()
			defer mu.Unlock()
			for _, addr := range test.want {
				if !met[addr] {
					return false
				}
			}
			return true
		})
		rdb.Close()
	}
}
