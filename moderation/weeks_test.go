package moderation_test

import (
	"errors"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/keyring"
	"parley/internal/vtest"
	"parley/moderation"
	"parley/retention"
)

// at reports as a node does whose clock shows now.
func (w world) at(t *testing.T, now time.Time, call string, reporter, target moderation.Device) (before bool) {
	t.Helper()
	w.begin(t, call)
	before, err := w.Report(t.Context(), reporter, w.Handle(call, reporter, target, now), moderation.Hate, now)
	if err != nil {
		t.Fatal(err)
	}
	return before
}

// start returns the beginning of a week to come.
func start() time.Time {
	return time.Unix(0, 0).Add(time.Duration(keyring.WeekOf(time.Now())+1) * keyring.Week)
}

func TestPairCountsOnceAcrossWeeks(t *testing.T) { both(t, pairCountsOnceAcrossWeeks) }

// pairCountsOnceAcrossWeeks: the record moves to the key of each week in which there is a report,
// whole, and knows reporters whose pseudonyms are of an older one.
func pairCountsOnceAcrossWeeks(t *testing.T, w world) {
	target := digestOf("x", bo)
	for week := range 4 {
		now := start().Add(time.Duration(week)*keyring.Week + time.Hour)
		for who := range week + 1 {
			call := "call" + string(rune('a'+week)) + string(rune('a'+who))
			if before := w.at(t, now, call, number(who), target); before != (who < week) {
				t.Errorf("week %d, reporter %d: before %v", week, who, before)
			}
		}
		all, err := w.Records(t.Context())
		if err != nil || len(all) != 2 {
			t.Fatalf("week %d: %d records, %v; want that of the token and that of the digest", week, len(all), err)
		}
		for _, r := range all {
			if len(r.Events) != week+1 {
				t.Errorf("week %d: %d reports, want %d", week, len(r.Events), week+1)
			}
		}
	}
	w.reports(t) // every report is one that a record knows
}

// TestEachReportDiesAtItsTime: also those that were moved to another week's record.
func TestEachReportDiesAtItsTime(t *testing.T) {
	virtual(t, func(t *testing.T, w world) {
		const apart = 5 * 24 * time.Hour
		for i := range 4 {
			w.at(t, time.Now(), "call"+string(rune('a'+i)), number(i), bo)
			w.pass(apart)
		}
		w.pass(retention.ReportTime - 4*apart - time.Second)
		for left := 4; left > 0; left-- {
			if n := len(w.reports(t)); n != left {
				t.Fatalf("%d reports a second before one dies, want %d", n, left)
			}
			w.pass(time.Second)
			if n := len(w.reports(t)); n != left-1 {
				t.Fatalf("%d reports when one is 30 days old, want %d", n, left-1)
			}
			w.audit(t)
			w.pass(apart - time.Second)
		}
		if n := len(w.keys(t)); n != 0 {
			t.Errorf("left: %q", w.keys(t))
		}
	})
}

// TestShredding: a copy of the database, taken while the reports were there, and the ring of the
// day on which the last key of then is due: nothing in it can be found any more. A second before it
// could.
func TestShredding(t *testing.T) { both(t, shredding) }

