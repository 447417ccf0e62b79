package moderation_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/keyring"
	"parley/internal/vtest"
	"parley/moderation"
	"parley/retention"
)

// Devices, as browsers name them.
var (
	ana = device("A")
	bo  = device("B")
	cy  = device("C")
)

func device(letter string) moderation.Device {
	return moderation.Device{Token: strings.Repeat(letter, 43)}
}

// world is a desk with its Redis.
type world struct {
	*moderation.Desk
	rdb  redis.UniversalClient
	pass func(time.Duration) // nil on the real server
}

// both runs a test on the embedded server, in virtual time, and on a real one. Afterwards every
// key must be one that the catalogue declares.
func both(t *testing.T, test func(*testing.T, world)) {
	t.Run("embedded", func(t *testing.T) {
		virtual(t, test)
	})
	t.Run("redis-server", func(t *testing.T) {
		rdb := redis.NewClient(vtest.StartRedis(t))
		defer rdb.Close()
		w := world{desk(rdb), rdb, nil}
		test(t, w)
		w.audit(t)
	})
}

// virtual runs a test on the embedded server only, for what takes long.
func virtual(t *testing.T, test func(*testing.T, world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		rdb := vtest.NewRedis(t)
		w := world{desk(rdb.Client), rdb.Client, func(d time.Duration) {
			time.Sleep(d)
			rdb.Advance(d)
		}}
		test(t, w)
		w.audit(t)
	})
}

func desk(rdb redis.UniversalClient) *moderation.Desk {
	return moderation.New(config(rdb))
}

func config(rdb redis.UniversalClient) moderation.Config {
	return moderation.Config{Redis: rdb, Ring: keyring.New(), Epochs: keyring.NewEpochs(), Log: slog.New(slog.DiscardHandler)}
}

// run lets the desk count calls until the function that it returns is called.
func (w world) run(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { _ = w.Run(ctx) })
	return func() {
		cancel()
		all.Wait()
	}
}

func (w world) audit(t *testing.T) {
	t.Helper()
	faults, err := retention.Audit(t.Context(), w.rdb)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range faults {
		t.Errorf("%s %s", f.Key, f.Says)
	}
}

