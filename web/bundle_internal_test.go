package web

import (
	"maps"
	"os"
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
	if notice := "noble-curves 2.4.0"; !strings.Contains(licences(first), notice) {
		t.Errorf("no file has the notice of %s", notice)
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

// licences are the comments that the files keep.
func licences(b bundle) string {
	var all strings.Builder
	for name, text := range b.files {
		if _, kept, has := strings.Cut(string(text), "@license"); has && strings.HasSuffix(name, ".js") {
			all.WriteString(kept)
		}
	}
	return all.String()
}
