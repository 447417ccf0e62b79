package main

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/internal/backup"
	"parley/internal/keyring"
)

// TestWeeksOfABackup: reports are restored only where somebody can find them again: under the weekly
// keys that they were made under. A key that is due may be missing.
func TestWeeksOfABackup(t *testing.T) {
	now := time.Now()
	cfg := config{EpochKeys: filepath.Join(t.TempDir(), "epochs")}
	epochs, err := keyring.LoadEpochs(cfg.EpochKeys, now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	week := keyring.WeekOf(now)
	mine, there := epochs.Live(now).Week(week)
	if !there {
		t.Fatal("no key for this week")
	}
	for name, test := range map[string]struct {
		file backup.File
		anew bool
		lost string // weeks in the refusal, "" for none
	}{
		"ours":         {backup.File{Devices: 1, Weeks: map[int64]string{week: mine.Fingerprint()}}, false, ""},
		"another's":    {backup.File{Devices: 1, Weeks: map[int64]string{week: "another"}}, false, "of week"},
		"lost":         {backup.File{Devices: 1, Weeks: map[int64]string{week - 1: "gone"}}, false, "of week"},
		"to come":      {backup.File{Devices: 1, Weeks: map[int64]string{week + 1: "gone"}}, false, ""},
		"due":          {backup.File{Devices: 1, Weeks: map[int64]string{week - 6: "destroyed"}}, false, ""},
		"no reports":   {backup.File{Weeks: map[int64]string{week: "another"}}, false, ""},
		"lost, anyway": {backup.File{Devices: 1, Weeks: map[int64]string{week: "another"}}, true, ""},
	} {
		cfg.EpochKeysNew = test.anew
		test.file.Head.Made = now
		err := haveWeeks(cfg, &test.file, now)
		if (err != nil) != (test.lost != "") || err != nil && !strings.Contains(err.Error(), test.lost) {
			t.Errorf("%s: %v", name, err)
		}
	}
	cfg.EpochKeys, cfg.EpochKeysNew = filepath.Join(t.TempDir(), "nowhere"), false
	if err := haveWeeks(cfg, &backup.File{Head: backup.Head{Made: now}, Devices: 1, Weeks: map[int64]string{week: mine.Fingerprint()}}, now); err == nil {
		t.Error("no keys at all, and it is restored")
	}
}
