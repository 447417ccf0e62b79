package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"parley/internal/keyring"
	"parley/retention"
)

const breachHelp = `parley breach writes what a thief would hold who stole the whole database at this moment: how much of
what, what could be learnt from it, and what with the key files too. It is made from the live database, and
from the files that the settings name.

  parley breach [settings] > report.txt
  --pace NUMBER   keys a second of each server that are looked at; 18000 unless told otherwise
  All settings of parley may follow, above all --redis, --state and --config; parley --help lists them.
`

func breachRun(ctx context.Context, c *lookCall) error {
	census, err := retention.Count(ctx, c.rdb, c.pace)
	if err != nil {
		return fmt.Errorf("redis: %w", c.cfg.Redis.Explain(err))
	}
	fmt.Fprintf(c.out, "WHAT A THIEF OF THE WHOLE DATABASE WOULD HOLD\n\nCounted on %s: %d keys. Numbers below %d are not told.\n",
		c.now.UTC().Format("2 January 2006, 15:04 UTC"), census.Keys, retention.Floor)
	there := present(census)
	fmt.Fprint(c.out, "\n1. With the database alone\n")
	for _, p := range there {
		fmt.Fprintf(c.out, "\n  %s: %s, each for at most %s.\n", p.Item.Name, p.records(), p.lives())
		wrapped(c.out, "    ", "Holds: "+p.Holds)
		wrapped(c.out, "    ", "Tells: "+p.Breach)
	}
	if len(there) == 0 {
		fmt.Fprint(c.out, "\n  Nothing: the database is empty.\n")
	}
	if census.Faulty > 0 {
		fmt.Fprintf(c.out, "\n  And %d keys that are not as declared: parley remembered lists them, and nobody knows what they tell.\n", census.Faulty)
	}
	c.keyed(there)
	fmt.Fprint(c.out, "\n3. What is not there, with or without keys\n")
	wrapped(c.out, "  ", "Network addresses; names, accounts, email; tokens and digests of devices as browsers send them; phrases, "+
		"passwords and numbers of channels; what was said or written; who talked with whom, but for tickets that met in the last minute; browsers and "+
		"their versions; the logs.")
	fmt.Fprint(c.out, "\n4. What to do when it has happened\n")
	wrapped(c.out, "  ", "If the key files may have gone too, stop every node, move the files \"keys\" and \"epochs\" of --state away and start with an "+
		"empty database: new names have nothing to do with the old ones, and reports are lost. If only the database has gone, nothing that was stolen "+
		"can be tied to a device once the weekly keys are destroyed, each 30 days after its week; keep no copy of them. Change the password of Redis.")
	return nil
}

// trove is a class of which there is something.
type trove struct {
	retention.Item
	retention.Tally
}

// present are the classes of which there is something.
func present(census retention.Census) []trove {
	var all []trove
	for i, it := range retention.Catalogue() {
		if t := census.Classes[i]; t.Records > 0 {
			all = append(all, trove{it, t})
		}
	}
	return all
}

func (p trove) records() string { return few(p.Records) + " records" }

func (p trove) lives() string {
	if p.TTL == 0 {
		return "as long as the server is in use"
	}
	return retention.Span(p.TTL)
}

// keyed tells what the key files add, and which there are.
func (c *lookCall) keyed(there []trove) {
	fmt.Fprint(c.out, "\n2. With the key files too\n\n")
	wrapped(c.out, "  ", c.weeklyKeys())
	said := false
	for _, p := range there {
		if p.Keyed != "" {
			wrapped(c.out, "  ", p.Name+": "+p.Keyed)
			said = true
		}
	}
	if !said {
		fmt.Fprintln(c.out, "  Nothing more.")
	}
}

// weeklyKeys says which weekly keys lie where the settings say.
func (c *lookCall) weeklyKeys() string {
	live, err := keyring.ReadEpochs(c.cfg.EpochKeys, c.now)
	switch {
	case err != nil:
		return fmt.Sprintf("The weekly keys cannot be read here: %v.", err)
	case len(live) == 0:
		return fmt.Sprintf("There are no weekly keys in %s.", c.cfg.EpochKeys)
	}
	return fmt.Sprintf("%d weekly keys are in %s, the oldest of which is destroyed on %s.",
		len(live), c.cfg.EpochKeys, live[len(live)-1].Due().UTC().Format("2 January 2006"))
}

// wide is how long a line of a report is.
const wide = 100

// wrapped writes a text in lines of at most wide characters, each after indent.
func wrapped(w io.Writer, indent, text string) {
	line := indent
	for _, word := range strings.Fields(text) {
		if len(line)+len(word) > wide && line != indent {
			fmt.Fprintln(w, line)
			line = indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	fmt.Fprintln(w, line)
}
