package relaylog_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/relaylog"
	"parley/retention"
)

var address = netip.MustParseAddr("203.0.113.77")

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// keep runs a log in the bubble until the test ends it.
func keep(t *testing.T, dir string) (l *relaylog.Log, end func()) {
	t.Helper()
	l, err := relaylog.Open(dir, quiet(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = l.Run(ctx) }()
	return l, func() { cancel(); <-done }
}

func days(t *testing.T, dir string) (all []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "relays-*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		all = append(all, filepath.Base(f))
	}
	return all
}

// TestSevenDays: a record a day for twenty days; there are never more than seven days of them, and
// none is older. After two weeks without the program nothing is left as soon as it starts, or somebody
// reads.
func TestSevenDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "log")
		l, end := keep(t, dir)
		for i := range 20 {
			l.Add(relaylog.Record{Hour: time.Now(), Seconds: int64(i), Address: address})
			time.Sleep(24 * time.Hour)
			all, err := relaylog.Read(dir, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range all {
				if age := time.Since(r.Hour); age > retention.RelayLogTime {
					t.Errorf("day %d: a record is %v old", i, age)
				}
			}
			if want := min(i+1, 6); len(all) != want { // that of today is not there yet
				t.Errorf("day %d: %d records, want %d", i, len(all), want)
			}
		}
		end()
		time.Sleep(14 * 24 * time.Hour)
		if len(days(t, dir)) == 0 {
			t.Fatal("there is nothing to delete: the test shows nothing")
		}
		_, end = keep(t, dir)
		defer end()
		if left := days(t, dir); len(left) != 0 {
			t.Errorf("left after downtime: %q", left)
		}
	})
}

// TestReadingDeletes: day 8 is not readable, even if parley never started again.
func TestReadingDeletes(t *testing.T) {
	dir := t.TempDir()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, day := range []string{"2026-11-14", "2026-11-15", "2026-11-16", "2026-11-22", "2026-11-30"} {
		line := fmt.Sprintf(`{"hour":"%sT00:00:00Z","seconds":1,"address":"203.0.113.77"}`, day)
		if err := os.WriteFile(filepath.Join(dir, "relays-"+day+".jsonl"), []byte(line+"\n{\"cut"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	other := filepath.Join(dir, "relays-of-somebody.txt")
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := relaylog.Read(dir, now)
	if err != nil || len(all) != 2 {
		t.Fatalf("%d records, %v, want those of two days", len(all), err)
	}
	if want := []string{"relays-2026-11-16.jsonl", "relays-2026-11-22.jsonl", "relays-of-somebody.txt"}; !slices.Equal(days(t, dir), want) {
		t.Errorf("left: %q, want %q", days(t, dir), want)
	}
}

// TestFilesArePrivate: the folder and what is in it are parley's alone, it is marked for backup
// programs, and a folder that others can read is refused.
func TestFilesArePrivate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "log")
		l, end := keep(t, dir)
		l.Add(relaylog.Record{Hour: time.Now().Add(17 * time.Minute), Address: address})
		end()
		for _, name := range append(days(t, dir), "CACHEDIR.TAG") {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %v %v", name, info.Mode(), err)
			}
		}
		if text, err := os.ReadFile(filepath.Join(dir, "CACHEDIR.TAG")); err != nil || !strings.HasPrefix(string(text), "Signature: 8a477f597d28d172789f06886806bc55\n") {
			t.Errorf("backup programs do not know the mark: %q %v", text, err)
		}
		all, err := relaylog.Read(dir, time.Now())
		if err != nil || len(all) != 1 || all[0].Hour.Minute() != 0 {
			t.Errorf("read %v, %v: want one record, of a whole hour", all, err)
		}
		if err := os.Chmod(dir, 0o750); err != nil {
			t.Fatal(err)
		}
		if _, err := relaylog.Open(dir, quiet(), time.Now); err == nil || !strings.Contains(err.Error(), "chmod 700") {
			t.Errorf("a folder that others read: %v", err)
		}
	})
}

// TestFullQueueLosesTheNewest: nobody waits for the disk.
func TestFullQueueLosesTheNewest(t *testing.T) {
	l, err := relaylog.Open(filepath.Join(t.TempDir(), "log"), quiet(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for range 8192 + 10 { // nobody writes
		l.Add(relaylog.Record{})
	}
	if n := l.Lost(); n != 10 {
		t.Errorf("%d were lost, want 10", n)
	}
}
