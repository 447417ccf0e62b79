package moderation_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/keyring"
	"parley/internal/vtest"
	"parley/moderation"
	"parley/retention"
)

// TestOnEveryServer runs what holds on one server on a Sentinel set and a Cluster too.
func TestOnEveryServer(t *testing.T) {
	suite := map[string]func(*testing.T, world){
		"ReportOfARunningCall": reportOfARunningCall, "RecordsNameNobody": recordsNameNobody,
		"CallRecord": callRecord, "Handles": handles, "Admit": admit, "StandingAndErase": standingAndErase, "Reviews": reviews,
		"DigestSpeaksForFreshInstallsOnly": digestSpeaksForFreshInstallsOnly, "ClockAnHourOff": clockAnHourOff,
		"PairCountsOnceAcrossWeeks": pairCountsOnceAcrossWeeks, "Shredding": shredding,
		"GivenUp": gaveUpItsToken, "MarkAmongReports": markAmongReports,
	}
	for _, e := range vtest.Engines() {
		t.Run(e.Name, func(t *testing.T) {
			t.Parallel()
			rdb := e.Start(t)
			for name, test := range suite {
				t.Run(name, func(t *testing.T) {
					if err := vtest.Flush(t.Context(), rdb); err != nil {
						t.Fatal(err)
					}
					w := world{desk(rdb), rdb, nil}
					test(t, w)
					w.audit(t)
				})
			}
		})
	}
}

// TestLostAnswers: the answer to a report is lost in every way there is, and the browser repeats it
// until it hears one. There is one record of each, and none is missing.
func TestLostAnswers(t *testing.T) {
	t.Run("redis-server", func(t *testing.T) {
		t.Parallel()
		server := vtest.StartServer(t)
		f := vtest.NewFault(t, server.AsParley().Options())
		o := f.Options()
		o.ReadTimeout = 30 * time.Millisecond // for replies that never come
		rdb := redis.NewClient(o)
		defer rdb.Close()
		w := world{desk(rdb), server.Client(), nil}
		seed := rand.Uint64()
		random := rand.New(rand.NewPCG(seed, 0))
		t.Logf("seed %d", seed)
		const reports = 200 // of as many pairs
		for i := range reports {
			call, reporter, target := fmt.Sprint("call", i), number(1000+i), number(i%20)
			if err := desk(w.rdb).Begin(t.Context(), call); err != nil {
				t.Fatal(err)
			}
			handle := w.Handle(call, reporter, target, time.Now())
			f.DropReplies(random.IntN(4), vtest.Loss(random.IntN(3)), "evalsha", "eval", "get", "pttl", "info")
			for tries := 0; ; tries++ {
				_, err := w.Report(t.Context(), reporter, handle, moderation.Hate, time.Now())
				if err == nil {
					break
				}
				if !errors.Is(err, moderation.ErrUnavailable) || tries == 20 {
					t.Fatalf("report %d, try %d: %v", i, tries, err)
				}
			}
		}
		if n := f.Counts().Dropped; n < reports/2 {
			t.Errorf("only %d answers were lost", n)
		}
		if n := len(w.reports(t)); n != reports {
			t.Errorf("%d records of %d reports", n, reports)
		}
		windows := 0
		for _, key := range w.keys(t) {
			if !strings.Contains(key, ":window:") {
				continue
			}
			windows++
			if n := w.rdb.HGet(t.Context(), key, "reports").Val(); n != "1" {
				t.Errorf("a reporter of one report has %s", n)
			}
		}
		if windows != reports {
			t.Errorf("%d windows of %d reporters", windows, reports)
		}
		w.audit(t)
	})
}

