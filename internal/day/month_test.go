package day_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/day"
	"parley/retention"
)

// month ends the program and takes 31 days from what every key has to live, as 31 days in which
// nobody comes would. Then, when the server has written its files anew, as README asks operators to
// let it do every day, nothing of the day is in its memory or on its disk but the counts of the
// hours and what is about nobody.
func (h *house) month() {
	t := h.t
	t.Helper()
	h.stop()
	rdb, ctx := h.redis, t.Context()
	lasting := []string{retention.Hour.String(), retention.Schema.String(), retention.Policy.String()}
	var gone day.Canaries
	keys := 0
	err := day.EachKey(ctx, rdb, func(key, value string) error {
		class, _ := retention.ClassOf(key)
		if keys++; slices.Contains(lasting, class.String()) {
			return nil
		}
		gone.Plant("key", key)
		if class == retention.Record || class == retention.Report || class == retention.Sum {
			gone.Plant("value", value)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	net := gone.Net()
	if files := h.onDisk(net); len(files) < len(gone.Counts()) || !strings.Contains(strings.Join(files, " "), "key") {
		t.Errorf("control: nothing of the day is on the disk: %q", files)
	}
	for key, left := range lifetimes(t, rdb) {
		if left > 0 { // a key that has no time left expires by itself in the next moment
			rdb.PExpire(ctx, key, max(time.Millisecond, left-31*24*time.Hour))
		}
	}
	h.await("keys are left", func() bool {
		left := 0
		err := day.EachKey(ctx, rdb, func(key, _ string) error {
			if class, _ := retention.ClassOf(key); !slices.Contains(lasting, class.String()) {
				left++
			}
			return nil
		})
		return err == nil && left == 0 && rdb.DBSize(ctx).Val() <= int64(len(lasting)+25)
	})
	h.rewrite()
	h.await("the day is on the disk still", func() bool { return len(h.onDisk(net)) == 0 }) // old files go behind our back
	t.Logf("after a month %d of %d keys are left", rdb.DBSize(ctx).Val(), keys)
}

// lifetimes says how long each key has to live; -1 for one that stays.
func lifetimes(t *testing.T, rdb redis.UniversalClient) map[string]time.Duration {
	t.Helper()
	all := map[string]time.Duration{}
	err := day.EachKey(t.Context(), rdb, func(key, _ string) error {
		left, err := rdb.PTTL(t.Context(), key).Result()
		all[key] = left
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// onDisk says what of a net is in the files of Redis.
func (h *house) onDisk(n *day.Net) []string {
	h.t.Helper()
	r, err := day.Inspect(h.t.Context(), day.Scene{Redis: nil, Files: h.onServers()}, n)
	if err != nil {
		h.t.Fatal(err)
	}
	return r.Faults
}

// rewrite has every server write its append-only file and its dump anew.
func (h *house) rewrite() {
	for _, s := range h.servers {
		h.rewriteOn(s.Client())
	}
}

func (h *house) rewriteOn(rdb *redis.Client) {
	ctx := h.t.Context()
	idle := func() bool {
		text := rdb.Info(ctx, "persistence").Val()
		for _, busy := range []string{"aof_rewrite_in_progress:1", "rdb_bgsave_in_progress:1", "aof_rewrite_scheduled:1"} {
			if strings.Contains(text, busy) {
				return false
			}
		}
		return text != ""
	}
	h.await("no rewriting begins", func() bool { return rdb.BgRewriteAOF(ctx).Err() == nil })
	h.await("the rewriting does not end", idle)
	h.await("no dump begins", func() bool { return rdb.BgSave(ctx).Err() == nil })
	h.await("the dump does not end", idle)
}

// await asks until something is so, 30 s at most.
func (h *house) await(fault string, is func() bool) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			h.t.Fatal(fault)
		}
	}
}
