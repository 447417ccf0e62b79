package main

import (
	"bufio"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/keyring"
	"parley/internal/vtest"
	"parley/migrations"
	"parley/moderation"
)

// TestOldReportsCount: a device that an older parley took four reports on, of shape 3, stands as it
// stood with that parley: watch, hate four times. Files and keys are those of that parley.
func TestOldReportsCount(t *testing.T) {
	golden, dir := filepath.Join("..", "..", "migrations", "testdata"), t.TempDir()
	for _, name := range []string{"keys", "epochs"} {
		text, err := os.ReadFile(filepath.Join(golden, "shape-3."+name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rdb := redis.NewClient(vtest.StartRedis(t))
	defer rdb.Close()
	made := fillShape3(t, rdb, filepath.Join(golden, "shape-3.txt"))
	ring, err := keyring.Load(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	epochs, err := keyring.LoadEpochs(filepath.Join(dir, "epochs"), made, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := migrations.Run(t.Context(), rdb, ring.Tag("key file"), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Weeks(t.Context(), rdb, weeksOf(epochs.Live(made)), made); err != nil {
		t.Fatal(err)
	}
	desk := moderation.New(moderation.Config{Redis: rdb, Ring: ring, Epochs: epochs, Log: slog.New(slog.DiscardHandler)})
	got, err := desk.Standing(t.Context(), moderation.Device{Token: strings.Repeat("0", 42) + "1"}, made)
	if err != nil || got.Band != moderation.Watch || len(got.Reasons) != 1 || got.Reasons[0].Reason != moderation.Hate || got.Reasons[0].Count != 4 {
		t.Errorf("it stands at %+v, %v", got, err)
	}
	other, err := desk.Standing(t.Context(), moderation.Device{Token: strings.Repeat("0", 42) + "2"}, made)
	if err != nil || other.Band != moderation.Clear || other.Records {
		t.Errorf("another device stands at %+v, %v", other, err)
	}
}

// fillShape3 puts a golden file into rdb, and returns when it was made.
func fillShape3(t *testing.T, rdb *redis.Client, name string) (made time.Time) {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	number := func(s string) int64 {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	unquoted := func(s string) string {
		v, err := strconv.Unquote(s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if ms, is := strings.CutPrefix(lines.Text(), "# made at "); is {
			made = time.UnixMilli(number(ms))
			continue
		}
		parts := strings.SplitN(lines.Text(), " ", 4)
		key, left := parts[1], time.Duration(number(parts[2]))*time.Millisecond
		if parts[0] == "string" {
			err = rdb.Set(t.Context(), key, unquoted(parts[3]), left).Err()
		} else {
			field, value, _ := strings.Cut(parts[3], " ")
			if err = rdb.HSet(t.Context(), key, unquoted(field), unquoted(value)).Err(); err == nil && left > 0 {
				err = rdb.PExpire(t.Context(), key, left).Err()
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return made
}
