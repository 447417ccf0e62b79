package migrations_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"parley/internal/vtest"
	"parley/migrations"
	"parley/retention"
)

// TestOnEveryServer runs what holds on one server on a Sentinel set and a Cluster too.
func TestOnEveryServer(t *testing.T) {
	suite := map[string]func(*testing.T, world){
		"EmptyDatabaseGetsTheNewestShape": emptyDatabaseGetsTheNewestShape, "OnlyMissingStepsRun": onlyMissingStepsRun,
		"NewerDatabaseIsRefused": newerDatabaseIsRefused, "ForeignDatabaseIsRefused": foreignDatabaseIsRefused,
		"FailedStepIsRepeated": failedStepIsRepeated, "NodesThatStartAtOnceDoItOnce": nodesThatStartAtOnceDoItOnce,
		"OneKeyFileOwnsTheData": oneKeyFileOwnsTheData, "OlderDataIsClaimed": olderDataIsClaimed,
		"Weeks": weeks, "ReportsOfTheFirstShapeAreDeleted": reportsOfTheFirstShapeAreDeleted,
		"Golden": golden, "RecordsLoseTheirSums": recordsLoseTheirSums,
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
					test(t, world{rdb, nil})
				})
			}
		})
	}
}

func TestOneKeyFileOwnsTheData(t *testing.T) { both(t, oneKeyFileOwnsTheData) }

// oneKeyFileOwnsTheData: of nodes with two key files that start at once on an empty Redis, those
// with one of the two start, also later, and those with the other never.
func oneKeyFileOwnsTheData(t *testing.T, w world) {
	marks := []string{"mark-a", "mark-b"}
	var started [2]atomic.Int32
	start := func(each int) {
		var nodes sync.WaitGroup
		for i := range 2 * each {
			nodes.Go(func() {
				err := migrations.Run(t.Context(), w, marks[i%2], quiet())
				if err == nil {
					started[i%2].Add(1)
				} else if !errors.Is(err, migrations.ErrKeys) {
					t.Error(err)
				}
			})
		}
		nodes.Wait()
	}
	start(4)
	a, b := started[0].Load(), started[1].Load()
	if a+b != 4 || a*b != 0 {
		t.Fatalf("%d nodes with one key file started, and %d with the other", a, b)
	}
	start(1)
	if more := started[0].Load() + started[1].Load(); more != 5 || started[0].Load()*started[1].Load() != 0 {
		t.Errorf("later %d started, want one more with the same", more)
	}
	// The way out when the key file is lost.
	if err := w.HDel(t.Context(), retention.Schema.Key(), "key").Err(); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Run(t.Context(), w, "mark-c", quiet()); err != nil {
		t.Error(err)
	}
	if err := migrations.Run(t.Context(), w, "mark-a", quiet()); !errors.Is(err, migrations.ErrKeys) {
		t.Errorf("another key file afterwards: %v, want ErrKeys", err)
	}
	clean(t, w)
}

func TestOlderDataIsClaimed(t *testing.T) { both(t, olderDataIsClaimed) }

// olderDataIsClaimed: data of a parley that left no mark belongs to the first that comes.
func olderDataIsClaimed(t *testing.T, w world) {
	if err := migrations.Apply(t.Context(), w, migrations.Steps("", quiet())[:1], quiet()); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Run(t.Context(), w, "mark-a", quiet()); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Run(t.Context(), w, "mark-b", quiet()); !errors.Is(err, migrations.ErrKeys) {
		t.Errorf("got %v, want ErrKeys", err)
	}
	if got := version(t, w); got != "5" {
		t.Errorf("version %q, want 5", got)
	}
}
