package main

import (
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/web"
)

// TestShown: what was shown is remembered from start to start, for the operator's eyes alone; a copy
// that cannot be read is made anew, and the log says so.
func TestShown(t *testing.T) {
	state, today := filepath.Join(t.TempDir(), "state"), time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)
	var said strings.Builder
	start := func(all []web.Processor) string {
		t.Helper()
		noted, err := noteProcessors(state, all, today, slog.New(slog.NewTextHandler(&said, nil)))
		if err != nil {
			t.Fatal(err)
		}
		today = today.AddDate(0, 0, 1)
		titles := ""
		for _, n := range noted {
			titles += n.On.Format("2 ") + n.Title + "; "
		}
		return titles
	}
	host := web.Processor{Name: "Host", Does: "rents out", Sees: "packets", Since: today.AddDate(-1, 0, 0)}
	edited := host
	edited.Sees = "everything"
	file := filepath.Join(state, shownFile)
	if got := start(nil); got != "" || said.Len() > 0 {
		t.Errorf("nobody: %q, log %s", got, said.String())
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a file is made where there is nothing to remember")
	}
	for _, c := range []struct {
		all  []web.Processor
		want string
	}{
		{[]web.Processor{host}, ""},
		{[]web.Processor{host}, ""},
		{[]web.Processor{edited}, "12 Host has changed; "},
		{[]web.Processor{edited}, "12 Host has changed; "},
		{nil, "14 Host was taken off the list; 12 Host has changed; "},
	} {
		if got := start(c.all); got != c.want {
			t.Errorf("%+v: %q, want %q", c.all, got, c.want)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != fs.FileMode(0o600) {
		t.Errorf("%v %v", info, err)
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := start([]web.Processor{host}); got != "" || !strings.Contains(said.String(), "cannot be read") {
		t.Errorf("after a damaged copy: %q, log %s", got, said.String())
	}
	if got := start([]web.Processor{edited}); got != "16 Host has changed; " {
		t.Errorf("anew: %q", got)
	}
}
