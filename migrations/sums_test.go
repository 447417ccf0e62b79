package migrations_test

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"
	"time"

	"parley/migrations"
	"parley/retention"
)

func TestRecordsLoseTheirSums(t *testing.T) { both(t, recordsLoseTheirSums) }

// recordsLoseTheirSums: records as the program before wrote them, and as they are wanted, stand in
// testdata. How long they have to live, marks, and what is no record stay as they are.
func recordsLoseTheirSums(t *testing.T, w world) {
	ctx := t.Context()
	if err := migrations.Apply(ctx, w, migrations.Steps("mark", quiet())[:4], quiet()); err != nil {
		t.Fatal(err)
	}
	before, after := dump(t, "testdata/0005.before.txt"), dump(t, "testdata/0005.after.txt")
	for name, blob := range before {
		w.Set(ctx, retention.Record.Key(name), blob, time.Hour)
	}
	for range 2 { // it may be interrupted, and run again
		if err := migrations.Steps("mark", quiet())[4].Run(ctx, w); err != nil {
			t.Fatal(err)
		}
	}
	if err := migrations.Run(ctx, w, "mark", quiet()); err != nil {
		t.Fatal(err)
	}
	for name := range before {
		key := retention.Record.Key(name)
		if got := w.Get(ctx, key).Val(); got != after[name] {
			t.Errorf("%s became\n%x, want\n%x", name, got, after[name])
		}
		if left := w.PTTL(ctx, key).Val(); left <= 0 || left > time.Hour {
			t.Errorf("%s lives for %v", name, left)
		}
	}
	if got := version(t, w); got != "5" {
		t.Errorf("version %q, want 5", got)
	}
	clean(t, w)
}

// dump reads records: a name and its bytes in hexadecimal in each line, and remarks.
func dump(t *testing.T, path string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, digits, is := strings.Cut(strings.TrimSpace(line), " ")
		if !is || strings.HasPrefix(line, "#") {
			continue
		}
		blob, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
		if err != nil {
			t.Fatal(path, err)
		}
		all[name] = string(blob)
	}
	if len(all) < 3 {
		t.Fatal(path, "holds too little")
	}
	return all
}
