package moderation_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"parley/moderation"
)

func TestDamagedRecord(t *testing.T) { both(t, damagedRecord) }

// damagedRecord: what parley did not write counts for nothing, is told to operators, and is
// replaced by the next report, which counts.
func damagedRecord(t *testing.T, w world) {
	var log bytes.Buffer
	cfg := config(w.rdb)
	cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	w.Desk = moderation.New(cfg)
	w.accuse(t, bo, 1, moderation.Threat)
	key := w.recordKey(t)
	whole := w.rdb.Get(t.Context(), key).Val()
	for says, broken := range map[string]string{
		"half": whole[:len(whole)/2], "a few bytes": "abc", "nothing": "", "another kind": whole[:8] + "?" + whole[9:],
		"what a newer parley writes": whole[:33] + "\x09" + whole[34:], "long": strings.Repeat("x", 5000),
	} {
		if err := w.rdb.SetArgs(t.Context(), key, broken, redis.SetArgs{KeepTTL: true}).Err(); err != nil {
			t.Fatal(err)
		}
		if v := w.admit(t, bo); v.Band != moderation.Clear {
			t.Errorf("%s: %+v", says, v)
		}
		w.accuse(t, bo, 1, moderation.Threat)
		if got := w.reports(t); len(got) != 1 {
			t.Errorf("%s: reports %v, want the new one", says, got)
		}
		if v := w.admit(t, bo); v.Band != moderation.Watch {
			t.Errorf("%s: after a report %+v", says, v)
		}
	}
	if n := strings.Count(log.String(), "not what parley writes"); n != 1 {
		t.Errorf("the log tells it %d times, want once a minute: %s", n, &log)
	}
}

func TestDamagedReport(t *testing.T) { both(t, damagedReport) }

// damagedReport: one report that is not readable does not take the others with it, and goes when
// the record changes.
func damagedReport(t *testing.T, w world) {
	w.accuse(t, bo, 3, moderation.Threat)
	var one string
	for _, key := range w.keys(t) {
		if strings.Contains(key, ":report:") {
			one = key
		}
	}
	if err := w.rdb.SetArgs(t.Context(), one, "abc", redis.SetArgs{KeepTTL: true}).Err(); err != nil {
		t.Fatal(err)
	}
	if at, err := w.Standing(t.Context(), bo, start()); err != nil || len(at.Reasons) != 1 || at.Reasons[0].Count != 2 {
		t.Errorf("%+v %v, want two reports that count", at, err)
	}
	w.accuse(t, bo, 1, moderation.Threat)
	if got := w.reports(t); len(got) != 3 {
		t.Errorf("reports %v, want three", got)
	}
}
