package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"parley/moderation/replay"
	"parley/moderation/score"
)

// riskHelp is what parley risk says of itself.
const riskHelp = `parley risk replay judges a history of calls and reports with the code that judges devices in the
running service: JSON lines in, one answer line for each. docs/risk.md has the format.

  parley risk replay [--preset gentle|balanced|strict] [--policy FILE.json] [--experiment] <history

`

// riskCommand runs parley risk and returns the exit status.
func riskCommand(args []string, in io.Reader, out, errs io.Writer) int {
	if len(args) == 0 {
		fmt.Fprint(errs, "parley: risk: say what to do; there is replay. parley risk --help says more.\n")
		return exitUsage
	}
	switch args[0] {
	case "replay":
		return replayCommand(args[1:], in, out, errs)
	case "help", "-h", "-help", "--help":
		fmt.Fprint(out, riskHelp)
		return exitDone
	}
	fmt.Fprintf(errs, "parley: risk: %q is not understood; there is replay\n", args[0])
	return exitUsage
}

// replayCommand runs parley risk replay: answers on out, everything else on errs.
func replayCommand(args []string, in io.Reader, out, errs io.Writer) int {
	f := flag.NewFlagSet("risk replay", flag.ContinueOnError)
	f.SetOutput(errs)
	f.Usage = func() {
		fmt.Fprint(errs, riskHelp)
		f.PrintDefaults()
	}
	preset := f.String("preset", score.Default, "begin with the `policy` of this name: "+strings.Join(score.Presets(), ", "))
	file := f.String("policy", "", "change what this JSON `file` says; names as in docs/risk.md")
	experiment := f.Bool("experiment", false, "take policies, too, that the service refuses because they are unfair")
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return exitDone
	case err != nil:
		return exitUsage // the flag set has said why
	case f.NArg() > 0:
		fmt.Fprintf(errs, "parley: risk: %q is not understood; the history is read from standard input\n", f.Arg(0))
		return exitUsage
	}
	check := score.Policy.Check
	if *experiment {
		check = score.Policy.CheckRange
	}
	p, err := readPolicy(*preset, *file, check)
	if err != nil {
		for line := range strings.SplitSeq(err.Error(), "\n") {
			fmt.Fprintf(errs, "parley: risk: %s\n", line)
		}
		return exitUsage
	}
	if err := replay.New(p, check).Run(in, out); err != nil {
		fmt.Fprintf(errs, "parley: risk: %v\n", err)
		return exitFailed
	}
	return exitDone
}

// readPolicy returns the policy of a preset, changed by a file if one is named.
func readPolicy(preset, file string, check replay.Check) (score.Policy, error) {
	p, err := score.Preset(preset)
	if err != nil || file == "" {
		return p, err //nolint:wrapcheck // it names the preset
	}
	text, err := os.ReadFile(file) //nolint:gosec // the operator names the file
	if err != nil {
		return p, fmt.Errorf("policy: %w", err)
	}
	if p, err = score.Parse(p, text); err == nil {
		err = check(p)
	}
	if err != nil {
		return p, fmt.Errorf("policy %s: %w", file, err)
	}
	return p, nil
}
