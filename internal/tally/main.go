// Command tally runs the tests of parley and counts what really ran: it prints a line for each
// package, the whole output of what failed, why tests were skipped, how many tests passed in a
// browser, against a real redis-server and with certificates of a real authority, and a last line
// "N passed, N failed, N skipped".
//
//	go run ./internal/tally [flags of go test]
//
// With PARLEY_E2E=require, PARLEY_REDIS=require or PARLEY_ACME=require it fails when not one test of
// that kind passed, so that a gate cannot be green because everything was skipped. Browser tests and
// chaos measure time, so they run after the others, alone.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// alone are the packages that nothing runs beside, and that race detection would slow too much.
func alone() []string { return []string{"parley/internal/e2e", "parley/internal/chaos"} }

func main() {
	ok, err := run(os.Args[1:], os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// run tests everything and tells whether all is well.
func run(flags []string, out io.Writer) (ok bool, err error) {
	listed, err := exec.Command("go", "list", "./...").Output()
	if err != nil {
		return false, fmt.Errorf("go list: %w", err)
	}
	packages := strings.Fields(string(listed))
	isAlone := func(p string) bool { return slices.Contains(alone(), p) }
	rest := slices.DeleteFunc(slices.Clone(packages), isAlone)
	race, err := raceFlag(out)
	if err != nil {
		return false, err
	}
	c := newCount(out)
	if err := c.test(slices.Concat(race, flags, rest)); err != nil {
		return false, err
	}
	for _, p := range packages {
		if !isAlone(p) {
			continue
		}
		if err := c.test(append(slices.Clone(flags), p)); err != nil {
			return false, err
		}
	}
	return c.close(func(variable string) bool { return os.Getenv(variable) == "require" }), nil
}

// raceFlag is -race where there is a C compiler, which the race detector needs.
func raceFlag(out io.Writer) ([]string, error) {
	answer, err := exec.Command("go", "env", "CGO_ENABLED").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	if strings.TrimSpace(string(answer)) == "1" {
		return []string{"-race"}, nil
	}
	fmt.Fprintln(out, "without the race detector: no C compiler; apt-get install gcc libc6-dev")
	return nil, nil
}

// test runs go test and counts its events. A test that fails is counted; an error means that the
// tests could not run.
func (c *count) test(args []string) error {
	cmd := exec.Command("go", append([]string{"test", "-json"}, args...)...) //nolint:gosec // the developer's own flags
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	events, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewReader(events)
	readErr := c.read(lines)
	_, _ = io.Copy(io.Discard, lines) // so that go test can end
	err = cmd.Wait()
	var failed *exec.ExitError
	if errors.As(err, &failed) && c.failed > 0 {
		err = nil // it has been counted and printed
	}
	if err = errors.Join(readErr, err); err != nil {
		return fmt.Errorf("go test: %w\n%s", err, complaints.Bytes())
	}
	return nil
}
