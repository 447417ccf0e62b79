package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"parley/internal/keyring"
)

const doctorHelp = `parley doctor looks for what goes wrong in practice, and says of each fault how to mend it.

  parley doctor [--json] [settings]   with the settings of the parley that is looked at, as its user

It looks at files, ports, certificate, page, proxy, clock, relay and Redis. While parley runs it asks that
one too, as a visitor would. What only somebody outside can see, such as a firewall, it says it cannot know;
the page /check, opened on a phone, shows that. It changes nothing.

Exit status: 0 nothing failed; 1 something did; 2 the command line or the configuration is wrong.
`

// grade is how bad a finding is.
type grade string

const (
	good grade = "ok"
	warn grade = "warn" // works, but for how long or for whom?
	bad  grade = "fail" // does not work, or does what nobody wants
)

// finding is what one check found out.
type finding struct {
	Check string `json:"check"`
	Grade grade  `json:"grade"`
	Says  string `json:"says"`
	Fix   string `json:"fix,omitempty"` // one sentence, unless it is good
}

// doctor collects findings about one configuration.
type doctor struct {
	cfg      config
	findings []finding
	runs     bool          // the operators' listener answers
	ring     *keyring.Ring // of the key file; nil while there is none that can be read
}

func (d *doctor) good(check, format string, args ...any) {
	d.findings = append(d.findings, finding{Check: check, Grade: good, Says: fmt.Sprintf(format, args...)})
}

func (d *doctor) warn(check, says, fix string) {
	d.findings = append(d.findings, finding{check, warn, says, fix})
}

func (d *doctor) bad(check, says, fix string) {
	d.findings = append(d.findings, finding{check, bad, says, fix})
}

// worst is the grade of the whole.
func (d *doctor) worst() grade {
	worst := good
	for _, f := range d.findings {
		if f.Grade == bad || worst == good {
			worst = f.Grade
		}
		if worst == bad {
			break
		}
	}
	return worst
}

// doctorTime is how long all checks may take.
const doctorTime = 2 * time.Minute

// doctorCommand looks at the installation and says what it found.
func doctorCommand(args, environ []string, out, errs io.Writer) int {
	asJSON := slices.Contains(args, "--json")
	args = slices.DeleteFunc(slices.Clone(args), func(a string) bool { return a == "--json" })
	cfg, l, err := load(args, environ)
	if errors.Is(err, flag.ErrHelp) || l.command == "help" {
		fmt.Fprint(out, doctorHelp)
		return exitDone
	}
	if err == nil && l.command != "" {
		err = fmt.Errorf("doctor: %q is too much", l.command)
	}
	if err != nil {
		sayAll(errs, err)
		return exitUsage
	}
	ctx, cancel := context.WithTimeout(context.Background(), doctorTime)
	defer cancel()
	d := &doctor{cfg: cfg}
	d.look(ctx)
	print := d.print
	if asJSON {
		print = d.printJSON
	}
	if err := print(out); err != nil {
		return failed(errs, err)
	}
	if d.worst() == bad {
		return exitFailed
	}
	return exitDone
}

// look does every check.
func (d *doctor) look(ctx context.Context) {
	d.runs = d.answers(ctx)
	d.lookAtFiles()
	d.lookAtContent()
	d.lookAtLimit(ctx)
	d.lookAtPorts(ctx)
	d.lookAtAddress(ctx)
	d.lookAtCertificate() //nolint:contextcheck // files are read, and nobody waits
	d.lookAtPage(ctx)
	d.lookAtRedis(ctx)
}

// printJSON says what was found to a program.
func (d *doctor) printJSON(out io.Writer) error {
	b, err := json.Marshal(struct {
		Grade    grade     `json:"grade"`
		Findings []finding `json:"findings"`
	}{d.worst(), d.findings}, jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, string(b))
	return err
}

// print says what was found: the worst last, where a reader's eye is.
func (d *doctor) print(out io.Writer) error {
	for _, which := range []grade{good, warn, bad} {
		for _, f := range d.findings {
			if f.Grade != which {
				continue
			}
			fmt.Fprintf(out, "%-4s  %-15s %s\n", f.Grade, f.Check, f.Says)
			if f.Fix != "" {
				fmt.Fprintf(out, "%22s%s\n", "", f.Fix)
			}
		}
	}
	return nil
}
