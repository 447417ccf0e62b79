package retention_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"parley/retention"
)

// TestPromisesAreGuarded: every test that a promise names is in the tree, where it says.
func TestPromisesAreGuarded(t *testing.T) {
	for _, p := range retention.Promises() {
		if p.Says == "" || len(p.Tests) == 0 {
			t.Errorf("%q is guarded by nothing", p.Says)
		}
		for _, name := range p.Tests {
			if dir, test, split := strings.Cut(name, " "); !split || !written(t, filepath.Join("..", dir), test) {
				t.Errorf("%q: there is no test %s", p.Says, name)
			}
		}
	}
}

// written tells whether a folder has a test of that name.
func written(t *testing.T, dir, test string) bool {
	t.Helper()
	if strings.HasSuffix(test, ".test.js") {
		_, err := os.Stat(filepath.Join(dir, test))
		return err == nil
	}
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("\nfunc "+test+"(t *testing.T)")) {
			return true
		}
	}
	return false
}

// TestElsewhere: whatever is kept beside the database is explained too.
func TestElsewhere(t *testing.T) {
	for _, p := range retention.Elsewhere() {
		if p.Name == "" || p.Holds == "" || p.Long == "" || p.Reader == "" {
			t.Errorf("%+v is not explained", p)
		}
	}
}

// TestRelayLogIsInThePromise: the page is the same on each server, so the promise about logs names the
// one log that has addresses, and where it stands whether there is one.
func TestRelayLogIsInThePromise(t *testing.T) {
	for _, p := range retention.Promises() {
		if strings.Contains(p.Says, "is in a log") && (!strings.Contains(p.Says, "relay log") || !strings.Contains(p.Says, "How much there is now")) {
			t.Errorf("%q leaves the relay log out", p.Says)
		}
	}
}
