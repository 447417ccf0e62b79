package signaling_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/keyring"
	"parley/internal/vtest"
	"parley/moderation"
	"parley/retention"
	"parley/signaling"
)

// TestBudgets: a device and a network may search so often, wherever they do.
func TestBudgets(t *testing.T) {
	for _, e := range vtest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			budgets(t, e.Start(t))
		})
	}
}

func budgets(t *testing.T, rdb redis.UniversalClient) {
	ctx, now, ring := t.Context(), time.Now(), keyring.New()
	b := signaling.NewBudgets(rdb, ring, signaling.Limits{
		Device: signaling.Budget{Burst: 2, Every: 500 * time.Second}, Network: signaling.Budget{Burst: 5, Every: 100 * time.Second},
	})
	search := func(device, network string, want time.Duration) {
		t.Helper()
		wait, says := b.Take(ctx, now, moderation.Device{Token: device, Net: network})
		if wait > want || wait < want-30*time.Second || (want == 0) != (wait == 0) {
			t.Errorf("%s of %s waits %v, want %v", device, network, wait, want)
		}
		if whose := strings.Contains(says, "network"); wait > 0 && whose != (want == 100*time.Second) {
			t.Errorf("%s of %s is told %q", device, network, says)
		}
	}
	search("ana", "home", 0)
	search("ana", "home", 0)
	search("ana", "home", 500*time.Second)
	search("ana", "", 500*time.Second) // on the way, with another address
	for _, device := range []string{"bo", "cy", "dee"} {
		search(device, "home", 0) // what was refused did not cost the network anything
	}
	search("eve", "home", 100*time.Second)
	search("eve", "work", 0) // nor the device
	search("eve", "", 0)
	search("eve", "", 500*time.Second)

	// Nothing says whose it is, and all of it ends.
	keys, err := vtest.AllKeys(ctx, rdb)
	if err != nil || len(keys) != 7 {
		t.Errorf("%d keys, %v: %q", len(keys), err, keys)
	}
	for _, key := range keys {
		if strings.Contains(key, "ana") || strings.Contains(key, "home") {
			t.Errorf("%s shows whose it is", key)
		}
	}
	faults, err := retention.Audit(ctx, rdb)
	if err != nil || len(faults) > 0 {
		t.Errorf("%v %v", faults, err)
	}
	// The next day the names are others.
	now = now.Add(24 * time.Hour)
	search("ana", "home", 0)
}

// TestUsualBudgetsEndInTime: no key outlives what the catalogue says.
func TestUsualBudgetsEndInTime(t *testing.T) {
	rdb := redis.NewClient(vtest.StartRedis(t))
	defer rdb.Close()
	b := signaling.NewBudgets(rdb, keyring.New(), signaling.Limits{})
	ana := moderation.Device{Token: "ana", Net: "home"}
	for i := range 60 {
		if wait, _ := b.Take(t.Context(), time.Now(), ana); wait > 0 {
			t.Fatalf("search %d waits %v", i+1, wait)
		}
	}
	if wait, _ := b.Take(t.Context(), time.Now(), ana); wait < 10*time.Second || wait > 20*time.Second {
		t.Errorf("the 61st waits %v, want about 20 s", wait)
	}
	faults, err := retention.Audit(t.Context(), rdb)
	if err != nil || len(faults) > 0 {
		t.Errorf("%v %v", faults, err)
	}
}

// TestBudgetsOfAStoreThatIsAway hold nobody up.
func TestBudgetsOfAStoreThatIsAway(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{
		Addr: "192.0.2.9:6379", MaxRetries: -1, ContextTimeoutEnabled: true, DisableIdentity: true,
		Dialer: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("away") },
	})
	defer rdb.Close()
	b := signaling.NewBudgets(rdb, keyring.New(), signaling.Limits{Device: signaling.Budget{Burst: 1, Every: time.Hour}})
	for range 3 {
		if wait, _ := b.Take(t.Context(), time.Now(), moderation.Device{Token: "ana"}); wait > 0 {
			t.Errorf("waits %v", wait)
		}
	}
}
