package migrations_test

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"parley/migrations"
	"parley/retention"
)

const oneWeek = 7 * 24 * time.Hour

// noon lies in week 3130.
var noon = time.Unix(0, 0).Add(3130*oneWeek + 12*time.Hour)

func week(number int64, fingerprint string) migrations.Week {
	due := time.Unix(0, 0).Add(time.Duration(number+1)*oneWeek + 30*24*time.Hour)
	return migrations.Week{Number: number, Fingerprint: fingerprint, Due: due}
}

func TestWeeks(t *testing.T) { both(t, weeks) }

// weeks: data is refused to other keys while there is a record, and only then.
func weeks(t *testing.T, w world) {
	ctx := t.Context()
	mine := []migrations.Week{week(3131, "d"), week(3130, "c"), week(3129, "b")}
	run := func(have []migrations.Week, at time.Time, anew bool) []int64 {
		t.Helper()
		check := migrations.Weeks
		if anew {
			check = migrations.NewWeeks
		}
		err := check(ctx, w.UniversalClient, have, at)
		if lost := new(migrations.WeeksError); errors.As(err, &lost) {
			return lost.Weeks
		}
		if err != nil {
			t.Fatal(err)
		}
		return nil
	}
	for range 2 {
		if lost := run(mine, noon, false); lost != nil {
			t.Fatalf("lost %v of its own", lost)
		}
	}
	record := retention.Record.Key("device")
	w.Set(ctx, record, "x", time.Hour)
	other := []migrations.Week{week(3130, "x")}
	if lost := run(other, noon, false); !slices.Equal(lost, []int64{3129, 3130, 3131}) {
		t.Errorf("other keys lose %v", lost)
	}
	if lost := run(mine[:2], noon, false); !slices.Equal(lost, []int64{3129}) {
		t.Errorf("a file without its oldest key loses %v", lost)
	}
	if err := migrations.Weeks(ctx, w.UniversalClient, other, noon); err == nil || !strings.Contains(err.Error(), "3129, 3130, 3131") {
		t.Errorf("it says %v", err)
	}
	if lost := run(mine, noon, false); lost != nil {
		t.Errorf("a refusal changed the data: %v", lost)
	}
	// 30 days after the end of week 3129 its key is due, and may be missing.
	due := week(3129, "").Due
	if lost := run(mine[:2], due.Add(-time.Second), false); !slices.Equal(lost, []int64{3129}) {
		t.Errorf("a second before it is due: %v", lost)
	}
	if lost := run(mine[:2], due, false); lost != nil {
		t.Errorf("when it is due: %v", lost)
	}
	if w.HExists(ctx, retention.Schema.Key(), "week:3129").Val() {
		t.Error("the fingerprint of a destroyed key is still there")
	}
	// The ways out: on purpose, or because there is nothing to lose.
	if lost := run(other, noon, true); lost != nil {
		t.Errorf("on purpose: %v", lost)
	}
	if lost := run(mine, noon, false); len(lost) == 0 {
		t.Error("the old keys came back beside new ones")
	}
	w.Del(ctx, record)
	if lost := run(mine, noon, false); lost != nil {
		t.Errorf("without records: %v", lost)
	}
}

func TestReportsOfTheFirstShapeAreDeleted(t *testing.T) { both(t, reportsOfTheFirstShapeAreDeleted) }

// reportsOfTheFirstShapeAreDeleted: they cannot be carried, and the log says so.
func reportsOfTheFirstShapeAreDeleted(t *testing.T, w world) {
	ctx := t.Context()
	if err := migrations.Apply(ctx, w, migrations.Steps("mark", quiet())[:2], quiet()); err != nil {
		t.Fatal(err)
	}
	for _, device := range []string{"a", "b"} {
		w.Set(ctx, strings.Replace(retention.Report.Key(device, "0"), "{d}", "{d:x}", 1), "x", time.Hour)
		w.Set(ctx, strings.NewReplacer("{d}", "{d:"+device+"}", ":"+device+":", ":").Replace(retention.Report.Key(device, "0")), "x", time.Hour)
	}
	keep := retention.Report.Key("kept", "0")
	w.Set(ctx, keep, "x", time.Hour)
	var log strings.Builder
	if err := migrations.Run(ctx, w.UniversalClient, "mark", slog.New(slog.NewTextHandler(&log, nil))); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "reports=4") || !strings.Contains(log.String(), "cannot be carried over") {
		t.Errorf("the log says %s", &log)
	}
	if n := w.Exists(ctx, keep).Val(); n != 1 {
		t.Error("a report of the new shape was deleted")
	}
	clean(t, w)
	if got := version(t, w); got != "5" {
		t.Errorf("version %q, want 5", got)
	}
}
