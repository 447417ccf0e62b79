package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"parley/moderation"
	"parley/moderation/office"
)

const hoursHelp = `parley hours prints how many calls ended in each hour, by how long they lasted. That is kept for 400 days;
of a finished call nothing else is. A number below ten is told as "fewer than 10", and there is no total, from
which it could be worked out.

  parley hours [settings]
  --days NUMBER   how many days back, 1 to 400; 2 unless told otherwise
  --csv           as comma-separated values, for a spreadsheet
  --json          in JSON
  All settings of parley may follow, above all --redis and --config; parley --help lists them.
`

func hoursRun(ctx context.Context, c *lookCall) error {
	hours, err := office.New(office.Config{Redis: c.rdb}).Hours(ctx, c.now, 24*c.days)
	if err != nil {
		return c.cfg.Redis.Explain(err)
	}
	told := office.Told(hours)
	switch {
	case c.asCSV:
		return office.WriteHours(c.out, told)
	case c.asJSON:
		return c.sayJSON(hourObjects(told))
	case len(told) == 0:
		_, err = fmt.Fprintf(c.out, "no call has ended in the last %d hours\n", 24*c.days)
		return err
	}
	return printHours(c.out, told)
}

func hourObjects(told []office.PublicHour) []map[string]any {
	all := []map[string]any{}
	for _, h := range told {
		one := map[string]any{"hour": h.Begins}
		for class, name := range moderation.Lengths() {
			one[name] = h.Calls[class]
		}
		all = append(all, one)
	}
	return all
}

func printHours(w io.Writer, told []office.PublicHour) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "hour (UTC)\tunder 10 s\tunder 1 min\tunder 10 min\tlonger")
	for _, h := range told {
		fmt.Fprint(table, h.Begins.Format("2006-01-02 15:04"))
		for _, n := range h.Calls {
			fmt.Fprintf(table, "\t%s", n)
		}
		fmt.Fprintln(table)
	}
	return table.Flush()
}
