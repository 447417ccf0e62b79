// Command parley lets strangers talk. Without arguments it serves the page on localhost with a
// store and a relay of its own; parley --help says the rest.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
)

// garbage is how much the heap may grow, in percent, before it is collected. Most of the heap is
// browsers that wait, so less than Go's 100 saves memory for little work. GOGC overrules it.
const garbage = 75

func main() {
	if !slices.ContainsFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "GOGC=") }) {
		debug.SetGCPercent(garbage)
	}
	os.Exit(run(os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

func run(args, environ []string, out, errs io.Writer) int {
	quietClient()
	if len(args) > 0 {
		if command := withFlags(args[0]); command != nil {
			return command(args, environ, out, errs)
		}
	}
	cfg, l, err := load(args, environ)
	switch command := l.command; {
	case errors.Is(err, flag.ErrHelp) || command == "help":
		help(out)
		return exitDone
	case command != "" && command != "serve" && command != "config" && command != "ports":
		fmt.Fprintf(errs, "parley: %q is not a command; there are serve, config, ports, doctor, keys, thresholds, brigade, reviews, matching, audit, relaylog, console, remembered, breach, hours, hashes, backup, restore, simulate, risk, version and help%s\n", command, switchHint(command))
		return exitUsage
	case err != nil:
		sayAll(errs, err)
		return exitUsage
	case l.command == "config":
		err = l.print(out)
	case l.command == "ports":
		printPorts(out, cfg)
	default:
		err = serve(context.Background(), cfg, out, errs)
	}
	if err != nil {
		return failed(errs, err)
	}
	return exitDone
}

// withFlags returns the command of that name that has flags of its own, nil if there is none.
func withFlags(name string) func(args, environ []string, out, errs io.Writer) int {
	switch name {
	case "simulate":
		return func(args, _ []string, out, errs io.Writer) int { return simulateCommand(args[1:], out, errs) }
	case "risk":
		return func(args, _ []string, out, errs io.Writer) int { return riskCommand(args[1:], os.Stdin, out, errs) }
	case "keys":
		return func(args, environ []string, out, errs io.Writer) int {
			return keysCommand(args[1:], environ, out, errs)
		}
	case "doctor":
		return func(args, environ []string, out, errs io.Writer) int {
			return doctorCommand(args[1:], environ, out, errs)
		}
	case "backup", "restore":
		return backupCommand
	case "version", "--version", "-version":
		return versionCommand
	}
	if _, is := lookCommands()[name]; is {
		return lookRun
	}
	if _, is := deskCommands()[name]; is {
		return deskRun
	}
	return nil
}

// help lists commands and settings; both come from the tables that the program itself uses.
func help(w io.Writer) {
	fmt.Fprint(w, `parley lets two strangers who share a language talk.

  parley [settings]           serve the page (on http://localhost:8080 unless told otherwise)
  parley config [settings]    print every setting with where its value came from
  parley ports [settings]     print what a firewall has to let through, with lines for ufw and nft
  parley doctor [settings]    look for what goes wrong in practice, and say how to mend it
  parley keys ...             show and make the weekly keys under which reports are kept
  parley thresholds ...       show, preview and set the numbers by which reports are judged
  parley brigade ...          take back the reports of one network
  parley reviews ...          answer those who asked that their record be looked at
  parley matching ...         pause matching, or let it go on
  parley audit ...            check and show the file of what operators did
  parley relaylog ...         print which addresses used the relay, if that is written down at all
  parley console ...          make and remove the tokens of those who may use the console
  parley remembered ...       print how much is remembered, and audit Redis against the list of what may be
  parley breach ...           write what a thief of the whole database would hold
  parley hours ...            print how many calls ended in each hour, or export them
  parley hashes ...           print the sums of the files of the page, or compare those of a server
  parley backup FILE ...      write what is kept for longer than a moment into a file
  parley restore FILE ...     bring that back into an empty database
  parley simulate [flags]     let simulated people talk on any parley, and measure; parley simulate --help
  parley risk replay [flags]  judge a history of calls and reports under any policy; parley risk --help
  parley version              print the commit and the Go that this program was made from
  parley help                 print this

Each setting can be given as a flag, as an environment variable, or in a file of lines like
listen = "127.0.0.1:8080", named by --config FILE. Flags beat the environment, which beats the file.

`)
	for _, s := range settings() {
		gap := " "
		if s.flag {
			gap = "=" // a switch takes its value only so
		}
		fmt.Fprintf(w, "  --%s%s%s\n", s.name, gap, s.shape)
		fmt.Fprintf(w, "        %s\n", s.says)
		fmt.Fprintf(w, "        (%s%s)\n", variable(s.name), sayDefault(s))
	}
	fmt.Fprint(w, "\nA variable of a secret with _FILE behind its name gives the file that holds the secret: PARLEY_REDIS_FILE.\n")
}

func sayDefault(s setting) string {
	switch {
	case s.derive != nil:
		return "; by default it follows from the settings above"
	case s.value == "":
		return "; not set by default"
	default:
		return "; " + s.value + " by default"
	}
}
