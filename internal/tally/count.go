package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// event is one line of go test -json; see go doc test2json.
type event struct {
	Action, Package, Test, Output string
	ImportPath                    string // of build events
}

// name is one test.
type name struct{ pkg, test string }

// said is what one package printed, in order.
type said struct {
	by   string // the test, "" for the package itself
	text string
}

// count adds up events of any number of runs.
type count struct {
	out     io.Writer
	ends    map[name]string   // how each test ended: pass, fail, skip
	said    map[string][]said // by package, until it ends
	reasons map[string]int    // why tests were skipped
	failed  int               // packages that failed, by tests or otherwise
}

func newCount(out io.Writer) *count {
	return &count{out: out, ends: map[name]string{}, said: map[string][]said{}, reasons: map[string]int{}}
}

// read takes events until the stream ends.
func (c *count) read(lines *bufio.Reader) error {
	dec := json.NewDecoder(lines)
	for {
		var e event
		err := dec.Decode(&e)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("read events: %w", err)
		}
		c.add(e)
	}
}

func (c *count) add(e event) {
	switch e.Action {
	case "output":
		if progress.MatchString(e.Output) {
			return
		}
		c.said[e.Package] = append(c.said[e.Package], said{e.Test, e.Output})
	case "build-output":
		fmt.Fprint(c.out, e.Output)
	case "pass", "fail", "skip":
		if e.Test != "" {
			c.ends[name{e.Package, e.Test}] = e.Action
			return
		}
		c.endPackage(e)
	}
}

// endPackage prints a passed package in one line, a failed one with all that its failed tests said,
// and what any of them measured.
func (c *count) endPackage(e event) {
	if e.Action == "fail" {
		c.failed++
	}
	for _, s := range c.said[e.Package] {
		end := c.ends[name{e.Package, s.by}]
		switch {
		case end == "skip":
			c.reason(s.text)
		case end == "pass" && measured.MatchString(s.text):
			fmt.Fprintln(c.out, located.FindStringSubmatch(s.text)[1])
		case s.by == "" && verdict.MatchString(s.text), e.Action == "fail" && end != "pass":
			fmt.Fprint(c.out, s.text)
		}
	}
	delete(c.said, e.Package)
}

var (
	progress = regexp.MustCompile(`^=== (RUN|PAUSE|CONT|NAME)  `)
	verdict  = regexp.MustCompile(`^(ok  |FAIL|\?   )\t`)            // what go test says of a package
	located  = regexp.MustCompile(`^\s+[\w.-]+\.go:\d+: (.*\S)\s*$`) // what a test said, with its line
	measured = regexp.MustCompile(`^\s+[\w.-]+\.go:\d+: \w+_ms `)    // a figure, such as click_to_audio_ms median=300
)

// reason notes why a test was skipped, once for all tests that say the same.
func (c *count) reason(text string) {
	if m := located.FindStringSubmatch(text); m != nil {
		c.reasons[m[1]]++
	}
}

// leaves calls visit for each test without subtests: a parent only repeats what they say.
func (c *count) leaves(visit func(n name, end string)) {
	parents := map[name]bool{}
	for n := range c.ends {
		for i, r := range n.test {
			if r == '/' {
				parents[name{n.pkg, n.test[:i]}] = true
			}
		}
	}
	for n, end := range c.ends {
		if !parents[n] {
			visit(n, end)
		}
	}
}

// browser tells whether a test drives a real browser.
func (n name) browser() bool {
	return n.pkg == "parley/internal/e2e" || strings.Contains(n.test, "Browser")
}

// realRedis tells whether a test runs against real redis-server processes, in any shape: see
// vtest.Engines.
func (n name) realRedis() bool {
	return slices.ContainsFunc(strings.Split(n.test, "/"), func(part string) bool {
		return part == "redis-server" || part == "sentinel" || part == "cluster"
	})
}

// authority tells whether a test gets certificates from a real authority: see vtest.Pebble.
func (n name) authority() bool { return strings.Contains(n.test, "Pebble") }

// kind is a sort of test that needs something installed.
type kind struct {
	name     string
	variable string // with which it is required
	is       func(name) bool
}

func kinds() []kind {
	return []kind{
		{"browser", "PARLEY_E2E", name.browser},
		{"real Redis", "PARLEY_REDIS", name.realRedis},
		{"real authority", "PARLEY_ACME", name.authority},
	}
}

// close prints the sums and tells whether all is well. Kinds whose variable is required must have
// passed at least once.
func (c *count) close(required func(variable string) bool) (ok bool) {
	sums, ran := map[string]int{}, map[string]int{}
	var failed []string
	c.leaves(func(n name, end string) {
		sums[end]++
		if end == "fail" {
			failed = append(failed, n.pkg+" "+n.test)
		}
		for _, k := range kinds() {
			if end == "pass" && k.is(n) {
				ran[k.name]++
			}
		}
	})
	for _, reason := range slices.Sorted(maps.Keys(c.reasons)) {
		fmt.Fprintf(c.out, "skipped %d: %s\n", c.reasons[reason], reason)
	}
	slices.Sort(failed)
	for _, test := range failed {
		fmt.Fprintf(c.out, "failed: %s\n", test)
	}
	ok = sums["fail"] == 0 && c.failed == 0 && sums["pass"] > 0
	var missing strings.Builder
	for _, k := range kinds() {
		fmt.Fprintf(c.out, "%s tests: %d passed\n", k.name, ran[k.name])
		if required(k.variable) && ran[k.name] == 0 {
			fmt.Fprintf(&missing, "FAIL: %s tests are required, and none passed\n", k.name)
			ok = false
		}
	}
	// A package that failed without a failed test (it did not build, it panicked) counts as one.
	fmt.Fprintf(c.out, "%s%d passed, %d failed, %d skipped\n", missing.String(), sums["pass"], max(sums["fail"], c.failed), sums["skip"])
	return ok
}
