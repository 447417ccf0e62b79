package migrations_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/vtest"
	"parley/migrations"
	"parley/retention"
)

// world is a Redis in which time can pass.
type world struct {
	redis.UniversalClient
	pass func(time.Duration) // nil on the real server
}

// both runs a test on the embedded server, in virtual time, and on a real one.
func both(t *testing.T, test func(*testing.T, world)) {
	t.Run("embedded", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			rdb := vtest.NewRedis(t)
			test(t, world{rdb.Client, rdb.Pass})
		})
	})
	t.Run("redis-server", func(t *testing.T) {
		rdb := redis.NewClient(vtest.StartRedis(t))
		defer rdb.Close()
		test(t, world{rdb, nil})
	})
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func version(t *testing.T, w world) string {
	t.Helper()
	v, err := w.HGet(t.Context(), retention.Schema.Key(), "version").Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		t.Fatal(err)
	}
	return v
}

// clean fails on whatever the catalogue does not know, and on a lock left behind.
func clean(t *testing.T, w world) {
	t.Helper()
	faults, err := retention.Audit(t.Context(), w)
	if err != nil || len(faults) > 0 {
		t.Errorf("audit: %v, %v", faults, err)
	}
	if n := w.Exists(t.Context(), retention.SchemaLock.Key()).Val(); n != 0 {
		t.Error("the lock was left behind")
	}
}

// counting returns n steps that count how often they ran.
func counting(n int) ([]migrations.Step, []*atomic.Int32) {
	var steps []migrations.Step
	var ran []*atomic.Int32
	for i := range n {
		c := new(atomic.Int32)
		ran = append(ran, c)
		steps = append(steps, migrations.Step{Number: i + 1, Name: "count", Run: func(context.Context, redis.UniversalClient) error {
			c.Add(1)
			return nil
		}})
	}
	return steps, ran
}

func TestEmptyDatabaseGetsTheNewestShape(t *testing.T) { both(t, emptyDatabaseGetsTheNewestShape) }

func emptyDatabaseGetsTheNewestShape(t *testing.T, w world) {
	for range 2 { // the second run finds nothing to do
		if err := migrations.Run(t.Context(), w, "mark", quiet()); err != nil {
			t.Fatal(err)
		}
	}
	if got := version(t, w); got != "5" {
		t.Errorf("version %q, want 5", got)
	}
	clean(t, w)
}

func TestOnlyMissingStepsRun(t *testing.T) { both(t, onlyMissingStepsRun) }

func onlyMissingStepsRun(t *testing.T, w world) {
	steps, ran := counting(3)
	for _, n := range []int{1, 3, 3} {
		if err := migrations.Apply(t.Context(), w, steps[:n], quiet()); err != nil {
			t.Fatal(err)
		}
	}
	for i, c := range ran {
		if c.Load() != 1 {
			t.Errorf("step %d ran %d times", i+1, c.Load())
		}
	}
	if got := version(t, w); got != "3" {
		t.Errorf("version %q, want 3", got)
	}
	clean(t, w)
}

func TestNewerDatabaseIsRefused(t *testing.T) { both(t, newerDatabaseIsRefused) }

func newerDatabaseIsRefused(t *testing.T, w world) {
	steps, _ := counting(3)
	if err := migrations.Apply(t.Context(), w, steps, quiet()); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Apply(t.Context(), w, steps[:2], quiet()); !errors.Is(err, migrations.ErrNewer) {
		t.Errorf("got %v, want ErrNewer", err)
	}
	if got := version(t, w); got != "3" {
		t.Errorf("version %q, want 3", got)
	}
}

func TestForeignDatabaseIsRefused(t *testing.T) { both(t, foreignDatabaseIsRefused) }

func foreignDatabaseIsRefused(t *testing.T, w world) {
	w.HSet(t.Context(), retention.Schema.Key(), "version", "seven")
	if err := migrations.Run(t.Context(), w, "mark", quiet()); err == nil {
		t.Error("a version that is no number was accepted")
	}
}

func TestFailedStepIsRepeated(t *testing.T) { both(t, failedStepIsRepeated) }

func failedStepIsRepeated(t *testing.T, w world) {
	steps, ran := counting(3)
	broken, works := errors.New("broken"), steps[1].Run
	steps[1].Run = func(context.Context, redis.UniversalClient) error { return broken }
	if err := migrations.Apply(t.Context(), w, steps, quiet()); !errors.Is(err, broken) {
		t.Fatalf("got %v, want the step's error", err)
	}
	if got := version(t, w); got != "1" {
		t.Errorf("version %q, want 1", got)
	}
	clean(t, w)
	steps[1].Run = works
	if err := migrations.Apply(t.Context(), w, steps, quiet()); err != nil {
		t.Fatal(err)
	}
	if ran[0].Load() != 1 || ran[1].Load() != 1 || ran[2].Load() != 1 {
		t.Error("a step ran twice or not at all")
	}
}

func TestNodesThatStartAtOnceDoItOnce(t *testing.T) { both(t, nodesThatStartAtOnceDoItOnce) }

func nodesThatStartAtOnceDoItOnce(t *testing.T, w world) {
	steps, ran := counting(3)
	var nodes sync.WaitGroup
	for range 8 {
		nodes.Go(func() {
			if err := migrations.Apply(t.Context(), w, steps, quiet()); err != nil {
				t.Error(err)
			}
		})
	}
	nodes.Wait()
	for i, c := range ran {
		if c.Load() != 1 {
			t.Errorf("step %d ran %d times", i+1, c.Load())
		}
	}
	clean(t, w)
}

func TestLockOfADeadNodeRunsOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb := vtest.NewRedis(t)
		rdb.SetNX(t.Context(), retention.SchemaLock.Key(), "dead", retention.SchemaLock.TTL())
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := migrations.Run(impatient, rdb.Client, "mark", quiet()); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("got %v, want to wait in vain", err)
		}
		done := make(chan error, 1)
		go func() { done <- migrations.Run(t.Context(), rdb.Client, "mark", quiet()) }()
		rdb.Pass(retention.SchemaLock.TTL())
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestLongStepKeepsTheLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb := vtest.NewRedis(t)
		steps, ran := counting(1)
		quick := steps[0].Run
		steps[0].Run = func(ctx context.Context, c redis.UniversalClient) error {
			select {
			case <-time.After(5 * time.Minute):
			case <-ctx.Done():
			}
			return quick(ctx, c)
		}
		done := make(chan error, 2)
		for range 2 {
			go func() { done <- migrations.Apply(t.Context(), rdb.Client, steps, quiet()) }()
		}
		rdb.Pass(6 * time.Minute)
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		if n := ran[0].Load(); n != 1 {
			t.Errorf("the step ran %d times", n)
		}
	})
}

func TestStepThatLosesTheLockIsNotRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb := vtest.NewRedis(t)
		steal := func(ctx context.Context, c redis.UniversalClient) error {
			return c.Set(ctx, retention.SchemaLock.Key(), "thief", retention.SchemaLock.TTL()).Err()
		}
		steps := []migrations.Step{{Number: 1, Name: "stolen", Run: steal}}
		if err := migrations.Apply(t.Context(), rdb.Client, steps, quiet()); err == nil {
			t.Error("a step without the lock was recorded")
		}
		if got := version(t, world{rdb.Client, nil}); got != "" {
			t.Errorf("version %q, want none", got)
		}
		if got := rdb.Get(t.Context(), retention.SchemaLock.Key()).Val(); got != "thief" {
			t.Error("somebody else's lock was released")
		}
	})
}
