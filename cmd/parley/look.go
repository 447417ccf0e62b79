package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/redis/go-redis/v9"

	"parley/retention"
)

// lookCommand is a command that looks at something and changes nothing.
type lookCommand struct {
	run   func(context.Context, *lookCall) error
	help  string
	own   []string // flags of its own, beside the settings
	store bool     // whether it looks at Redis
}

// lookCommands is the table of them.
func lookCommands() map[string]lookCommand {
	return map[string]lookCommand{
		"remembered": {rememberedRun, rememberedHelp, []string{"json", "pace"}, true},
		"breach":     {breachRun, breachHelp, []string{"pace"}, true},
		"hours":      {hoursRun, hoursHelp, []string{"csv", "json", "days"}, true},
		"hashes":     {hashesRun, hashesHelp, []string{"from"}, false},
	}
}

// lookCall is one call of such a command.
type lookCall struct {
	cfg           config
	rdb           redis.UniversalClient // of a command that looks at Redis
	out           io.Writer
	now           time.Time
	asJSON, asCSV bool
	pace, days    int
	from          string
}

// errFound says that a look has found something wrong and has told of it.
type errFound struct{ says string }

func (e errFound) Error() string { return e.says }

// lookRun runs one of these commands and returns the exit status.
func lookRun(args, environ []string, out, errs io.Writer) int {
	command := lookCommands()[args[0]]
	c := &lookCall{out: out, now: time.Now(), pace: retention.CountPace, days: 2}
	rest, err := c.take(args[1:], command.own)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(out, command.help)
		return exitDone
	}
	if err == nil {
		var l *layers
		if c.cfg, l, err = load(rest, environ); err == nil && l.command != "" {
			err = fmt.Errorf("%s: %q is too much", args[0], l.command)
		}
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(out, command.help)
			return exitDone
		}
	}
	if err != nil {
		sayAll(errs, err)
		return exitUsage
	}
	if err := command.in(context.Background(), c); err != nil {
		return failed(errs, err)
	}
	return exitDone
}

// in runs the command, with the store if it looks at that.
func (command lookCommand) in(ctx context.Context, c *lookCall) error {
	if !command.store {
		return command.run(ctx, c)
	}
	if c.cfg.Redis.IsEmbedded() {
		return usagef("the store is embedded, so only the running parley has it: look at /privacy/now and the console there, or name the store with --redis")
	}
	h := newHouse()
	defer func() { _ = h.close() }() // a client that cannot be closed ends with the process
	memory, err := openStore(ctx, h, c.cfg.Redis, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	c.rdb = memory.rdb
	return command.run(ctx, c)
}

// take takes the flags of the command out of args and returns what is left, which are settings.
func (c *lookCall) take(args, own []string) (rest []string, err error) {
	for len(args) > 0 {
		name, value, inline := strings.Cut(strings.TrimLeft(args[0], "-"), "=")
		isFlag := strings.HasPrefix(args[0], "-")
		switch {
		case args[0] == "help", isFlag && (name == "help" || name == "h"):
			return nil, flag.ErrHelp
		case !isFlag || !slices.Contains(own, name):
			rest, args = append(rest, args[0]), args[1:]
			continue
		case name != "json" && name != "csv" && !inline:
			if len(args) == 1 {
				return nil, fmt.Errorf("--%s needs a value", name)
			}
			value, args = args[1], args[1:]
		}
		args = args[1:]
		if err := c.set(name, value); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

func (c *lookCall) set(name, value string) (err error) {
	switch name {
	case "json":
		c.asJSON = true
	case "csv":
		c.asCSV = true
	case "from":
		c.from = value
	case "days":
		if c.days, err = strconv.Atoi(value); err != nil || c.days < 1 || c.days > 400 {
			return fmt.Errorf("--days %s: say a number from 1 to 400", value)
		}
	case "pace":
		if c.pace, err = strconv.Atoi(value); err != nil || c.pace < 1 {
			return fmt.Errorf("--pace %s: say how many keys a second may be looked at, for example %d", value, retention.CountPace)
		}
	}
	return nil
}

// sayJSON prints v.
func (c *lookCall) sayJSON(v any) error {
	b, err := json.Marshal(v, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.out, string(b))
	return err
}
