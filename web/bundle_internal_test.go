package web

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestBundled: the same modules come to the same files, so that two programs made from the same source
// serve the same; and what cannot be joined is named.
func TestBundled(t *testing.T) {
	modules, err := readTree(os.DirFS("app"))
	if err != nil {
		t.Fatal(err)
	}
	first, err := bundled(modules)
	if err != nil {
		t.Fatal(err)
	}
	second, err := bundled(modules)
	if err != nil || !maps.EqualFunc(first.files, second.files, func(a, b []byte) bool { return string(a) == string(b) }) {
		t.Errorf("the same modules come to other files the second time, %v", err)
	}
	for _, notice := range []string{"@license noble-curves 2.4.0, noble-hashes 2.4.0, MIT", "@license lean-qr 2.7.4 (nano), MIT"} {
		if !slices.ContainsFunc(slices.Collect(maps.Values(first.files)), func(text []byte) bool { return strings.Contains(string(text), notice) }) {
			t.Errorf("no file has the notice %q", notice)
		}
	}
	for _, c := range []struct{ name, source, want string }{
		{"a module that is missing", "import './nothing.js';", "nothing.js is no module of the page"},
		{"a name that is missing", "import { nothing } from './bytes.js'; nothing();", `main.js:1: No matching export in "bytes.js" for import "nothing"`},
		{"no module", "const = 1;", "main.js:1: Expected identifier"},
		{"another server", "import 'https://example.org/x.js';", "is no module of the page"},
	} {
		broken := maps.Clone(modules)
		broken["main.js"] = []byte(c.source)
		if _, err := bundled(broken); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}
