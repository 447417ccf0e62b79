package web_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestVendor holds what others made to the hashes under which it was looked at: each file is in
// vendor.lock, as sha256sum writes it, and nothing else is.
func TestVendor(t *testing.T) {
	lock, err := os.ReadFile("vendor.lock")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for line := range strings.Lines(string(lock)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		want[name] = sum
	}
	files, err := filepath.Glob("app/vendor/*")
	if err != nil || len(files) == 0 {
		t.Fatal("no vendored files", err)
	}
	for _, name := range files {
		if filepath.Base(name) == "README.md" {
			continue
		}
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(body)
		if got := hex.EncodeToString(sum[:]); got != want[name] {
			t.Errorf("%s has the hash %s, vendor.lock says %q: read what changed before you write it there", name, got, want[name])
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("vendor.lock names %s, which is not there", name)
	}
}
