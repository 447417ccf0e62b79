package moderation_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/keyring"
	"parley/internal/vtest"
	"parley/moderation"
	"parley/moderation/score"
	"parley/retention"
)

// trips counts the round trips of a client, and how many of them were steps of a walk through all
// keys.
type trips struct{ n, scans, keys atomic.Int64 }

func (c *trips) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

func (c *trips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() != "hello" { // of a new connection
			c.n.Add(1)
		}
		switch cmd.Name() {
		case "scan":
			c.scans.Add(1)
		case "mget":
			c.keys.Store(int64(len(cmd.Args()) - 1))
		}
		return next(ctx, cmd)
	}
}

func (c *trips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		c.n.Add(1)
		return next(ctx, cmds)
	}
}

// TestRoundTrips: a look at a band is one round trip, whatever there is of a device; but for a
// restricted one that this node has not met, and where something is to be kept.
func TestRoundTrips(t *testing.T) {
	o := vtest.StartRedis(t)
	rdb := redis.NewClient(o)
	defer rdb.Close()
	cfg := config(rdb)
	now := sixEpochs(cfg.Epochs)
	w := world{moderation.New(cfg), rdb, nil}
	report := func(dev moderation.Device, first, n int) {
		w.begin(t, "call")
		for i := first; i < first+n; i++ {
			from := number(i)
			from.Net = from.Token[len(from.Token)-16:]
			if _, err := w.Report(t.Context(), from, w.Handle("call", from, dev, now), moderation.Hate, now); err != nil {
				t.Fatal(err)
			}
		}
	}
	watched, limited, full := number(1001), number(1002), digestOf("x", number(1003))
	full.Fresh = true
	report(watched, 0, 2)
	report(limited, 10, 4)
	report(full, 20, moderation.MaxReports)
	for _, dev := range []moderation.Device{watched, limited, full} { // the first look keeps the band
		if _, err := w.Admit(t.Context(), dev, now); err != nil {
			t.Fatal(err)
		}
	}
	count := &trips{}
	counted := redis.NewClient(o)
	defer counted.Close()
	counted.AddHook(count)
	cfg.Redis = counted
	other := moderation.New(cfg) // a node that has met none of them
	for _, c := range []struct {
		says string
		dev  moderation.Device
		band moderation.Band
		want []int64
	}{
		{"no record", number(1000), moderation.Clear, []int64{1, 1}},
		{"on watch", watched, moderation.Watch, []int64{1, 1}},
		{"restricted", limited, moderation.Restricted, []int64{2, 1, 1}},
		{"two full records", full, moderation.Cooldown, []int64{1, 1}},
	} {
		for i, want := range c.want {
			before := count.n.Load()
			v, err := other.Admit(t.Context(), c.dev, now)
			if err != nil || v.Band != c.band {
				t.Fatalf("%s: %+v %v", c.says, v, err)
			}
			if c.band != moderation.Clear && !slices.Equal(v.Reasons, []moderation.Reason{moderation.Hate}) {
				t.Errorf("%s: for %v", c.says, v.Reasons)
			}
			if got := count.n.Load() - before; got != want {
				t.Errorf("%s: look %d took %d round trips, want %d", c.says, i+1, got, want)
			}
		}
	}
}

// sixEpochs fills a ring, and returns a time at which it has six keys.
func sixEpochs(epochs *keyring.Epochs) time.Time {
	now := start().Add(3 * 24 * time.Hour)
	for week := 6; week >= 0; week-- {
		epochs.Live(now.Add(time.Duration(-week) * keyring.Week))
	}
	return now
}

// TestFirstShape: a record as parley wrote it before records said what their reports come to is
// read, counts the same, and is written anew.
func TestFirstShape(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		w.accuse(t, bo, 3, moderation.Threat)
		want := w.admit(t, bo)
		if want.Band != moderation.Restricted {
			t.Fatalf("%+v", want)
		}
		const head, sum = 33 + 18, 33 + 2 // one reason
		key := w.recordKey(t)
		blob := w.rdb.Get(t.Context(), key).Val()
		old := blob[:33] + "\x01" + blob[34:head] + blob[head+sum:]
		if err := w.rdb.SetArgs(t.Context(), key, old, redis.SetArgs{KeepTTL: true}).Err(); err != nil {
			t.Fatal(err)
		}
		if got := w.admit(t, bo); got.Band != want.Band || !slices.Equal(got.Reasons, want.Reasons) || got.Probation != want.Probation {
			t.Errorf("%+v, was %+v", got, want)
		}
		if now := w.rdb.Get(t.Context(), key).Val(); len(now) != len(blob) || now[8:] != blob[8:] {
			t.Errorf("it is %q, want but for the revision %q", now, blob)
		}
	})
}

// recordKey returns the key of the only record.
func (w world) recordKey(t *testing.T) string {
	t.Helper()
	before, _, _ := strings.Cut(retention.Record.Format(), "%s")
	var all []string
	for _, key := range w.keys(t) {
		if strings.HasPrefix(key, before) {
			all = append(all, key)
		}
	}
	if len(all) != 1 {
		t.Fatalf("records %q, want one", all)
	}
	return all[0]
}

