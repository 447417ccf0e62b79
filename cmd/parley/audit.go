package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"parley/moderation/office"
)

const auditHelp = `parley audit checks and shows the file of what operators did.

  parley audit verify                 is every line as it was written, and none missing? exit 1 names the first that is not
  parley audit show                   the newest lines
  parley audit begin --reason TEXT    put a file aside that is broken or lost its end, and begin another
`

func auditVerbs() map[string]func(context.Context, *deskCall) error {
	return map[string]func(context.Context, *deskCall) error{"verify": verifyAudit, "show": showAudit, "begin": beginAudit}
}

func verifyAudit(ctx context.Context, c *deskCall) error {
	if err := c.noWords(); err != nil {
		return err
	}
	head, err := c.office.Verify(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", c.office.TrailPath(), err)
	}
	return c.say(head, func(w io.Writer) {
		fmt.Fprintf(w, "%s is whole: %d lines", c.office.TrailPath(), head.Seq)
		if head.Seq > 0 {
			fmt.Fprintf(w, ", the last with hash %s", head.Hash)
		}
		fmt.Fprintln(w)
	})
}

// auditAlone is what can be said of the file by itself.
func auditAlone() map[string]func(context.Context, *deskCall) error {
	return map[string]func(context.Context, *deskCall) error{"verify": verifyFile, "show": showFile}
}

func verifyFile(_ context.Context, c *deskCall) error {
	if err := c.noWords(); err != nil {
		return err
	}
	head, err := c.trail.Verify(office.Anchor{})
	if err != nil {
		return fmt.Errorf("%s: %w", c.trail.Path(), err)
	}
	return c.say(head, func(w io.Writer) {
		fmt.Fprintf(w, "%s is whole in itself: %d lines; whether some are missing at its end, the console of the running parley says\n", c.trail.Path(), head.Seq)
	})
}

func showFile(_ context.Context, c *deskCall) error {
	return c.showLines(c.trail.Last(auditLines))
}

// auditLines is how many lines parley audit show prints.
const auditLines = 50

func showAudit(ctx context.Context, c *deskCall) error {
	return c.showLines(c.office.History(ctx, auditLines))
}

// showLines prints lines of the trail, and what is wrong with it.
func (c *deskCall) showLines(lines []office.Line, broken error) error {
	if err := c.noWords(); err != nil {
		return err
	}
	if lines == nil {
		lines = []office.Line{}
	}
	err := c.say(lines, func(w io.Writer) {
		for _, l := range lines {
			fmt.Fprintf(w, "%d  %s  %s  %s: %s\n", l.Seq, l.When.Format("2006-01-02 15:04"), l.Who, l.Act, l.Reason)
			if len(l.New) > 0 {
				fmt.Fprintf(w, "      %s\n", l.New)
			}
		}
	})
	if broken != nil {
		broken = fmt.Errorf("%s: %w", c.trail.Path(), broken)
	}
	return errors.Join(err, broken)
}

func beginAudit(ctx context.Context, c *deskCall) error {
	if err := c.noWords(); err != nil {
		return err
	}
	aside, err := c.office.Begin(ctx, c.order())
	if err != nil {
		return err
	}
	return c.say(map[string]string{"aside": aside}, func(w io.Writer) {
		if aside != "" {
			fmt.Fprintf(w, "the old file is %s now; keep it\n", aside)
		}
		fmt.Fprintf(w, "%s begins anew\n", c.office.TrailPath())
	})
}

const matchingHelp = `parley matching pauses matching on all nodes, or lets it go on.

  parley matching pause --reason TEXT    searches wait with a message; calls go on
  parley matching resume --reason TEXT
`

func matchingVerbs() map[string]func(context.Context, *deskCall) error {
	set := func(paused bool, says string) func(context.Context, *deskCall) error {
		return func(ctx context.Context, c *deskCall) error {
			if err := c.noWords(); err != nil {
				return err
			}
			if err := c.office.SetPause(ctx, paused, c.order()); err != nil {
				return err
			}
			return c.say(map[string]bool{"paused": paused}, func(w io.Writer) { fmt.Fprintln(w, says) })
		}
	}
	return map[string]func(context.Context, *deskCall) error{
		"pause":  set(true, "matching is paused; every node takes it up within seconds"),
		"resume": set(false, "matching goes on; every node takes it up within seconds"),
	}
}
