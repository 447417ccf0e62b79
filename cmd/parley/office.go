package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os/user"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"parley/internal/keyring"
	"parley/moderation"
	"parley/moderation/office"
)

// actTime is how long one command of an operator may take.
const actTime = time.Minute

// desk is one command of an operator: thresholds, reviews, audit and so on.
type deskCommand struct {
	verbs map[string]func(context.Context, *deskCall) error
	help  string
	// offline are verbs that need no store.
	offline []string
	// only is the verb of a command that has no other, and needs no word for it.
	only string
	// alone are verbs that can do something without the store, if that is embedded in the running parley.
	alone map[string]func(context.Context, *deskCall) error
}

// deskCommands is all that operators can do in the shell. The console does the same by the same
// code.
func deskCommands() map[string]deskCommand {
	return map[string]deskCommand{
		"thresholds": {verbs: thresholdVerbs(), help: thresholdHelp},
		"brigade":    {verbs: brigadeVerbs(), help: brigadeHelp},
		"reviews":    {verbs: reviewVerbs(), help: reviewHelp},
		"matching":   {verbs: matchingVerbs(), help: matchingHelp},
		"audit":      {verbs: auditVerbs(), help: auditHelp, alone: auditAlone()},
		"console":    {verbs: tokenVerbs(), help: tokenHelp, offline: []string{"list"}, alone: tokenVerbs()},
		"relaylog":   {verbs: relayLogVerbs(), help: relayLogHelp, only: "read", alone: relayLogVerbs()},
	}
}

// deskFlags are what follows any of these commands, beside the settings.
type deskFlags struct {
	asJSON, help             bool
	who, reason              string
	preset, policy, revision string
	changes                  []string // name=value
	network, from, to        string
}

// deskCall is one call of a command.
type deskCall struct {
	deskFlags
	words    []string // after the verb
	office   *office.Office
	tokens   *office.Tokens
	trail    *office.Trail
	relayLog string // folder
	out      io.Writer
	now      time.Time
}

// order is what the call orders.
func (c *deskCall) order() office.Order {
	return office.Order{Who: c.who, When: c.now, Reason: c.reason}
}

// say prints v as JSON, or what text prints.
func (c *deskCall) say(v any, text func(io.Writer)) error {
	if !c.asJSON {
		text(c.out)
		return nil
	}
	b, err := json.Marshal(v, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.out, string(b))
	return err
}

// deskRun runs one of the operators' commands and returns the exit status.
func deskRun(args, environ []string, out, errs io.Writer) int {
	command := deskCommands()[args[0]]
	err := command.run(args, environ, out, errs)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return exitDone
	}
	return failed(errs, err)
}

func (command deskCommand) run(args, environ []string, out, errs io.Writer) error {
	c := &deskCall{out: out, now: time.Now()}
	words, rest, err := c.split(args[1:])
	if err != nil {
		return err
	}
	if command.only != "" && !slices.Contains(words, "help") {
		words = append([]string{command.only}, words...)
	}
	if len(words) == 0 || words[0] == "help" || c.help {
		fmt.Fprint(out, command.help, deskTail)
		return flag.ErrHelp
	}
	verb, known := command.verbs[words[0]]
	if !known {
		return usagef("%s: %q is not understood; there are %s", args[0], words[0], strings.Join(sortedVerbs(command.verbs), ", "))
	}
	c.words = words[1:]
	cfg, _, err := load(rest, environ)
	if err != nil {
		return usageError{err.Error()}
	}
	if err := c.sign(); err != nil {
		return err
	}
	c.relayLog = cfg.RelayLogDir
	c.tokens, c.trail = office.NewTokens(cfg.OperatorTokens), office.NewTrail(cfg.Audit)
	if alone := command.alone[words[0]]; alone != nil && cfg.Redis.IsEmbedded() {
		return alone(context.Background(), c)
	}
	if slices.Contains(command.offline, words[0]) {
		return verb(context.Background(), c)
	}
	return c.inOffice(cfg, errs, verb)
}

