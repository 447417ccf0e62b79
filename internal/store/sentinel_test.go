package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/internal/vtest"
)

// TestMachineDies: the machine of the primary dies with the Sentinel that the client asks, so that
// neither closes a connection. The client asks another.
func TestMachineDies(t *testing.T) {
	t.Parallel()
	set := vtest.StartSentinel(t)
	_, rdb := open(t, set.URL())
	write := func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		return rdb.Set(ctx, "parley:x", "", time.Minute).Err() == nil
	}
	within(t, 5*time.Second, "at first", write)
	primary, asked := set.Primary(), 0
	for _, one := range set.Sentinels {
		if !strings.Contains(fmt.Sprint(one.Run("CLIENT", "LIST", "TYPE", "pubsub")), "addr=") {
			continue
		}
		asked++
		one.Pause()
	}
	if asked != 1 {
		t.Fatalf("%d Sentinels are asked", asked)
	}
	primary.Pause()
	within(t, 10*time.Second, "written again", write)
}
