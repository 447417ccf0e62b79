package migrations_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"parley/internal/vtest"
	"parley/migrations"
	"parley/retention"
)

// The files in testdata were written by the parley of their shape: what one device has that four others
// reported. vtest.LoadGolden says how they read. shape-3.keys and shape-3.epochs are the key files of
// that parley.

// load puts a golden file into w and returns it, key by key.
func load(t *testing.T, w world, name string) map[string][]string {
	t.Helper()
	_, held := vtest.LoadGolden(t, w, filepath.Join("testdata", name))
	return held
}

// held is all that w has, as load tells it.
func held(t *testing.T, w world) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	keys, err := vtest.AllKeys(t.Context(), w.UniversalClient)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if text, err := w.Get(t.Context(), key).Result(); err == nil {
			all[key] = []string{text}
			continue
		}
		fields := w.HGetAll(t.Context(), key).Val()
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			all[key] = append(all[key], name, fields[name])
		}
	}
	return all
}

func TestGolden(t *testing.T) { both(t, golden) }

// old is a dump of an older parley, and what becomes of it.
type old struct {
	mark    string
	reports int
	lost    func(key string) bool
	cut     string // the file with what step 5 leaves of its records; "" when it leaves all
}

func olds() map[string]old {
	nothing := func(string) bool { return false }
	return map[string]old{
		"shape-2.txt": {"diFMbBm1XpDK", 4, func(key string) bool { return strings.Contains(key, ":report:") }, ""}, // step 3
		"shape-3.txt": {"MbcOP_knc8nm", 4, nothing, ""},
		"shape-4.txt": {"fB1z7zZaN4Si", 6, nothing, "shape-4.after.txt"},
	}
}

// golden: data of each older shape is brought into today's: nothing is lost but what a step says, and
// nothing else changes.
func golden(t *testing.T, w world) {
	for name, test := range olds() {
		if err := vtest.Flush(t.Context(), w.UniversalClient); err != nil {
			t.Fatal(err)
		}
		want, reports := load(t, w, name), 0
		for range 2 { // the second run finds nothing to do
			if err := migrations.Run(t.Context(), w, test.mark, quiet()); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if got := version(t, w); got != fmt.Sprint(migrations.Newest()) {
			t.Errorf("%s: version %s", name, got)
		}
		got := held(t, w)
		delete(want, retention.Schema.Key())
		delete(got, retention.Schema.Key())
		for key := range want {
			if strings.Contains(key, ":report:") {
				reports++
			}
			if test.lost(key) {
				delete(want, key)
			}
		}
		if reports != test.reports {
			t.Errorf("%s has %d reports, not %d: the test shows nothing", name, reports, test.reports)
		}
		test.shorten(t, want)
		if !maps.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%s became %q, want %q", name, got, want)
		}
		clean(t, w)
	}
}

// shorten puts what step 5 leaves of each record in its place.
func (o old) shorten(t *testing.T, held map[string][]string) {
	t.Helper()
	if o.cut == "" {
		return
	}
	after := dump(t, filepath.Join("testdata", o.cut))
	for key, value := range held {
		if class, _ := retention.ClassOf(key); class != retention.Record {
			continue
		}
		if len(after[key]) == 0 || len(after[key]) >= len(value[0]) {
			t.Errorf("of %d bytes of %s step 5 leaves %d: the test shows nothing", len(value[0]), key, len(after[key]))
		}
		held[key] = []string{after[key]}
	}
}

// TestGoldenIsRefusedByAnOlderProgram: one that knows a step less would misread it.
func TestGoldenIsRefusedByAnOlderProgram(t *testing.T) {
	both(t, func(t *testing.T, w world) {
		load(t, w, "shape-3.txt")
		err := migrations.Apply(t.Context(), w, migrations.Steps("MbcOP_knc8nm", quiet())[:2], quiet())
		if err == nil || !strings.Contains(err.Error(), "shape 3, known up to 2: the data in Redis is newer than this program") {
			t.Errorf("%v", err)
		}
	})
}
