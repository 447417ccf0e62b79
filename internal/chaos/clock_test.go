package chaos_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"parley/internal/simulate"
	"parley/internal/vtest"
)

//go:embed testdata/jump.txt
var jumpCode string

// TestClockJump sets the clocks of two of three nodes, one an hour ahead, one an hour back, while
// people search, talk and report. Their clocks are really wrong: the program is built with another
// package time. Nothing expires for that: nobody loses a search, a session, a call or a report.
func TestClockJump(t *testing.T) {
	if os.Getenv("PARLEY_CHAOS") == "" && os.Getenv("PARLEY_NIGHTLY") == "" {
		t.Skip("a program with a clock that jumps takes a minute to build: make chaos, or PARLEY_NIGHTLY=1")
	}
	length(t)
	buildJumping(t)
	t.Parallel()
	h := newHouse(t)
	server := vtest.StartServer(t)
	h.build(t, func(*node) string { return server.URL() })
	for i, jump := range []string{"1h", "-1h"} {
		n := h.nodes[i]
		n.Process = vtest.NewProcess(t, jumping, n.Args...)
		n.Env = []string{"JUMP_AFTER=" + []string{"15s", "25s"}[i], "JUMP_BY=" + jump}
	}
	h.open(t)
	people := &crowd{cfg: simulate.Config{
		Rate: 8, People: 60, For: 45 * time.Second, Ramp: time.Second,
		Behaviour: simulate.Behaviour{
			Talk: 12 * time.Second, Patience: time.Hour, Next: 0.9, Report: 0.6, Block: 0.3, Media: 0.3, Languages: []string{"en", "es"},
		},
	}}
	h.visit(t, people, func(context.CancelFunc) {})
	for i, off := range []time.Duration{time.Hour, -time.Hour, 0} {
		if wrong := h.nodes[i].clock(t); (wrong - off).Abs() > time.Minute {
			t.Errorf("the clock of node %d is wrong by %v, want %v", i+1, wrong, off)
		}
	}
	h.judge(t, people)
	for what, n := range people.result.Counts {
		for _, none := range []string{"expired", "session forgotten", "closed", "calls rejoined", "ended peer_lost", "error"} {
			if strings.HasPrefix(what, none) {
				t.Errorf("%d %s", n, what)
			}
		}
	}
	if people.result.Counts["reported"] == 0 || people.result.Counts["blocked"] == 0 {
		t.Error("nobody reported and blocked")
	}
	heard := people.result.Times[simulate.Sound.String()]
	t.Logf("sound came %d times, after %v ms at the latest", heard.Count, heard.Max)
}

// clock is how far the clock of a node is ahead of ours.
func (n *node) clock(t *testing.T) time.Duration {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.ready, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	at, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		t.Fatal(err)
	}
	return time.Until(at)
}

// jumping is the program that buildJumping builds.
const jumping = "parley-jumping"

// buildJumping builds parley with a package time whose wall clock jumps.
func buildJumping(t *testing.T) {
	t.Helper()
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	std := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	source, err := os.ReadFile(filepath.Join(std, "time.go"))
	if err != nil {
		t.Fatal(err)
	}
	const reads = "sec, nsec, mono := runtimeNow()\n"
	changed := strings.Replace(string(source), reads, reads+"\tsec += jumped(mono)\n", 1)
	if changed == string(source) {
		t.Fatal("time.Now reads the clock in another way: change this test")
	}
	dir := t.TempDir()
	overlay := map[string]string{}
	for name, code := range map[string]string{"time.go": changed, "jump.go": jumpCode} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay[filepath.Join(std, name)] = file
	}
	list, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, list, 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-overlay", file, "-o", vtest.Program(jumping), "parley/cmd/parley")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("parley with a clock that jumps does not build: %v\n%s", err, out)
	}
}