// TestSumEndsWithAReport: when the first of several reports has gone, the others are read again,
// and what is left counts.
func TestSumEndsWithAReport(t *testing.T) {
	virtual(t, func(t *testing.T, w world) {
		w.accuse(t, bo, 2, moderation.Hate)
		w.pass(20 * 24 * time.Hour)
		w.accuse(t, bo, 1, moderation.Spam)
		before := w.admit(t, bo)
		w.pass(10*24*time.Hour + time.Hour)
		after := w.admit(t, bo)
		if before.Band != moderation.Watch || !slices.Contains(before.Reasons, moderation.Hate) {
			t.Fatalf("before: %+v", before)
		}
		if after.Band != moderation.Clear || after.Score == 0 || after.Score >= before.Score {
			t.Errorf("after: %+v, before %+v", after, before)
		}
		if again := w.admit(t, bo); again.Score != after.Score {
			t.Errorf("again: %+v, after %+v", again, after)
		}
	})
}

// TestSumFollowsThePolicy: operators change what reports weigh, and every device is judged by that
// at once.
func TestSumFollowsThePolicy(t *testing.T) {
	virtual(t, func(t *testing.T, w world) {
		w.accuse(t, bo, 3, moderation.Threat)
		if v := w.admit(t, bo); v.Band != moderation.Restricted {
			t.Fatalf("%+v", v)
		}
		balanced, err := score.Preset(score.Default)
		if err != nil {
			t.Fatal(err)
		}
		p := balanced
		p.Reasons.Threat = 0.1
		w.SetPolicy(p, 2)
		if v := w.admit(t, bo); v.Band != moderation.Clear {
			t.Errorf("after the weight of threats was lowered: %+v", v)
		}
		w.SetPolicy(balanced, 3)
		if v := w.admit(t, bo); v.Band != moderation.Restricted {
			t.Errorf("after it was raised again: %+v", v)
		}
	})
}

// TestReviewIsFoundByKey: an operator with a code comes to the records without a walk through all
// keys; only when one is not any more where the review says does it take one, and finds what there
// is.
func TestReviewIsFoundByKey(t *testing.T) {
	o := vtest.StartRedis(t)
	rdb := redis.NewClient(o)
	defer rdb.Close()
	count := &trips{}
	rdb.AddHook(count)
	w := world{desk(rdb), rdb, nil}
	dev := digestOf("x", bo)
	w.accuse(t, dev, 2, moderation.Hate)
	code, err := w.OpenReview(t.Context(), dev, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	find := func(records, scans int) moderation.Review {
		t.Helper()
		before := count.scans.Load()
		r, err := w.FindReview(t.Context(), code)
		if err != nil || r.State != moderation.Open || len(r.Records) != records {
			t.Fatalf("%+v %v, want %d records", r, err, records)
		}
		if n := count.scans.Load() - before; (n > 0) != (scans > 0) {
			t.Errorf("it took %d steps of a walk", n)
		}
		return r
	}
	r := find(2, 0)
	if got, err := w.NamedReview(t.Context(), r.Name); err != nil || len(got.Records) != 2 {
		t.Errorf("by its name: %+v %v", got, err)
	}
	gone := retention.Record.Key(r.Records[0].Name) // as if it were moved to another week
	if err := rdb.Rename(t.Context(), gone, retention.Record.Key("AAAAAAAAAAAAAAAA")).Err(); err != nil {
		t.Fatal(err)
	}
	find(2, 1)
	key := retention.Review.Key(r.Name)
	if err := rdb.SetArgs(t.Context(), key, "open", redis.SetArgs{KeepTTL: true}).Err(); err != nil { // the shape before
		t.Fatal(err)
	}
	find(2, 1)
	if err := w.CloseReview(t.Context(), r.Name, moderation.Kept); err != nil {
		t.Fatal(err)
	}
	if state, err := w.Answer(t.Context(), code); err != nil || state != moderation.Kept {
		t.Errorf("%v %v", state, err)
	}
}

// TestBare: a device of which nothing is kept is asked for under the keys of the last week, this and
// later ones only from the second look on, and is found at once when it is reported, also by a node whose clock is behind at
// the turn of a week.
func TestBare(t *testing.T) {
	o := vtest.StartRedis(t)
	rdb := redis.NewClient(o)
	defer rdb.Close()
	cfg := config(rdb)
	now := sixEpochs(cfg.Epochs)
	w := world{moderation.New(cfg), rdb, nil}
	count := &trips{}
	counted := redis.NewClient(o)
	defer counted.Close()
	counted.AddHook(count)
	cfg.Redis = counted
	other := moderation.New(cfg)
	dev := digestOf("x", bo)
	look := func(dev moderation.Device, at time.Time, band moderation.Band, keys int64) {
		t.Helper()
		v, err := other.Admit(t.Context(), dev, at)
		if err != nil || v.Band != band {
			t.Errorf("%+v %v, want %v", v, err, band)
		}
		if n := count.keys.Load(); n != keys {
			t.Errorf("%d keys were asked for, want %d", n, keys)
		}
	}
	look(dev, now, moderation.Clear, 6)
	look(dev, now, moderation.Clear, 3) // of the week to come, this and the last
	fresh := dev
	fresh.Fresh = true
	look(fresh, now, moderation.Clear, 12) // the digest was not asked for
	look(fresh, now, moderation.Clear, 6)
	look(dev, now.Add(keyring.Week), moderation.Clear, 6) // it has another name
	look(dev, now, moderation.Clear, 4)                   // there is one key more, by a clock that is ahead
	w.begin(t, "call")
	behind := now.Add(-keyring.Week)
	for i := range 2 {
		from := number(i)
		from.Net = from.Token[len(from.Token)-16:]
		if _, err := w.Report(t.Context(), from, w.Handle("call", from, dev, behind), moderation.Hate, behind); err != nil {
			t.Fatal(err)
		}
	}
	look(dev, now, moderation.Watch, 4)
}