func shredding(t *testing.T, w world) {
	ctx, now := t.Context(), time.Now()
	file := filepath.Join(t.TempDir(), "epochs")
	load := func(at time.Time) world {
		epochs, err := keyring.LoadEpochs(file, at, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		cfg := config(w.rdb)
		cfg.Epochs = epochs
		return world{moderation.New(cfg), w.rdb, w.pass}
	}
	then := load(now)
	device := digestOf("x", bo)
	then.at(t, now, "call", ana, device)
	if at, err := then.Standing(ctx, device, now); err != nil || !at.Records {
		t.Fatalf("%+v %v", at, err)
	}
	dump := map[string]string{} // of every key, the embedded store has no DUMP of a hash
	for _, key := range w.keys(t) {
		if kind := w.rdb.Type(ctx, key).Val(); kind == "string" {
			dump[key] = w.rdb.Get(ctx, key).Val()
		}
	}
	if err := vtest.Flush(ctx, w.rdb); err != nil {
		t.Fatal(err)
	}
	for key, value := range dump {
		if err := w.rdb.Set(ctx, key, value, time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
	}
	due := time.Unix(0, 0).Add(time.Duration(keyring.WeekOf(now)+1) * keyring.Week).Add(keyring.KeptFor)
	for _, c := range []struct {
		at    time.Time
		found bool
	}{{due.Add(-24 * time.Hour), true}, {due.Add(-time.Second), true}, {due, false}, {due.Add(time.Hour), false}} {
		at, err := load(c.at).Standing(ctx, device, c.at)
		if err != nil || at.Records != c.found {
			t.Errorf("%v before the key is due: found %v, %v", due.Sub(c.at), at.Records, err)
		}
	}
	if keyring.KeptFor != retention.ReportTime {
		t.Error("a key lives longer or shorter than what was named under it")
	}
}

// TestClockAnHourOff: at the turn of a week two nodes whose clocks differ by an hour see one
// record.
func TestClockAnHourOff(t *testing.T) { both(t, clockAnHourOff) }

func clockAnHourOff(t *testing.T, w world) {
	slow := start().Add(-30 * time.Minute)
	fast := slow.Add(time.Hour)
	for i, now := range []time.Time{slow, fast, slow, fast} {
		w.at(t, now, "call"+string(rune('a'+i)), number(i), bo)
		if before := w.at(t, fast, "again"+string(rune('a'+i)), number(0), bo); !before {
			t.Error("the pair of the first report was taken again")
		}
	}
	for _, now := range []time.Time{slow, fast} {
		v, err := w.Admit(t.Context(), bo, now)
		if err != nil || v.Band != moderation.Watch { // all of a network that is not known
			t.Errorf("%+v %v", v, err)
		}
	}
	if n := len(w.reports(t)); n != 4 {
		t.Errorf("%d reports, want 4", n)
	}
	_, ticket := w.Age(ana.Token, "", fast)
	for _, c := range []struct {
		at    time.Duration
		fresh bool
	}{{-time.Hour, true}, {0, true}, {23 * time.Hour, true}, {25 * time.Hour, false}, {26 * time.Hour, false}} {
		if fresh, keep := w.Age(ana.Token, ticket, fast.Add(c.at)); fresh != c.fresh || keep != "" {
			t.Errorf("%v after the ticket was made: fresh %v, keep %q", c.at, fresh, keep)
		}
	}
}

// TestAgeTickets: one that is changed, of another device or of another installation makes a
// newcomer.
func TestAgeTickets(t *testing.T) {
	d, now := desk(nil), time.Now()
	fresh, old := d.Age(ana.Token, "", now.Add(-48*time.Hour))
	if !fresh || old == "" {
		t.Fatal(fresh, old)
	}
	changed := []byte(old)
	changed[1] ^= 1 // the hour
	_, foreign := desk(nil).Age(ana.Token, "", now.Add(-48*time.Hour))
	for name, c := range map[string]struct {
		token, ticket string
		fresh         bool
	}{
		"good": {ana.Token, old, false}, "of another device": {bo.Token, old, true}, "changed": {ana.Token, string(changed), true},
		"of another installation": {ana.Token, foreign, true}, "cut": {ana.Token, old[:20], true}, "longer": {ana.Token, old + "A", true},
		"none": {ana.Token, "", true}, "not base64": {ana.Token, "*" + old[1:], true},
	} {
		fresh, keep := d.Age(c.token, c.ticket, now)
		if fresh != c.fresh || (keep == "") == c.fresh {
			t.Errorf("%s: fresh %v, keep %q", name, fresh, keep)
		}
	}
}

// TestNodesAtOnce: reports on one device that come in over two nodes at the same moment are all
// there.
func TestNodesAtOnce(t *testing.T) {
	t.Run("redis-server", func(t *testing.T) {
		rdb := vtest.StartServer(t).AsParley()
		cfg := config(rdb)
		nodes := []world{{moderation.New(cfg), rdb, nil}, {moderation.New(cfg), rdb, nil}}
		const people = 40
		var all sync.WaitGroup
		for i := range people {
			all.Go(func() {
				w, call := nodes[i%2], "call"+number(i).Token[38:]
				if err := w.Begin(t.Context(), call); err != nil {
					t.Error(err)
				}
				handle := w.Handle(call, number(i), bo, time.Now())
				for tries := 0; ; tries++ {
					_, err := w.Report(t.Context(), number(i), handle, moderation.Spam, time.Now())
					if err == nil {
						return
					}
					if !errors.Is(err, moderation.ErrUnavailable) || tries == 50 {
						t.Error(err)
						return
					}
				}
			})
		}
		all.Wait()
		if n := len(nodes[0].reports(t)); n != people {
			t.Errorf("%d reports of %d", n, people)
		}
		nodes[0].audit(t)
	})
}

// TestRedisAwayAndBack: a report that was not stored is retried, and never doubled.
func TestRedisAwayAndBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb := vtest.NewRedis(t)
		w := world{desk(rdb.Client), rdb.Client, nil}
		w.begin(t, "call")
		handle := w.Handle("call", ana, bo, time.Now())
		rdb.Away()
		for range 3 {
			if _, err := w.Report(t.Context(), ana, handle, moderation.Hate, time.Now()); !errors.Is(err, moderation.ErrUnavailable) {
				t.Errorf("%v, want ErrUnavailable", err)
			}
			if _, err := w.Admit(t.Context(), bo, time.Now()); !errors.Is(err, moderation.ErrUnavailable) {
				t.Errorf("%v, want ErrUnavailable", err)
			}
		}
		rdb.Back()
		for range 3 {
			if before, err := w.Report(t.Context(), ana, handle, moderation.Hate, time.Now()); err != nil || before {
				t.Errorf("%v, before %v", err, before)
			}
		}
		if n := len(w.reports(t)); n != 1 {
			t.Errorf("%d reports", n)
		}
	})
}
