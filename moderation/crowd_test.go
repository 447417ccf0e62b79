package moderation_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/vtest"
	"parley/moderation"
	"parley/retention"
)

// TestOneNetworkRestrictsNobody: 10,000 reports from one network, of as many installs, on twenty
// devices.
func TestOneNetworkRestrictsNobody(t *testing.T) {
	t.Run("redis-server", func(t *testing.T) {
		t.Parallel()
		rdb := vtest.StartServer(t).AsParley()
		w := world{desk(rdb), rdb, nil}
		const targets, each = 20, 500
		w.begin(t, "call") // a room of many
		var all sync.WaitGroup
		for target := range targets {
			all.Go(func() {
				dev := number(target)
				for i := range each {
					reporter := moderation.Device{Token: fmt.Sprintf("%043d", 1000+target*each+i), Net: "one network only"}
					handle := w.Handle("call", reporter, dev, time.Now().Add(-time.Hour))
					if _, err := w.Report(t.Context(), reporter, handle, moderation.Threat, time.Now()); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
		for target := range targets {
			if v := w.admit(t, number(target)); v.Band != moderation.Watch {
				t.Errorf("%+v, want watch", v)
			}
		}
		if n := len(w.reports(t)); n != targets*moderation.MaxReports {
			t.Errorf("%d reports are kept, want %d", n, targets*moderation.MaxReports)
		}
		// All of one device is at most 4 KiB.
		var size int64
		for _, key := range w.keys(t) {
			if strings.Contains(key, ":record:") || strings.Contains(key, ":report:") {
				size += w.rdb.StrLen(t.Context(), key).Val()
			}
		}
		if size/targets > 4096 {
			t.Errorf("%d bytes for each device", size/targets)
		}
		w.audit(t)
	})
}

// TestWhoReportsEverybody: each report of one who reports everyone they meet counts for less, and
// none brings anybody beyond watch.
func TestWhoReportsEverybody(t *testing.T) {
	virtual(t, func(t *testing.T, w world) {
		rates := map[int]float32{}
		for i := range 50 {
			call := fmt.Sprint("call", i)
			w.begin(t, call)
			if err := w.reported(t, call, ana, number(i), moderation.Threat); err != nil {
				t.Fatal(err)
			}
			if v := w.admit(t, number(i)); v.Band > moderation.Watch {
				t.Errorf("the report of one made %+v", v)
			}
			w.pass(time.Minute)
		}
		all, err := w.Records(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			rates[int(1/r.Events[0].Rate+0.5)]++
		}
		// The first two cost nothing; each further one halves, thirds, ...
		if rates[1] != 2 || rates[2] != 1 || rates[49] != 1 {
			t.Errorf("rates 1/n: %v", rates)
		}
		w.pass(24 * time.Hour)
		w.begin(t, "tomorrow")
		if err := w.reported(t, "tomorrow", ana, bo, moderation.Threat); err != nil {
			t.Fatal(err)
		}
		if all, err = w.Records(t.Context()); err != nil {
			t.Fatal(err)
		}
		fresh := 0
		for _, r := range all {
			if r.Events[0].Rate == 1 {
				fresh++
			}
		}
		if fresh != 3 {
			t.Errorf("%d reports at full rate, want the first two and that of the day after", fresh)
		}
	})
}

// clean returns how many calls count as clean, over all records.
func (w world) clean(t *testing.T) int {
	t.Helper()
	all, err := w.Records(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, r := range all {
		for _, d := range r.Clean {
			n += d.Count
		}
	}
	return n
}

// TestCleanCalls: a call counts when it cannot be reported any more, for those who have a record;
// one that was reported, even by who had reported before, counts for the reported no more.
func TestCleanCalls(t *testing.T) {
	virtual(t, func(t *testing.T, w world) {
		stop := w.run(t)
		w.accuse(t, bo, 1, moderation.Hate)
		talk := func(call string, peer moderation.Device, length time.Duration, report bool) {
			t.Helper()
			w.begin(t, call)
			began := time.Now()
			if err := w.End(t.Context(), call); err != nil {
				t.Fatal(err)
			}
			w.Talked(call, bo, peer, length)
			if report {
				w.pass(9 * time.Minute)
				if _, err := w.Report(t.Context(), peer, w.Handle(call, peer, bo, began), moderation.Spam, time.Now()); err != nil {
					t.Fatal(err)
				}
			}
		}
		talk("good", number(1), time.Minute, false)
		w.pass(retention.ReportWindow)
		if n := w.clean(t); n != 0 {
			t.Errorf("%d calls count while they can be reported", n)
		}
		w.pass(time.Minute)
		if n := w.clean(t); n != 1 {
			t.Errorf("%d calls count, want 1", n)
		}
		strangers := number(5)
		strangers.Fresh = true
		talk("short", number(2), 30*time.Second, false)
		talk("fresh", strangers, time.Minute, false)
		talk("samepeer", number(1), time.Minute, false)
		talk("reported", number(3), time.Minute, true)
		w.pass(20 * time.Minute)
		if n := w.clean(t); n != 1 {
			t.Errorf("%d calls count, want 1 still", n)
		}
		w.pass(25 * time.Hour)
		talk("reportedagain", number(3), time.Minute, true)
		talk("anotherday", number(1), time.Minute, false)
		w.pass(20 * time.Minute)
		if n := w.clean(t); n != 2 {
			t.Errorf("%d calls count, want 2", n)
		}
		// Those who met bo have windows, and no record.
		if all, err := w.Records(t.Context()); err != nil || len(all) != 1 {
			t.Errorf("%d records, %v", len(all), err)
		}
		stop()
	})
}

// TestMoreEndThanCanBeCounted: nobody waits for the desk, and what does not fit is let go.
func TestMoreEndThanCanBeCounted(t *testing.T) {
	d := desk(nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 5000 {
			d.Talked(fmt.Sprint(i), ana, bo, time.Minute)
		}
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("the end of a call waits for the desk")
	}
}

// TestErasedLeavesTheDisk: after the append-only file and the dump were rewritten no file of the
// server holds what was erased or has run out.
func TestErasedLeavesTheDisk(t *testing.T) {
	t.Run("redis-server", func(t *testing.T) {
		t.Parallel()
		server := vtest.StartServer(t, "--appendonly", "yes", "--appendfsync", "always")
		rdb := server.AsParley()
		w := world{desk(rdb), rdb, nil}
		ctx := t.Context()
		w.accuse(t, bo, 2, moderation.Hate)
		w.accuse(t, cy, 2, moderation.Hate)
		var marks []string
		for _, key := range w.keys(t) {
			if strings.Contains(key, ":record:") {
				marks = append(marks, key[strings.LastIndex(key, ":")+1:])
			}
		}
		rewrite := func() {
			t.Helper()
			await(t, func(ctx context.Context) bool { return rdb.BgRewriteAOF(ctx).Err() == nil })
			await(t, idle(rdb.Info))
			await(t, func(ctx context.Context) bool { return server.Client().BgSave(ctx).Err() == nil })
			await(t, idle(rdb.Info))
		}
		rewrite()
		for _, mark := range marks {
			if n := onDisk(t, server.Dir, mark); n < 2 {
				t.Errorf("control: %d files hold a record that is there", n)
			}
		}
		if err := w.Erase(ctx, bo); err != nil {
			t.Fatal(err)
		}
		for _, key := range w.keys(t) { // the rest runs out
			rdb.PExpire(ctx, key, time.Millisecond)
		}
		// A key that has run out is not seen from that moment on; the server removes it some time after.
		await(t, func(ctx context.Context) bool { return server.Client().DBSize(ctx).Val() == 0 })
		rewrite()
		for _, mark := range marks { // the server deletes its old files behind our back
			await(t, func(context.Context) bool { return onDisk(t, server.Dir, mark) == 0 })
		}
	})
}

// idle tells whether the server writes no file.
func idle(info func(context.Context, ...string) *redis.StringCmd) func(context.Context) bool {
	return func(ctx context.Context) bool {
		text := info(ctx, "persistence").Val()
		return strings.Contains(text, "aof_rewrite_in_progress:0") && strings.Contains(text, "rdb_bgsave_in_progress:0") &&
			strings.Contains(text, "aof_rewrite_scheduled:0")
	}
}

// onDisk returns how many files below dir hold text.
func onDisk(t *testing.T, dir, text string) int {
	t.Helper()
	n := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || d.IsDir() {
			return err
		}
		held, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if bytes.Contains(held, []byte(text)) {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
