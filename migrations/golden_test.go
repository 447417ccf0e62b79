package migrations_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/vtest"
	"parley/migrations"
	"parley/retention"
)

// The files in testdata were written by the parley of their shape: what one device has that four others
// reported. Each line is a string, or a field of a hash: key, milliseconds that are left, 0 for ever,
// and values in quotes. shape-3.keys and shape-3.epochs are the key files of that parley.

// load puts a golden file into w and returns it, key by key.
func load(t *testing.T, w world, name string) (held map[string][]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	held = map[string][]string{}
	for line := range strings.Lines(string(text)) {
		kind, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if kind == "#" {
			continue
		}
		key, rest, _ := strings.Cut(rest, " ")
		left, rest, _ := strings.Cut(rest, " ")
		ms, err := strconv.Atoi(left)
		if err != nil {
			t.Fatal(err)
		}
		for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
			quoted, err := strconv.QuotedPrefix(rest)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			value, err := strconv.Unquote(quoted)
			if err != nil {
				t.Fatal(err)
			}
			held[key] = append(held[key], value)
			rest = rest[len(quoted):]
		}
		last := held[key]
		if kind == "string" {
			err = w.Set(t.Context(), key, last[0], time.Duration(ms)*time.Millisecond).Err()
		} else if err = w.HSet(t.Context(), key, last[len(last)-2], last[len(last)-1]).Err(); err == nil && ms > 0 {
			err = w.PExpire(t.Context(), key, time.Duration(ms)*time.Millisecond).Err()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return held
}

// held is all that w has, as load tells it.
func held(t *testing.T, w world) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	admin, done := vtest.Admin(w.UniversalClient) // who sees every key
	defer done()
	keys, err := admin.Keys(t.Context(), "*").Result()
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

// golden: data of each older shape is brought into today's: nothing is lost but what a step says, and
// nothing else changes.
func golden(t *testing.T, w world) {
	for name, test := range map[string]struct {
		mark string
		lost func(key string) bool
	}{
		"shape-2.txt": {"diFMbBm1XpDK", func(key string) bool { return strings.Contains(key, ":report:") }}, // step 3
		"shape-3.txt": {"MbcOP_knc8nm", func(string) bool { return false }},                                 // step 4 keeps all
	} {
		admin, done := vtest.Admin(w.UniversalClient)
		err := admin.FlushAll(t.Context()).Err()
		done()
		if err != nil {
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
		if reports != 4 {
			t.Errorf("%s has %d reports, not 4: the test shows nothing", name, reports)
		}
		if !maps.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%s became %q, want %q", name, got, want)
		}
		clean(t, w)
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