// reports returns the reasons of the reports that exist, and fails when there is one that no record
// knows of.
func (w world) reports(t *testing.T) []moderation.Reason {
	t.Helper()
	all, err := w.Records(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var reasons []moderation.Reason
	for _, r := range all {
		for _, e := range r.Events {
			reasons = append(reasons, e.Reason)
		}
	}
	there := 0
	for _, key := range w.keys(t) {
		if strings.Contains(key, ":report:") {
			there++
		}
	}
	if there != len(reasons) {
		t.Errorf("%d reports are stored, the records know %d", there, len(reasons))
	}
	return reasons
}

func (w world) keys(t *testing.T) []string {
	t.Helper()
	keys, err := vtest.AllKeys(t.Context(), w.rdb)
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func (w world) begin(t *testing.T, call string) {
	t.Helper()
	if err := w.Begin(t.Context(), call); err != nil {
		t.Fatal(err)
	}
}

// reported reports and says what came of it.
func (w world) reported(t *testing.T, call string, reporter, target moderation.Device, reason moderation.Reason) error {
	t.Helper()
	_, err := w.Report(t.Context(), reporter, w.Handle(call, reporter, target, time.Now()), reason, time.Now())
	return err
}

func left(t *testing.T, w world, call string) time.Duration {
	t.Helper()
	d, err := w.rdb.PTTL(t.Context(), retention.Call.Key(call)).Result()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// about tells whether d is at most most, and no more than a second below.
func about(d, most time.Duration) bool { return d <= most && d > most-time.Second }

func TestReportOfARunningCall(t *testing.T) { both(t, reportOfARunningCall) }

func reportOfARunningCall(t *testing.T, w world) {
	w.begin(t, "call1")
	for _, reason := range moderation.Reasons() {
		if err := w.reported(t, "call1", ana, bo, reason); err != nil {
			t.Errorf("%s: %v", reason, err)
		}
	}
	for _, key := range w.keys(t) {
		if strings.Contains(key, ":window:") && w.rdb.HGet(t.Context(), key, "reports").Val() != "1" {
			t.Error("a repeat counted as one more report of the reporter")
		}
	}
	all := w.reports(t)
	if len(all) != 1 {
		t.Fatalf("%d records for one call and reporter, want 1: %q", len(all), all)
	}
	if all[0] != moderation.Sexual {
		t.Errorf("a repeat changed the report to %q", all[0])
	}
	if err := w.reported(t, "call1", bo, ana, moderation.Spam); err != nil {
		t.Error(err)
	}
	w.begin(t, "call2")
	before, err := w.Report(t.Context(), ana, w.Handle("call2", ana, bo, time.Now()), moderation.Hate, time.Now())
	if err != nil || !before {
		t.Errorf("the same pair in another call: %v, before %v", err, before)
	}
	if err := w.reported(t, "call2", cy, bo, moderation.Hate); err != nil { // a room of three
		t.Error(err)
	}
	if n := len(w.reports(t)); n != 3 {
		t.Errorf("%d reports of three pairs, want 3", n)
	}
}

func TestRecordsNameNobody(t *testing.T) { both(t, recordsNameNobody) }

func recordsNameNobody(t *testing.T, w world) {
	w.begin(t, "call1")
	if err := w.reported(t, "call1", ana, bo, moderation.Threat); err != nil {
		t.Fatal(err)
	}
	for _, key := range w.keys(t) {
		text := key
		if !strings.Contains(key, ":window:") {
			text += w.rdb.Get(t.Context(), key).Val()
		} else {
			text += strings.Join(w.rdb.HKeys(t.Context(), key).Val(), " ")
		}
		for _, secret := range []string{ana.Token[:12], bo.Token[:12], w.Tag(ana.Token), w.Tag(bo.Token)} {
			if strings.Contains(text, secret) {
				t.Errorf("%q shows %q", text, secret)
			}
		}
		if strings.Contains(text, ":report:") && strings.Contains(text, "call1") {
			t.Errorf("%q names the call", text)
		}
	}
}

func TestReportLivesThirtyDays(t *testing.T) {
	virtual(t, func(t *testing.T, w world) {
		w.begin(t, "call1")
		if err := w.reported(t, "call1", ana, bo, moderation.Minor); err != nil {
			t.Fatal(err)
		}
		const between = 10 * 24 * time.Hour
		w.pass(between)
		w.begin(t, "call2") // a newer report must not keep the older
		if err := w.reported(t, "call2", cy, bo, moderation.Spam); err != nil {
			t.Fatal(err)
		}
		w.pass(retention.ReportTime - between - time.Second)
		if n := len(w.reports(t)); n != 2 {
			t.Errorf("%d records one second before the first is 30 days old, want 2", n)
		}
		w.audit(t)
		w.pass(time.Second)
		if all := w.reports(t); len(all) != 1 || all[0] != moderation.Spam {
			t.Errorf("when the first is 30 days old there are %q, want the second alone", all)
		}
		w.pass(between - time.Second)
		if n := len(w.reports(t)); n != 1 {
			t.Errorf("%d records one second before the second is 30 days old, want 1", n)
		}
		w.pass(time.Second)
		if n, err := w.rdb.DBSize(t.Context()).Result(); n != 0 || err != nil {
			t.Errorf("%d keys remain, %v", n, err)
		}
	})
}

func TestRepeatDoesNotLengthen(t *testing.T) {
	virtual(t, func(t *testing.T, w world) {
		w.begin(t, "call1")
		if err := w.reported(t, "call1", ana, bo, moderation.Hate); err != nil {
			t.Fatal(err)
		}
		w.pass(14 * time.Minute)
		if err := w.reported(t, "call1", ana, bo, moderation.Hate); err != nil {
			t.Fatal(err)
		}
		w.pass(retention.ReportTime - 14*time.Minute)
		if n := len(w.reports(t)); n != 0 {
			t.Errorf("a repeat kept the record alive")
		}
	})
}

func TestFullDeviceLosesTheReportThatCountsLeast(t *testing.T) {
	virtual(t, func(t *testing.T, w world) {
		for i := range moderation.MaxReports + 3 {
			reason := moderation.Spam
			if i < 3 {
				reason = moderation.Threat
			}
			call := "call" + strconv.Itoa(i)
			w.begin(t, call)
			reporter := number(i)
			reporter.Net = strconv.Itoa(i)
			if err := w.reported(t, call, reporter, bo, reason); err != nil {
				t.Fatal(err)
			}
			w.pass(time.Minute)
		}
		all := w.reports(t)
		if len(all) != moderation.MaxReports {
			t.Errorf("%d records, want %d", len(all), moderation.MaxReports)
		}
		heavy := 0
		for _, r := range all {
			if r == moderation.Threat {
				heavy++
			}
		}
		if heavy != 3 {
			t.Errorf("%d of the three that weigh most are left", heavy)
		}
	})
}

func TestReportWindow(t *testing.T) {
	virtual(t, func(t *testing.T, w world) {
		w.begin(t, "call1")
		early, late := w.Handle("call1", ana, bo, time.Now()), w.Handle("call1", bo, ana, time.Now())
		if err := w.End(t.Context(), "call1"); err != nil {
			t.Fatal(err)
		}
		w.pass(retention.ReportWindow - time.Second)
		if _, err := w.Report(t.Context(), ana, early, moderation.Other, time.Now()); err != nil {
			t.Errorf("one second before the window closes: %v", err)
		}
		w.pass(time.Second)
		if _, err := w.Report(t.Context(), bo, late, moderation.Other, time.Now()); !errors.Is(err, moderation.ErrHandle) {
			t.Errorf("after the window: %v, want ErrHandle", err)
		}
	})
}

func TestCallRecord(t *testing.T) { both(t, callRecord) }

func callRecord(t *testing.T, w world) {
	ctx := t.Context()
	if err := w.End(ctx, "call1"); err != nil || left(t, w, "call1") > 0 {
		t.Errorf("end before begin: %v, and %v left", err, left(t, w, "call1"))
	}
	w.begin(t, "call1")
	if d := left(t, w, "call1"); !about(d, retention.CallTime) {
		t.Errorf("%v left after begin", d)
	}
	w.rdb.PExpire(ctx, retention.Call.Key("call1"), time.Minute)
	w.begin(t, "call1")
	if d := left(t, w, "call1"); !about(d, retention.CallTime) {
		t.Errorf("%v left after it was renewed", d)
	}
	if err := w.End(ctx, "call1"); err != nil || !about(left(t, w, "call1"), retention.ReportWindow) {
		t.Errorf("end: %v, %v left", err, left(t, w, "call1"))
	}
	// Whatever comes afterwards, the window closes when it was to close.
	w.rdb.PExpire(ctx, retention.Call.Key("call1"), time.Minute)
	w.begin(t, "call1")
	if d := left(t, w, "call1"); d > time.Minute {
		t.Errorf("%v left: the call runs again", d)
	}
	if err := w.End(ctx, "call1"); err != nil {
		t.Error(err)
	}
	if d := left(t, w, "call1"); d > time.Minute {
		t.Errorf("%v left: the window was lengthened", d)
	}
}

func TestHandles(t *testing.T) { both(t, handles) }

func handles(t *testing.T, w world) {
	w.begin(t, "call1")
	now := time.Now()
	good := w.Handle("call1", ana, bo, now)
	changed := []byte(good)
	changed[len(changed)/2] ^= 1
	tests := map[string]struct {
		reporter moderation.Device
		handle   string
		reason   moderation.Reason
		want     error
	}{
		"good":              {ana, good, moderation.Hate, nil},
		"of another device": {bo, good, moderation.Hate, moderation.ErrHandle},
		"changed":           {ana, string(changed), moderation.Hate, moderation.ErrHandle},
		"cut":               {ana, good[:len(good)-4], moderation.Hate, moderation.ErrHandle},
		"empty":             {ana, "", moderation.Hate, moderation.ErrHandle},
		"not base64":        {ana, "*" + good[1:], moderation.Hate, moderation.ErrHandle},
		"of another ring":   {ana, desk(w.rdb).Handle("call1", ana, bo, now), moderation.Hate, moderation.ErrHandle},
		"of a foreign call": {ana, w.Handle("call9", ana, bo, now), moderation.Hate, moderation.ErrHandle},
		"old":               {ana, w.Handle("call1", ana, bo, now.Add(-25*time.Hour)), moderation.Hate, moderation.ErrHandle},
		"unknown reason":    {ana, good, "rude", moderation.ErrReason},
		"no reason":         {ana, good, "", moderation.ErrReason},
	}
	for name, test := range tests {
		if _, err := w.Report(t.Context(), test.reporter, test.handle, test.reason, now); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
	if n := len(w.reports(t)); n != 1 {
		t.Errorf("%d records, want that of the good handle alone", n)
	}
	call, target, err := w.Target(ana, good, now)
	if call != "call1" || target != bo || err != nil {
		t.Errorf("target: %q %+v %v", call, target, err)
	}
	if _, _, err := w.Target(cy, good, now); !errors.Is(err, moderation.ErrHandle) {
		t.Errorf("target for another device: %v, want ErrHandle", err)
	}
}

func TestStoreAway(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{
		Addr: "192.0.2.9:6379", MaxRetries: -1, ContextTimeoutEnabled: true, DisableIdentity: true,
		Dialer: func(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed },
	})
	defer rdb.Close()
	d, ctx := desk(rdb), t.Context()
	_, reportable := d.Reportable(ctx, "call1")
	_, report := d.Report(ctx, ana, d.Handle("call1", ana, bo, time.Now()), moderation.Spam, time.Now())
	for name, err := range map[string]error{
		"begin": d.Begin(ctx, "call1"), "end": d.End(ctx, "call1"), "reportable": reportable,
		"report": report,
	} {
		if !errors.Is(err, moderation.ErrUnavailable) {
			t.Errorf("%s: %v, want ErrUnavailable", name, err)
		}
	}
}

func TestBands(t *testing.T) {
	d := desk(nil)
	for i, rule := range moderation.Table() {
		if int(rule.Band) != i || rule.Name == "" || rule.Says == "" || (len(rule.Meets) == 0) != (rule.Band == moderation.Cooldown) {
			t.Errorf("rule %d: %+v", i, rule)
		}
	}
	if tag := d.Tag(ana.Token); len(tag) != 12 || tag == d.Tag(bo.Token) || tag != d.Tag(ana.Token) {
		t.Errorf("tag %q", tag)
	}
}
