package keyring_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/keyring"
	"parley/internal/vtest"
)

var quiet = slog.New(slog.DiscardHandler)

func epochFile(t *testing.T) string { return filepath.Join(t.TempDir(), "state", "epochs") }

func load(t *testing.T, file string, now time.Time) *keyring.Epochs {
	t.Helper()
	e, err := keyring.LoadEpochs(file, now, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func weeks(l keyring.Live) []int64 {
	var all []int64
	for _, e := range l {
		all = append(all, e.Week)
	}
	return all
}

// TestYearOfEpochs: hour by hour through a year, the key of the week is there, made ahead, and
// every key is gone 30 days after its week, never more than six at a time.
func TestYearOfEpochs(t *testing.T) {
	for name, at := range map[string]func(time.Time) *keyring.Epochs{
		"memory": func() func(time.Time) *keyring.Epochs {
			e := keyring.NewEpochs()
			return func(time.Time) *keyring.Epochs { return e }
		}(),
		"file": func() func(time.Time) *keyring.Epochs {
			file := epochFile(t)
			return func(now time.Time) *keyring.Epochs { return load(t, file, now) }
		}(),
	} {
		t.Run(name, func(t *testing.T) {
			step := time.Hour
			if name == "file" {
				step = 7 * time.Hour // each is a read of the file
			}
			known := map[int64]string{}
			for now := noon; now.Before(noon.AddDate(1, 0, 0)); now = now.Add(step) {
				live := at(now).Live(now)
				if len(live) > keyring.MaxEpochs {
					t.Fatalf("%v: %d keys", now, len(live))
				}
				current, there := live.Current(now)
				if !there || current.Week != keyring.WeekOf(now) {
					t.Fatalf("%v: current %v %v", now, current.Week, there)
				}
				for _, e := range live {
					if !now.Before(e.Due()) {
						t.Fatalf("%v: the key of week %d was due at %v", now, e.Week, e.Due())
					}
					if was, is := known[e.Week]; is && was != e.Fingerprint() {
						t.Fatalf("the key of week %d changed", e.Week)
					}
					known[e.Week] = e.Fingerprint()
				}
				// What was named 30 days ago is still found.
				if old := keyring.WeekOf(now.Add(-keyring.KeptFor)); known[old] != "" {
					if _, there := live.Week(old); !there {
						t.Fatalf("%v: the key of week %d is gone too early", now, old)
					}
				}
			}
		})
	}
}

func TestWeeksAndDays(t *testing.T) {
	for _, c := range []struct {
		at        time.Time
		week, day int64
	}{
		{time.Unix(0, 0), 0, 0}, {time.Unix(7*86400-1, 0), 0, 6}, {time.Unix(7*86400, 0), 1, 7}, {time.Unix(-1, 0), -1, -1},
	} {
		if w, d := keyring.WeekOf(c.at), keyring.DayOf(c.at); w != c.week || d != c.day {
			t.Errorf("%v: week %d day %d, want %d %d", c.at, w, d, c.week, c.day)
		}
	}
}

// TestMarksOfEpochs: nothing links the names of one week to those of another.
func TestMarksOfEpochs(t *testing.T) {
	live := keyring.NewEpochs().Live(noon)
	a, b := live[0], live[1]
	marks := map[string]bool{}
	for _, m := range [][]byte{
		a.Mark("p", "x"), b.Mark("p", "x"), a.Mark("q", "x"), a.Mark("p", "x", ""), a.Mark("px"), a.Day(1).Mark("p", "x"), a.Day(2).Mark("p", "x"),
	} {
		marks[string(m)] = true
	}
	if len(marks) != 7 || len(a.Name("p", "x")) != 16 || a.Fingerprint() == b.Fingerprint() {
		t.Errorf("%d different marks of 7", len(marks))
	}
	token := a.Ring().Seal("p", "o", noon.Add(time.Hour), []byte("body"))
	if _, err := b.Ring().Open("p", "o", noon, token); err == nil {
		t.Error("a token of one week opens under the key of another")
	}
}

// TestEpochFileIsShared: processes that start at once, also when a key is due and another to be
// made, have the same keys, and leave nothing behind.
func TestEpochFileIsShared(t *testing.T) {
	file := epochFile(t)
	for _, now := range []time.Time{noon, noon.Add(5 * keyring.Week), noon.Add(6*keyring.Week + 3*24*time.Hour)} {
		var made [8]*keyring.Epochs
		var all sync.WaitGroup
		for i := range made {
			all.Go(func() {
				var err error
				if made[i], err = keyring.LoadEpochs(file, now, quiet); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if t.Failed() {
			return
		}
		for _, e := range made {
			if got, want := e.Live(now), made[0].Live(now); !slices.Equal(fingerprints(got), fingerprints(want)) {
				t.Errorf("%v: %v and %v", now, weeks(got), weeks(want))
			}
		}
	}
	left, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(left) != 2 { // the file and its lock
		t.Errorf("left behind: %v %v", left, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

func fingerprints(l keyring.Live) []string {
	var all []string
	for _, e := range l {
		all = append(all, fmt.Sprint(e.Week, e.Fingerprint()))
	}
	return all
}

// TestDueKeyLeavesTheFile: neither the new file nor the bytes of the old one hold it.
func TestDueKeyLeavesTheFile(t *testing.T) {
	file := epochFile(t)
	live := load(t, file, noon).Live(noon)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	old, err := os.Open(file) // as an undelete would see it
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	first := strings.Fields(strings.Split(string(text), "\n")[1])[1]
	due := live[len(live)-1].Due()
	load(t, file, due.Add(-time.Second))
	if text, _ := os.ReadFile(file); !strings.Contains(string(text), first) {
		t.Error("the key was destroyed before it was due")
	}
	load(t, file, due)
	if text, _ := os.ReadFile(file); strings.Contains(string(text), first) || len(text) == 0 {
		t.Error("the key is there when it is due")
	}
	bytes := make([]byte, len(text))
	if n, err := old.ReadAt(bytes, 0); err != nil || n == 0 || strings.Trim(string(bytes), "\x00") != "" {
		t.Errorf("the old bytes: %q %v", bytes, err)
	}
}

func TestEpochFileRefused(t *testing.T) {
	key := strings.Repeat("ab", 32)
	week := keyring.WeekOf(noon)
	for _, c := range []struct {
		name, content string
		mode          os.FileMode
		says          string
	}{
		{"open to others", "parley epoch keys 1\n", 0o640, "chmod 600"},
		{"another file", key + "\n", 0o600, "first line"},
		{"empty", "", 0o600, "first line"},
		{"cut", fmt.Sprintf("parley epoch keys 1\n%d %s\n", week, key[:60]), 0o600, "line 2"},
		{"not hexadecimal", fmt.Sprintf("parley epoch keys 1\n%d %s\n", week, strings.Repeat("x", 64)), 0o600, "line 2"},
		{"twice", fmt.Sprintf("parley epoch keys 1\n%d %s\n%d %s\n", week, key, week, key), 0o600, "out of order"},
		{"of weeks to come", fmt.Sprintf("parley epoch keys 1\n%d %s\n", week+2, key), 0o600, "clock"},
	} {
		file := filepath.Join(t.TempDir(), "epochs")
		if err := os.WriteFile(file, []byte(c.content), c.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, c.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := keyring.LoadEpochs(file, noon, quiet); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
		if text, err := os.ReadFile(file); err != nil || string(text) != c.content {
			t.Errorf("%s: the file was changed", c.name)
		}
	}
}

// TestReadOnlyEpochs: a node that may only read takes up what others bring, and the log says once
// what is late.
func TestReadOnlyEpochs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := epochFile(t)
		load(t, file, time.Now())
		if err := os.Chmod(file, 0o400); err != nil {
			t.Fatal(err)
		}
		var log vtest.Log
		e, err := keyring.LoadEpochs(file, time.Now(), slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		before := fingerprints(e.Live(time.Now()))
		var changes atomic.Int32
		ctx, stop := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { _ = e.Run(ctx, func(context.Context, keyring.Live) { changes.Add(1) }) })
		time.Sleep(15 * 24 * time.Hour) // the key of the third week is missing now
		synctest.Wait()
		if n := strings.Count(log.String(), "no key for this week"); n != 1 {
			t.Errorf("told %d times that a key is missing: %s", n, log.String())
		}
		if current, there := e.Live(time.Now()).Current(time.Now()); !there || !slices.Contains(before, fmt.Sprint(current.Week, current.Fingerprint())) {
			t.Error("without the key of the week the newest should serve")
		}
		// Somebody brings new ones.
		if err := os.Chmod(file, 0o600); err != nil {
			t.Fatal(err)
		}
		load(t, file, time.Now())
		if err := os.Chmod(file, 0o400); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if current, _ := e.Live(time.Now()).Current(time.Now()); current.Week != keyring.WeekOf(time.Now()) || changes.Load() != 1 {
			t.Errorf("week %d is current, %d changes", current.Week, changes.Load())
		}
		time.Sleep(24 * 24 * time.Hour) // past the end of the first key, which is still in the file
		synctest.Wait()
		if n := strings.Count(log.String(), "should be destroyed is still in the file"); n != 1 {
			t.Errorf("told %d times that a key is late: %s", n, log.String())
		}
		if strings.Contains(log.String(), file) {
			t.Error("the log names the file")
		}
		stop()
		run.Wait()
	})
}

func TestFingerprintSaysNothing(t *testing.T) {
	file := epochFile(t)
	live := load(t, file, noon).Live(noon)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n")[1:] {
		raw, err := hex.DecodeString(strings.Fields(line)[1])
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range live {
			if strings.Contains(string(raw), e.Fingerprint()[:4]) || strings.Contains(line, e.Fingerprint()) {
				t.Error("a fingerprint shows its key")
			}
		}
	}
}