// TestStoredMeansOnAReplica: replicas fall behind, and the primary dies with what it alone has.
// Each report that was answered as stored is there afterwards, and each that was not can be
// repeated.
func TestStoredMeansOnAReplica(t *testing.T) {
	t.Run("sentinel", func(t *testing.T) {
		t.Parallel()
		set := vtest.StartSentinel(t)
		rdb, ring, epochs := set.Client(), keyring.New(), keyring.NewEpochs()
		open := func(rdb redis.UniversalClient) *moderation.Desk {
			return moderation.New(moderation.Config{Redis: rdb, Ring: ring, Epochs: epochs, Log: slog.New(slog.DiscardHandler)})
		}
		w := world{open(rdb), rdb, nil}
		w.begin(t, "call")
		var handles []string
		for i := range 6 {
			handles = append(handles, w.Handle("call", number(i), bo, time.Now()))
		}
		report := func(i int) error {
			_, err := w.Report(t.Context(), number(i), handles[i], moderation.Threat, time.Now())
			return err
		}
		for i := range 3 {
			if err := report(i); err != nil {
				t.Fatal(err)
			}
		}
		for _, replica := range set.Nodes[1:] {
			replica.Pause()
		}
		for i := range handles { // a repeat of what is stored is no exception: who knows where
			began := time.Now()
			if err := report(i); !errors.Is(err, moderation.ErrUnavailable) {
				t.Errorf("report %d without a replica: %v, want ErrUnavailable", i, err)
			}
			if took := time.Since(began); took > time.Second {
				t.Errorf("the answer took %v", took)
			}
		}
		// The same from another node, whose connections have written nothing.
		if _, err := open(set.Client()).Report(t.Context(), number(5), handles[5], moderation.Threat, time.Now()); !errors.Is(err, moderation.ErrUnavailable) {
			t.Errorf("a repeat over another connection: %v, want ErrUnavailable", err)
		}
		set.Nodes[0].Kill()
		for _, replica := range set.Nodes[1:] {
			replica.Resume()
		}
		began := time.Now()
		await(t, func(ctx context.Context) bool { return rdb.Set(ctx, "parley:x", "", time.Millisecond).Err() == nil })
		t.Logf("writes again after %v", time.Since(began).Round(time.Millisecond))
		if n := len(w.reports(t)); n < 3 {
			t.Errorf("%d of 3 stored reports survived", n)
		}
		for i := range handles {
			await(t, func(context.Context) bool { return report(i) == nil })
		}
		if all := w.reports(t); len(all) != len(handles) {
			t.Errorf("%d records of %d reports: %q", len(all), len(handles), all)
		}
	})
}

// TestRepeatIsAWrite: a repeat changes nothing, and writes all the same, for which WAIT waits on every
// server; on Valkey it would not wait for what the report before had written.
func TestRepeatIsAWrite(t *testing.T) {
	t.Run("redis-server", func(t *testing.T) {
		o := vtest.StartRedis(t)
		rdb, admin := redis.NewClient(o), redis.NewClient(vtest.AdminOptions(o))
		defer rdb.Close()
		defer admin.Close()
		w := world{desk(rdb), rdb, nil}
		w.begin(t, "call")
		var ends []time.Duration
		var writes []string
		for range 2 {
			if err := w.reported(t, "call", ana, bo, moderation.Spam); err != nil {
				t.Fatal(err)
			}
			ends = append(ends, admin.PExpireTime(t.Context(), w.only(t, retention.Window)).Val())
			stats := admin.Info(t.Context(), "commandstats").Val()
			writes = append(writes, regexp.MustCompile(`cmdstat_pexpireat:calls=(\d+)`).FindString(stats))
		}
		if ends[0] <= 0 || ends[0] != ends[1] {
			t.Errorf("a repeat moves the end of the reporter's record: %v", ends)
		}
		if writes[0] == writes[1] {
			t.Errorf("a repeat writes nothing: %q", writes)
		}
	})
}

// TestBlindnessIsTold: without the right to ask for replicas reports are stored all the same, and
// the log says once what is missing.
func TestBlindnessIsTold(t *testing.T) {
	t.Run("redis-server", func(t *testing.T) {
		server := vtest.StartServer(t, "--user", "weak", "on", "nopass", "~*", "+@all", "-info")
		o := *server.Client().Options()
		o.Username, o.Password = "weak", "x"
		rdb := redis.NewClient(&o)
		defer rdb.Close()
		var log strings.Builder
		w := world{moderation.New(moderation.Config{Redis: rdb, Ring: keyring.New(), Epochs: keyring.NewEpochs(), Log: slog.New(slog.NewTextHandler(&log, nil))}), rdb, nil}
		for i := range 2 {
			w.begin(t, fmt.Sprint("call", i))
			if err := w.reported(t, fmt.Sprint("call", i), ana, bo, moderation.Spam); err != nil {
				t.Error(err)
			}
		}
		if n := strings.Count(log.String(), "allow +info"); n != 1 {
			t.Errorf("told %d times: %s", n, &log)
		}
	})
}

func number(i int) moderation.Device { return moderation.Device{Token: fmt.Sprintf("%043d", i)} }

// await asks until something is so, 10 s at most.
func await(t *testing.T, is func(context.Context) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !is(ctx) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("not within 10 s")
		}
	}
}
