package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"parley/moderation/office"
	"parley/moderation/score"
)

const brigadeHelp = `parley brigade takes back the reports of one network within a time.

  parley brigade networks [--from TIME] [--to TIME]     which networks made reports, the most first
  parley brigade preview --network NAME [--from TIME] [--to TIME]
  parley brigade void --network NAME [--from TIME] [--to TIME] --reason TEXT

  TIME is like 2030-01-31T18:00:00Z, or how long ago, like 36h; the last 24 hours unless told otherwise.
  A network has a pseudonym that changes each week.
`

func brigadeVerbs() map[string]func(context.Context, *deskCall) error {
	return map[string]func(context.Context, *deskCall) error{
		"networks": listNetworks, "preview": previewBrigade, "void": voidBrigade,
	}
}

// span returns the time that the command line names.
func (c *deskCall) span() (office.Span, error) {
	from, err := c.timeOf(c.from, 24*time.Hour)
	if err != nil {
		return office.Span{}, err
	}
	to, err := c.timeOf(c.to, -time.Hour)
	return office.Span{Network: c.network, From: from, To: to}, err
}

func (c *deskCall) timeOf(text string, ago time.Duration) (time.Time, error) {
	if text == "" {
		return c.now.Add(-ago), nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return c.now.Add(-d), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, usagef("%q is no time: say 2030-01-31T18:00:00Z, or 36h for so long ago", text)
	}
	return at, nil
}

type networkLine struct {
	Name    string       `json:"name"`
	Reports office.Count `json:"reports"`
	Targets office.Count `json:"targets"`
	First   time.Time    `json:"first"`
	Last    time.Time    `json:"last"`
}

func listNetworks(ctx context.Context, c *deskCall) error {
	if err := c.noWords(); err != nil {
		return err
	}
	s, err := c.span()
	if err != nil {
		return err
	}
	all, err := c.office.Networks(ctx, s.From, s.To, c.now)
	if err != nil {
		return err
	}
	lines := []networkLine{}
	for _, n := range all {
		lines = append(lines, networkLine{n.Name, office.Few(n.Reports), office.Few(n.Targets), n.First, n.Last})
	}
	return c.say(lines, func(w io.Writer) {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "network\treports\ttargets\tfirst\tlast")
		for _, l := range lines {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", l.Name, l.Reports, l.Targets, l.First.Format(time.RFC3339), l.Last.Format(time.RFC3339))
		}
		_ = t.Flush() // a terminal that went away
	})
}

func previewBrigade(ctx context.Context, c *deskCall) error {
	s, err := c.network1()
	if err != nil {
		return err
	}
	p, err := c.office.PreviewVoid(ctx, s, c.now)
	if err != nil {
		return err
	}
	public := p.Public()
	return c.say(public, func(w io.Writer) {
		fmt.Fprintf(w, "%s reports on %s records would be taken back\n", public.Reports, public.Targets)
		for from, row := range public.Bands {
			for to, n := range row {
				if from != to && n.N > 0 {
					fmt.Fprintf(w, "%s records from %s to %s\n", n, score.Band(from), score.Band(to))
				}
			}
		}
	})
}

// network1 is the span of one network.
func (c *deskCall) network1() (office.Span, error) {
	if err := c.noWords(); err != nil {
		return office.Span{}, err
	}
	if c.network == "" {
		return office.Span{}, usagef("say --network NAME, as parley brigade networks lists it")
	}
	return c.span()
}

func voidBrigade(ctx context.Context, c *deskCall) error {
	s, err := c.network1()
	if err != nil {
		return err
	}
	n, err := c.office.Void(ctx, s, c.order())
	if err != nil {
		return err
	}
	return c.say(map[string]int{"voided": n}, func(w io.Writer) { fmt.Fprintf(w, "%d reports were taken back\n", n) })
}
