package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"parley/retention"
)

const rememberedHelp = `parley remembered prints how much of what parley remembers there is in Redis at the moment, and audits
all of Redis against the list of what it may hold: parley prints nothing else of a record than its key.

  parley remembered [settings]
  --json          answer in JSON
  --pace NUMBER   keys a second of each server that are looked at; 18000 unless told otherwise
  All settings of parley may follow, above all --redis and --config; parley --help lists them.

Exit status: 0 all is as declared; 1 something is not, or Redis cannot be read: each is named in a line;
2 the command line or the configuration is wrong.
`

// classLine is one class as parley remembered prints it.
type classLine struct {
	Class   string `json:"class"`
	Records string `json:"records"`
	Oldest  string `json:"oldest"`
	Lives   string `json:"lives"`
	Bytes   int64  `json:"bytes"`
	Largest int64  `json:"largest"`
	Most    int64  `json:"most"`
}

// faultLine is what is wrong with one key.
type faultLine struct {
	Key  string `json:"key"`
	Says string `json:"says"`
}

func rememberedRun(ctx context.Context, c *lookCall) error {
	census, err := retention.Count(ctx, c.rdb, c.pace)
	if err != nil {
		return fmt.Errorf("redis: %w", c.cfg.Redis.Explain(err))
	}
	faults := []faultLine{}
	for _, f := range census.Faults {
		faults = append(faults, faultLine(f))
	}
	if c.asJSON {
		err = c.sayJSON(map[string]any{"keys": census.Keys, "classes": classLines(census), "faulty": census.Faulty, "faults": faults})
	} else {
		err = printCensus(c.out, census)
	}
	if err == nil && census.Faulty > 0 {
		err = errFound{fmt.Sprintf("%d of %d keys break the catalogue; what is not in it was not written by parley, which needs a Redis, or a database of one, to itself",
			census.Faulty, census.Keys)}
	}
	return err
}

// classLines are all classes that are stored, as operators are told of them.
func classLines(census retention.Census) []classLine {
	var lines []classLine
	for i, it := range retention.Catalogue() {
		if it.Kind == "channel" {
			continue // stores nothing
		}
		t := census.Classes[i]
		l := classLine{Class: it.Name, Records: few(t.Records), Lives: "stays", Bytes: t.Bytes, Largest: t.Largest, Most: it.Size}
		if it.TTL > 0 {
			l.Lives = retention.Span(it.TTL)
			if t.Records >= retention.Floor {
				l.Oldest = retention.Span(t.Oldest)
			}
		}
		lines = append(lines, l)
	}
	return lines
}

// few is a number as operators are told it.
func few(n int) string {
	if n > 0 && n < retention.Floor {
		return fmt.Sprintf("fewer than %d", retention.Floor)
	}
	return fmt.Sprint(n)
}

func printCensus(w io.Writer, census retention.Census) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "class\trecords\tthe oldest at most\teach lives\tbytes\tlargest\tat most")
	for _, l := range classLines(census) {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%d\t%d\n", l.Class, l.Records, l.Oldest, l.Lives, l.Bytes, l.Largest, l.Most)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "%d keys, looked at in %v", census.Keys, census.Took.Round(time.Millisecond))
	if census.Faulty == 0 {
		fmt.Fprint(w, ": each is declared, has an end where one is declared, and is no larger than declared")
	}
	fmt.Fprintln(w)
	for _, f := range census.Faults {
		fmt.Fprintf(w, "%q %s.\n", f.Key, f.Says)
	}
	if more := census.Faulty - len(census.Faults); more > 0 {
		fmt.Fprintf(w, "And %d more.\n", more)
	}
	return nil
}
