package vtest

import (
	"os"
	"path/filepath"
	"strings"
)

// Written is how long the append-only file of a server is that was started with one, and without
// rewriting it.
func (s *Server) Written() int64 {
	s.t.Helper()
	info, err := os.Stat(s.appendOnly())
	if err != nil {
		s.t.Fatal(err)
	}
	return info.Size()
}

// Shorten leaves of that file what it held when it was so long, while the server is killed: what came
// later was not on the disk when the machine died.
func (s *Server) Shorten(to int64) {
	s.t.Helper()
	if err := os.Truncate(s.appendOnly(), to); err != nil {
		s.t.Fatal(err)
	}
}

// appendOnly is the one file to which a server appends.
func (s *Server) appendOnly() string {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.Dir, "appendonlydir", "*.incr.aof"))
	if err != nil || len(files) != 1 {
		s.t.Fatalf("append-only files %q, %v", strings.Join(files, " "), err)
	}
	return files[0]
}
