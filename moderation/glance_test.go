package moderation_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
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

// trips counts the round trips of a client, how many of them were steps of a walk through all keys,
// and the keys of the script with the most.
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
		case "evalsha":
			n, _ := strconv.Atoi(fmt.Sprint(cmd.Args()[2]))
			c.keys.Store(max(c.keys.Load(), int64(n)))
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

// neighbours are so many devices, from this number on and each with a network of its own.
func neighbours(first, n int) []moderation.Device {
	all := make([]moderation.Device, n)
	for i := range all {
		all[i] = number(first + i)
		all[i].Net = all[i].Token[len(all[i].Token)-16:]
	}
	return all
}

// reportedBy has each of the reporters report each of the devices.
func (w world) reportedBy(t *testing.T, reporters []moderation.Device, reason score.Reason, at time.Time, all ...moderation.Device) {
	t.Helper()
	w.begin(t, "call")
	for _, from := range reporters {
		for _, dev := range all {
			if _, err := w.Report(t.Context(), from, w.Handle("call", from, dev, at), reason, at); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestRoundTrips: a look at a band is one round trip, whatever there is of a device, and whether
// the node has met it or not; one of which a report has run out, operators have changed what
// reports weigh, or the token was given up, too.
func TestRoundTrips(t *testing.T) {
	o := vtest.StartRedis(t)
	rdb := redis.NewClient(o)
	defer rdb.Close()
	cfg := config(rdb)
	now := sixEpochs(cfg.Epochs)
	w := world{moderation.New(cfg), rdb, nil}
	report := func(dev moderation.Device, first, n int) {
		w.reportedBy(t, neighbours(first, n), moderation.Hate, now, dev)
	}
	watched, limited, full, erased := number(1001), number(1002), digestOf("x", number(1003)), digestOf("y", number(1004))
	full.Fresh = true
	report(watched, 0, 2)
	report(limited, 10, 4)
	report(full, 20, moderation.MaxReports)
	report(erased, 100, 4)
	for _, dev := range []moderation.Device{watched, limited, full, erased} { // the first look keeps the band
		if _, err := w.Admit(t.Context(), dev, now); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Erase(t.Context(), erased); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Admit(t.Context(), erased, now); err != nil { // and that of its kind
		t.Fatal(err)
	}
	count := &trips{}
	counted := redis.NewClient(o)
	defer counted.Close()
	counted.AddHook(count)
	cfg.Redis = counted
	other := moderation.New(cfg) // a node that has met none of them
	look := func(says string, dev moderation.Device, band moderation.Band) {
		t.Helper()
		for i := range 3 {
			before := count.n.Load()
			v, err := other.Admit(t.Context(), dev, now)
			if err != nil || v.Band != band {
				t.Fatalf("%s: %+v %v", says, v, err)
			}
			if band != moderation.Clear && !slices.Equal(v.Reasons, []moderation.Reason{moderation.Hate}) {
				t.Errorf("%s: for %v", says, v.Reasons)
			}
			if got := count.n.Load() - before; got != 1 {
				t.Errorf("%s: look %d took %d round trips, want 1", says, i+1, got)
			}
		}
	}
	look("no record", number(1000), moderation.Clear)
	report(number(1000), 200, 2)
	if _, err := w.Admit(t.Context(), number(1000), now); err != nil {
		t.Fatal(err)
	}
	look("on watch now", number(1000), moderation.Watch)
	look("on watch", watched, moderation.Watch)
	look("restricted", limited, moderation.Restricted)
	look("two full records", full, moderation.Cooldown)
	look("gave its token up", erased, moderation.Restricted)
	for _, key := range w.keys(t) { // as when the first report has run out
		if before, _, _ := strings.Cut(retention.Sum.Format(), "%s"); strings.HasPrefix(key, before) {
			rdb.Del(t.Context(), key)
		}
	}
	look("restricted, without a sum", limited, moderation.Restricted)
	look("full, without a sum", full, moderation.Cooldown)
	p, err := score.Preset(score.Default)
	if err != nil {
		t.Fatal(err)
	}
	p.Reasons.Hate += 0.01
	other.SetPolicy(p, 2)
	look("by another policy", watched, moderation.Watch)
}

// sixEpochs fills a ring, and returns a time at which it has six keys.
func sixEpochs(epochs *keyring.Epochs) time.Time {
	now := start().Add(3 * 24 * time.Hour)
	for week := 6; week >= 0; week-- {
		epochs.Live(now.Add(time.Duration(-week) * keyring.Week))
	}
	return now
}

// TestFirstShape: a record as parley wrote it while the sum of its reports and the places of these
// stood in it is read, and counts the same.
func TestFirstShape(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		w.accuse(t, bo, 3, moderation.Threat)
		want := w.admit(t, bo)
		if want.Band != moderation.Restricted {
			t.Fatalf("%+v", want)
		}
		const slots, head, sumAt = 9, 33 + 18, 16
		key := w.recordKey(t)
		blob := w.rdb.Get(t.Context(), key).Val()
		sumKey := w.sumKey(t)
		sum := w.rdb.Get(t.Context(), sumKey).Val()
		if err := w.rdb.Del(t.Context(), sumKey).Err(); err != nil {
			t.Fatal(err)
		}
		old := blob[:slots] + sum[8:sumAt] + blob[slots+8:33] + "\x02" + blob[34:head] + sum[sumAt:] + blob[head:]
		if err := w.rdb.SetArgs(t.Context(), key, old, redis.SetArgs{KeepTTL: true}).Err(); err != nil {
			t.Fatal(err)
		}
		if got := w.admit(t, bo); got.Band != want.Band || !slices.Equal(got.Reasons, want.Reasons) || got.Probation != want.Probation {
			t.Errorf("%+v, was %+v", got, want)
		}
		w.accuse(t, bo, 1, moderation.Threat)
		if now := w.rdb.Get(t.Context(), key).Val(); len(now) >= len(old) {
			t.Errorf("after a report it is %q still, was %q", now, old)
		}
	})
}

// sumKey returns the key of the only sum.
func (w world) sumKey(t *testing.T) string {
	t.Helper()
	return w.only(t, retention.Sum)
}

// TestSumGoesWithTheFirstReport: from the moment in which the first of several reports is gone nothing
// in the store tells that there was one, and the sum of the others is made when the device is met.
func TestSumGoesWithTheFirstReport(t *testing.T) {
	virtual(t, func(t *testing.T, w world) {
		stop := w.run(t)
		w.pass(time.Hour - time.Duration(time.Now().UnixNano())%time.Hour + 40*time.Minute)
		w.accuse(t, bo, 2, moderation.Hate)
		w.pass(20 * 24 * time.Hour)
		w.accuse(t, bo, 1, moderation.Spam)
		key := w.sumKey(t)
		w.pass(10*24*time.Hour - 41*time.Minute)
		if text := w.rdb.Get(t.Context(), key).Val(); len(text) == 0 {
			t.Error("the sum is gone before the report")
		}
		w.pass(time.Minute)
		if n := w.rdb.Exists(t.Context(), key).Val(); n != 0 {
			t.Error("the sum has outlived the first report of which it speaks")
		}
		first := w.rdb.Get(t.Context(), w.recordKey(t)).Val()
		if strings.Contains(first, "\x03\x01") || first[9:17] != strings.Repeat("\xff", 8) {
			t.Errorf("the record tells how many there were: %q", first)
		}
		w.pass(time.Hour)
		if v := w.admit(t, bo); v.Score == 0 {
			t.Errorf("%+v", v)
		}
		w.pass(time.Second)
		if text := w.rdb.Get(t.Context(), w.sumKey(t)).Val(); len(text) != 16+33+2 || text[8:16] == first[9:17] {
			t.Errorf("the sum of one report is %q", text)
		}
		stop()
	})
}

// TestSumNeedsItsReport: a report that is gone in the moment in which its sum is written takes it
// along.
func TestSumNeedsItsReport(t *testing.T) {
	virtual(t, func(t *testing.T, w world) {
		w.accuse(t, bo, 1, moderation.Hate)
		key := w.only(t, retention.Report)
		w.rdb.PExpire(t.Context(), key, time.Hour) // as by the clock of a node that is weeks behind
		w.accuse(t, bo, 1, moderation.Hate)
		if left := w.rdb.PTTL(t.Context(), w.sumKey(t)).Val(); left <= 0 || left > time.Hour {
			t.Errorf("it lives for %v, its first report for an hour", left)
		}
	})
}

// recordKey returns the key of the only record.
func (w world) recordKey(t *testing.T) string {
	t.Helper()
	return w.only(t, retention.Record)
}

// only returns the only key of a class.
func (w world) only(t *testing.T, c retention.Class) string {
	t.Helper()
	before, _, _ := strings.Cut(c.Format(), "%s")
	var all []string
	for _, key := range w.keys(t) {
		if strings.HasPrefix(key, before) {
			all = append(all, key)
		}
	}
	if len(all) != 1 {
		t.Fatalf("%q, want one", all)
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

// TestBare: a device of which nothing is kept is asked for under the key of this week only from the
// second look on, and within two hours of the turn of a week under that of the other. It is found at
// once when it is reported, also by a node whose clock is an hour and a half behind, and stays found
// when the turn of the week is over.
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
		count.keys.Store(0)
		v, err := other.Admit(t.Context(), dev, at)
		if err != nil || v.Band != band {
			t.Errorf("%+v %v, want %v", v, err, band)
		}
		if n := count.keys.Load(); n != keys {
			t.Errorf("%d keys were asked for, want %d", n, keys)
		}
	}
	look(dev, now, moderation.Clear, 6)
	look(dev, now, moderation.Clear, 1) // of this week
	fresh := dev
	fresh.Fresh = true
	look(fresh, now, moderation.Clear, 12) // the digest was not asked for
	look(fresh, now, moderation.Clear, 2)
	look(dev, now, moderation.Clear, 1)
	next := keyring.WeekOf(now) + 1
	turn := time.Unix(next*int64(keyring.Week/time.Second), 0)
	look(dev, turn.Add(-time.Hour), moderation.Clear, 2) // who is ahead has named things under the next
	soon := turn.Add(time.Hour)
	look(dev, soon, moderation.Clear, 2) // who is behind names things under the last
	late := digestOf("x", ana)
	look(late, soon, moderation.Clear, 6) // first seen at the turn
	w.reportedBy(t, neighbours(0, 2), moderation.Hate, turn.Add(-30*time.Minute), dev, late)
	look(dev, soon, moderation.Watch, 2)
	look(late, soon, moderation.Watch, 2)
	look(dev, turn.Add(3*time.Hour), moderation.Watch, 6) // it has another name
	look(late, turn.Add(3*time.Hour), moderation.Watch, 6)
}

// TestBareOfAnotherBrowser: a device that nobody knows and that comes with another digest than it did
// is asked for under every key of that too.
func TestBareOfAnotherBrowser(t *testing.T) {
	o := vtest.StartRedis(t)
	rdb := redis.NewClient(o)
	defer rdb.Close()
	cfg := config(rdb)
	now := sixEpochs(cfg.Epochs)
	w := world{moderation.New(cfg), rdb, nil}
	w.reportedBy(t, neighbours(0, 3), moderation.Threat, now.Add(-keyring.Week), digestOf("x", bo))
	fresh := func(digest string) moderation.Device {
		dev := digestOf(digest, ana)
		dev.Fresh = true
		return dev
	}
	for _, c := range []struct {
		digest string
		clear  bool
	}{{"y", true}, {"x", false}, {"y", true}, {"x", false}} {
		v, err := w.Admit(t.Context(), fresh(c.digest), now)
		if err != nil || (v.Band == moderation.Clear) != c.clear {
			t.Errorf("with the digest %s: %+v %v", c.digest, v, err)
		}
	}
}