// inOffice runs a verb that needs the store.
func (c *deskCall) inOffice(cfg config, errs io.Writer, verb func(context.Context, *deskCall) error) error {
	if cfg.Redis.IsEmbedded() {
		return usagef("the store is embedded, so only the running parley has it: use the console there, or name the store with --redis")
	}
	ctx, cancel := context.WithTimeout(context.Background(), actTime)
	defer cancel()
	// That something was done is the answer, and stands in the audit file; that it was taken up is for
	// the logs of nodes. What remains is that something is wrong.
	cfg.LogLevel = max(cfg.LogLevel, slog.LevelWarn)
	log := newLog(cfg, errs)
	cfg.LogLevel = max(cfg.LogLevel, slog.LevelError)
	faults := newLog(cfg, errs)
	h := newHouse()
	defer func() { _ = h.close() }() // a client that cannot be closed ends with the process
	memory, err := openStore(ctx, h, cfg.Redis, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	// What is done here finds records by looking at all of them, and names none: it needs no keys.
	desk := moderation.New(moderation.Config{Redis: memory.rdb, Ring: keyring.New(), Epochs: keyring.NewEpochs(), Log: log})
	c.office = office.New(office.Config{Redis: memory.rdb, Desk: desk, Trail: c.trail, Log: faults})
	return verb(ctx, c)
}

// sign names who acts in the shell, for the audit file. No name of a token has a colon, so that
// nobody who acts in the shell can be taken for somebody who has a token.
func (c *deskCall) sign() error {
	const shell = "shell:"
	name := strings.TrimPrefix(c.who, shell)
	if u, err := user.Current(); name == "" && err == nil {
		name = u.Username
	}
	if len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == ' ' }) {
		return usagef("--as %q: use up to 64 characters, without blanks", name)
	}
	c.who = shell + name
	return nil
}

// split takes the flags of these commands out of args. What is left are words, and settings for
// load.
func (c *deskCall) split(args []string) (words, rest []string, err error) {
	for len(args) > 0 {
		name, value, inline := strings.Cut(strings.TrimLeft(args[0], "-"), "=")
		own, isFlag := c.own(name), strings.HasPrefix(args[0], "-") && name != ""
		switch {
		case !isFlag && len(rest) == 0:
			words, args = append(words, args[0]), args[1:]
		case !isFlag || own == nil:
			n := 1
			if isFlag && !inline && len(args) > 1 && !isSwitch(name) {
				n = 2 // the value of a setting
			}
			rest, args = append(rest, args[:n]...), args[n:]
		case inline || isSwitchOfOurs(name):
			own(value)
			args = args[1:]
		case len(args) == 1:
			return nil, nil, usagef("--%s needs a value", name)
		default:
			own(args[1])
			args = args[2:]
		}
	}
	return words, rest, nil
}

// own returns what takes the value of a flag of these commands, nil for any other flag.
func (c *deskCall) own(name string) func(string) {
	into := map[string]*string{
		"reason": &c.reason, "as": &c.who, "preset": &c.preset, "policy": &c.policy, "revision": &c.revision,
		"network": &c.network, "from": &c.from, "to": &c.to,
	}[name]
	switch {
	case into != nil:
		return func(v string) { *into = v }
	case name == "set":
		return func(v string) { c.changes = append(c.changes, v) }
	case name == "json":
		return func(string) { c.asJSON = true }
	case name == "help", name == "h":
		return func(string) { c.help = true }
	}
	return nil
}

// isSwitchOfOurs tells whether a flag of these commands takes no value.
func isSwitchOfOurs(name string) bool { return name == "json" || name == "help" || name == "h" }

// isSwitch tells whether a setting takes no value of its own.
func isSwitch(name string) bool {
	for _, s := range settings() {
		if s.name == name {
			return s.flag
		}
	}
	return false
}

// deskTail ends the help of each of these commands.
const deskTail = `
  --reason TEXT   why; it stands in the audit file. Every act needs one.
  --as NAME       who acts: shell:NAME in the audit file, and shell:USER unless told otherwise
  --json          answer in JSON
  All settings of parley may follow, above all --redis, --state and --config; parley --help lists them.

Exit status: 0 done; 1 it did not work, or the audit file is not whole; 2 the command line or the
configuration is wrong; 3 another operator was faster and nothing was changed.
`

// noWords refuses words that a verb has no use for.
func (c *deskCall) noWords() error {
	if len(c.words) > 0 {
		return usagef("%q is too much", c.words[0])
	}
	return nil
}

// oneWord returns the one word that a verb wants.
func (c *deskCall) oneWord(what string) (string, error) {
	if len(c.words) != 1 {
		return "", usagef("say %s", what)
	}
	return c.words[0], nil
}

func sortedVerbs(verbs map[string]func(context.Context, *deskCall) error) []string {
	all := map[string]any{}
	for name := range verbs {
		all[name] = nil
	}
	return sorted(all)
}
