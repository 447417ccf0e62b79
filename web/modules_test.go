package web_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestModules runs the tests of the page and the console, which lie beside their modules, under node.
// Without node it is skipped, or fails when PARLEY_E2E=require.
func TestModules(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		const install = "node is not installed: apt-get install nodejs"
		if os.Getenv("PARLEY_E2E") == "require" {
			t.Fatal(install)
		}
		t.Skip(install)
	}
	files, err := filepath.Glob("app/*.test.js")
	if err != nil || len(files) == 0 {
		t.Fatal("the page has no tests", err)
	}
	console, err := filepath.Glob("console/*.test.js")
	if err != nil || len(console) == 0 {
		t.Fatal("the console has no tests", err)
	}
	check, err := filepath.Glob("app/check/*.test.js")
	if err != nil || len(check) == 0 {
		t.Fatal("the check has no tests", err)
	}
	files = slices.Concat(files, console, check)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".test.js"), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			out, err := exec.CommandContext(ctx, node, "--test", file).CombinedOutput()
			if err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
