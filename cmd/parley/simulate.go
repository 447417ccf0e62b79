package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"parley/internal/history"
	"parley/internal/simulate"
)

// simulation is what the flags of parley simulate say.
type simulation struct {
	simulate.Config
	nodes     []string
	languages string
	json      bool
	history   string
	check     string
	day       simulatedDay
}

// simulateFlags declares the flags of a run.
func simulateFlags(s *simulation, errs io.Writer) *flag.FlagSet {
	f := flag.NewFlagSet("simulate", flag.ContinueOnError)
	f.SetOutput(errs)
	f.Usage = func() {
		fmt.Fprint(errs, "parley simulate lets simulated people talk on any parley, and measures. docs/simulate.md says more.\n\n")
		f.PrintDefaults()
	}
	node := func(v string) error { s.nodes = append(s.nodes, v); return nil }
	f.Func("target", "`URL` of the parley: http://host, https://host or ws://host/ws (default http://localhost:8080)", node)
	f.Func("node", "`URL` of one more node of the same parley; people spread over all, and come back to any", node)
	f.StringVar(&s.Origin, "origin", "", "`URL` of the page that the people come from, where it is not the target's own")
	f.BoolVar(&s.Forwarded, "forwarded", false, "give each person an address of its own in X-Forwarded-For; the target must list this machine in --trusted-proxies")
	f.Float64Var(&s.Rate, "rate", 10, "how many people arrive in a second")
	f.IntVar(&s.People, "people", 100, "how many people there are at most at the same time")
	f.DurationVar(&s.For, "for", time.Minute, "how long people arrive and stay")
	f.DurationVar(&s.Ramp, "ramp", 0, "how long the rate takes to grow to its full size")
	f.StringVar(&s.languages, "languages", "en,es,pt,fr,de,ru", "what people search in, the most common first")
	f.Uint64Var(&s.Seed, "seed", 0, "take the people of the run that printed this seed; 0: others each time")
	f.BoolVar(&s.json, "json", false, "print the summary as JSON")
	f.StringVar(&s.history, "history", "", "write what everybody did and was told to this `file`, and check it at the end")
	f.StringVar(&s.check, "check", "", "only check the history in this `file`")
	dayFlags(f, &s.day)
	habitFlags(f, s)
	limitFlags(f, &s.Limits)
	return f
}

func habitFlags(f *flag.FlagSet, s *simulation) {
	f.DurationVar(&s.Talk, "talk", time.Minute, "mean length of a call that nobody skips")
	f.DurationVar(&s.Patience, "patience", 3*time.Minute, "mean time that somebody searches")
	f.Float64Var(&s.Next, "next", 0.8, "share of calls after which a person searches for another")
	f.Float64Var(&s.Skip, "skip", 0.2, "share of calls that are left within seconds")
	f.Float64Var(&s.Report, "report", 0.01, "share of calls that end with a report")
	f.Float64Var(&s.Block, "block", 0.01, "share of calls that end with a block")
	f.Float64Var(&s.Drop, "drop", 0.02, "share of searches and calls in which a socket is dropped for 1 to 60 s")
	f.Float64Var(&s.Vanish, "vanish", 0.02, "share of people who go without a word")
	f.Float64Var(&s.Ignore, "ignore", 0.01, "share of matches that are not confirmed")
	f.DurationVar(&s.Hesitate, "hesitate", 0, "mean time before a match is confirmed, at most 3s")
	f.Float64Var(&s.Media, "media", 0, "share of calls in which both people really connect through the relay and send sound")
	f.Float64Var(&s.Twins, "twins", 0.01, "share of people who come with the device of somebody before")
}

func limitFlags(f *flag.FlagSet, l *simulate.Limits) {
	f.DurationVar(&l.HelloP99, "max-hello-p99", 0, "limit: from the arrival of a person to welcome")
	f.DurationVar(&l.WaitP99, "max-wait-p99", 0, "limit: from the wish to talk to a match")
	f.DurationVar(&l.FirstP99, "max-first-p99", 0, "limit: from connected to the peer's first envelope")
	f.DurationVar(&l.EnvelopeP99, "max-envelope-p99", 0, "limit: delay of an envelope")
	f.DurationVar(&l.ResumeP99, "max-resume-p99", 0, "limit: from the wish to be back to the resumed session")
	f.DurationVar(&l.SoundP99, "max-sound-p99", 0, "limit: from connected to the first packet of sound, with --media")
	f.IntVar(&l.MaxErrors, "max-errors", 0, "limit: errors that no crossing of messages explains; -1 for any number")
	f.IntVar(&l.MaxLost, "max-lost", 0, "limit: envelopes lost or doubled; -1 for any number")
	f.IntVar(&l.MinCalls, "min-calls", 1, "limit: at least so many calls")
}

