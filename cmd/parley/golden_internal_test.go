package main

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"parley/internal/keyring"
	"parley/internal/vtest"
	"parley/migrations"
	"parley/moderation"
)

// TestOldReportsCount: a device that an older parley took four reports on, of shape 3 or 4, stands as
// it stood with that parley: watch, hate four times. Files and keys are those of that parley.
func TestOldReportsCount(t *testing.T) {
	for _, shape := range []string{"shape-3", "shape-4"} {
		t.Run(shape, func(t *testing.T) { oldReportsCount(t, shape) })
	}
}

func oldReportsCount(t *testing.T, shape string) {
	t.Helper()
	golden, dir := filepath.Join("..", "..", "migrations", "testdata"), t.TempDir()
	for _, name := range []string{"keys", "epochs"} {
		text, err := os.ReadFile(filepath.Join(golden, shape+"."+name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rdb := redis.NewClient(vtest.StartRedis(t))
	defer rdb.Close()
	made, _ := vtest.LoadGolden(t, rdb, filepath.Join(golden, shape+".txt"))
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
