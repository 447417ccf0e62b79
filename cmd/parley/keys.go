package main

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"parley/internal/keyring"
)

const keysHelp = `parley keys looks after the weekly keys under which reports are kept.

  parley keys show [settings]    print which weeks have a key, its fingerprint, and when it is destroyed
  parley keys rotate [settings]  make what is missing and destroy what is due, in the file of --epoch-keys

A running parley that may write the file does the same every minute. Where nodes cannot share one file,
leave it writable (mode 600) on one machine only, run rotate there every day, bring the file to the others
with mode 400, and do not keep the old one: each key is made five days before its week begins, and is to
be destroyed everywhere 30 days after it ended. Nodes read the file again each minute.
`

// keysCommand shows or tends the weekly keys. No key is ever printed.
func keysCommand(args, environ []string, out, errs io.Writer) int {
	if len(args) == 0 || slices.Contains([]string{"help", "--help", "-h"}, args[0]) {
		fmt.Fprint(out, keysHelp)
		return exitDone
	}
	if args[0] != "show" && args[0] != "rotate" {
		fmt.Fprintf(errs, "parley: keys: %q is not understood; there are show, rotate\n", args[0])
		return exitUsage
	}
	cfg, l, err := load(args[1:], environ)
	if err == nil && l.command != "" {
		err = fmt.Errorf("keys: %q is too much", l.command)
	}
	if err != nil {
		sayAll(errs, err)
		return exitUsage
	}
	now := time.Now()
	var live keyring.Live
	if args[0] == "rotate" {
		var epochs *keyring.Epochs
		if epochs, err = keyring.LoadEpochs(cfg.EpochKeys, now, slog.New(slog.DiscardHandler)); err == nil {
			live = epochs.Live(now)
		}
	} else {
		live, err = keyring.ReadEpochs(cfg.EpochKeys, now)
	}
	if err != nil {
		return failed(errs, err)
	}
	printKeys(out, live, now)
	return exitDone
}

// printKeys says what there is, the oldest first.
func printKeys(out io.Writer, live keyring.Live, now time.Time) {
	const day = "2006-01-02"
	for _, e := range slices.Backward(live) {
		begins := time.Unix(0, 0).Add(time.Duration(e.Week) * keyring.Week).UTC()
		note := ""
		switch {
		case !now.Before(e.Due()):
			note = "  should be destroyed: run parley keys rotate"
		case e.Week == keyring.WeekOf(now):
			note = "  this week"
		}
		fmt.Fprintf(out, "week %d from %s  fingerprint %s  destroyed on %s%s\n",
			e.Week, begins.Format(day), e.Fingerprint(), e.Due().UTC().Format(day), note)
	}
	if _, there := live.Week(keyring.WeekOf(now)); !there {
		fmt.Fprintln(out, "there is no key for this week: run parley keys rotate")
	}
}