// simulateCommand runs parley simulate and returns the exit status: 1 when the run could not be, a
// limit was not kept, or the history breaks a promise.
func simulateCommand(args []string, out, errs io.Writer) int {
	var s simulation
	f := simulateFlags(&s, errs)
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case err != nil:
		return exitUsage // the flag set has said why
	case f.NArg() > 0:
		fmt.Fprintf(errs, "parley: simulate: %q is not understood; flags begin with --\n", f.Arg(0))
		return exitUsage
	case s.check != "":
		return checkHistory(s.check, out, errs)
	}
	status, err := exitUsage, s.finish()
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		status, err = exitFailed, s.run(ctx, out, errs)
	}
	if err == nil {
		return exitDone
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintf(errs, "parley: simulate: %s\n", line)
	}
	return status
}

// finish fills in what follows from the flags, and looks whether they fit.
func (s *simulation) finish() error {
	if len(s.nodes) == 0 {
		s.nodes = []string{"http://localhost:8080"}
	}
	var faults []error
	for _, n := range s.nodes {
		t, err := simulate.ParseTarget(n)
		if err != nil {
			faults = append(faults, fmt.Errorf("target: %w", err))
			continue
		}
		s.Targets = append(s.Targets, t)
	}
	for l := range strings.SplitSeq(s.languages, ",") {
		if l = strings.TrimSpace(l); l != "" {
			s.Languages = append(s.Languages, l)
		}
	}
	if s.Seed == 0 {
		s.Seed = rand.Uint64() //nolint:gosec // simulated people have no secrets
	}
	if len(faults) == 0 && s.day.on {
		faults = append(faults, s.day.finish(len(s.Targets)))
	}
	if len(faults) == 0 {
		faults = append(faults, s.Validate())
	}
	return errors.Join(faults...)
}

// run lets people talk, prints what came of it, and returns an error when a limit was not kept.
func (s *simulation) run(ctx context.Context, out, errs io.Writer) error {
	if s.day.on {
		return s.runDay(ctx, out, errs)
	}
	record, done, err := s.openHistory()
	if err != nil {
		return err
	}
	summary, err := simulate.Run(ctx, s.Config, errs, record)
	if err = errors.Join(err, done()); err != nil {
		return err
	}
	if s.history != "" {
		if summary.Violations, err = violations(s.history); err != nil {
			return err
		}
		fmt.Fprintf(errs, "history: %d promises broken\n", len(summary.Violations))
	}
	if s.json {
		err = json.MarshalWrite(out, summary, jsontext.Multiline(true), json.Deterministic(true))
		fmt.Fprintln(out)
	} else {
		err = summary.Print(out)
	}
	for _, v := range summary.Unmet() {
		err = errors.Join(err, fmt.Errorf("%s: the limit is %s, it was %s", v.Limit, v.Bound, v.Was))
	}
	for _, v := range summary.Violations {
		err = errors.Join(err, errors.New(v))
	}
	return err
}

// openHistory begins the history, if one is wanted, and returns how to end it.
func (s *simulation) openHistory() (*history.Recorder, func() error, error) {
	if s.history == "" {
		return nil, func() error { return nil }, nil
	}
	file, err := os.Create(s.history)
	if err != nil {
		return nil, nil, fmt.Errorf("history: %w", err)
	}
	record := history.NewRecorder(file)
	return record, func() error { return errors.Join(record.Close(), file.Close()) }, nil
}

// violations checks a history file.
func violations(path string) ([]string, error) {
	file, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	defer func() { _ = file.Close() }() // only read
	found, err := history.Check(file)
	if err != nil {
		return nil, fmt.Errorf("history %s: %w", path, err)
	}
	all := make([]string, 0, len(found.Violations))
	for _, v := range found.Violations {
		all = append(all, v.String())
	}
	return all, nil
}

// checkHistory runs parley simulate --check.
func checkHistory(path string, out, errs io.Writer) int {
	all, err := violations(path)
	if err != nil {
		fmt.Fprintf(errs, "parley: simulate: %v\n", err)
		return exitFailed
	}
	for _, v := range all {
		fmt.Fprintln(out, v)
	}
	if len(all) > 0 {
		fmt.Fprintf(errs, "parley: simulate: %d promises broken\n", len(all))
		return exitFailed
	}
	fmt.Fprintln(out, "the history keeps every promise")
	return exitDone
}
