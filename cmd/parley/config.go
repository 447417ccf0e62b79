package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"parley/internal/store"
)

// given is one value before it is checked, and where it came from.
type given struct{ value, from string }

// layers holds every setting by name. Later layers replace what earlier ones gave.
type layers struct {
	table   []setting
	command string // the word among the flags, "" for none
	values  map[string]given
	faults  []error // all of them, so that the operator mends the configuration once
}

// load reads defaults < file < environment < flags and returns the checked configuration. Every
// fault is in the error, one sentence each.
func load(args, environ []string) (config, *layers, error) {
	l := &layers{table: settings(), values: map[string]given{}}
	flags, file, err := l.parseFlags(args)
	if err != nil {
		return config{}, l, err
	}
	if file != "" {
		l.readFile(file)
	}
	l.readEnviron(environ)
	for name, value := range flags {
		l.values[name] = given{value, "flag --" + name}
	}
	cfg := l.check()
	return cfg, l, errors.Join(l.faults...)
}

func (l *layers) fault(format string, args ...any) {
	l.faults = append(l.faults, fmt.Errorf(format, args...))
}

// find returns the setting of that name.
func (l *layers) find(name string) (setting, bool) {
	i := slices.IndexFunc(l.table, func(s setting) bool { return s.name == name })
	if i < 0 {
		return setting{}, false
	}
	return l.table[i], true
}

// check reads every value and fills in defaults that follow from others.
func (l *layers) check() config {
	var cfg config
	for _, s := range l.table {
		g, ok := l.values[s.name]
		switch {
		case !ok && s.derive != nil && len(l.faults) > 0:
			continue // what it follows from may be at fault, and is named
		case !ok && s.derive != nil:
			g = given{s.derive(cfg), "default"}
		case !ok:
			g = given{s.value, "default"}
		}
		l.values[s.name] = g
		if err := s.read(&cfg, g.value); err != nil {
			l.fault("%s (%s): %w", s.name, g.from, err)
		}
	}
	l.checkTogether(cfg)
	return cfg
}

// checkTogether finds what is wrong only in combination.
func (l *layers) checkTogether(cfg config) {
	if len(l.faults) > 0 {
		return // would only repeat them
	}
	l.checkPorts(cfg)
	l.checkTLS(cfg)
	l.checkAuthority(cfg)
	l.checkAddresses(cfg)
	at := cfg.RelayListen.Addr().Unmap()
	switch {
	case at.Is6() && !at.IsUnspecified():
		l.fault("relay-listen: the relay speaks IPv4, and %s is not: say an IPv4 address of this machine, or 0.0.0.0:%d for all", cfg.RelayListen, cfg.RelayListen.Port())
	case cfg.RelayExternal == (external{}) && at.IsUnspecified():
		l.fault("relay-external: say under which IPv4 address browsers reach the relay, or auto; relay-listen (%s) does not tell", cfg.RelayListen)
	case cfg.RelayExternal.v6.IsValid() && at.Is4():
		l.fault("relay-external: browsers that come to %s find nobody, as relay-listen is %s: set that to [::]:%d", cfg.RelayExternal.v6, cfg.RelayListen, cfg.RelayListen.Port())
	default:
		l.checkReach(cfg)
	}
}

// checkPorts finds a port that parley would take twice.
func (l *layers) checkPorts(cfg config) {
	all := []struct{ name, at string }{
		{"listen", cfg.Listen}, {"operator-listen", cfg.OperatorListen}, {"relay-listen", cfg.RelayListen.String()},
	}
	for _, at := range cfg.RelayAlso {
		all = append(all, struct{ name, at string }{"relay-listen", at.String()})
	}
	if cfg.RelayTLS.IsValid() {
		all = append(all, struct{ name, at string }{"relay-tls-listen", cfg.RelayTLS.String()})
	}
	if cfg.Redirect != "" {
		all = append(all, struct{ name, at string }{"redirect-listen", cfg.Redirect})
	}
	for i, one := range all {
		for _, before := range all[:i] {
			if overlap(before.at, one.at) {
				l.fault("%s: %s has that port already (%s): choose another with --%s", one.name, before.name, before.at, one.name)
				return
			}
		}
	}
}

// overlap tells whether two places to listen at are one: the same port on the same address, or on
// all of them.
func overlap(a, b string) bool {
	hostA, portA, errA := net.SplitHostPort(a)
	hostB, portB, errB := net.SplitHostPort(b)
	if errA != nil || errB != nil || portA != portB || portA == "0" {
		return false
	}
	return bound(hostA) == bound(hostB) || bound(hostA) == "" || bound(hostB) == ""
}

// bound is the address that a host to listen at stands for, "" for all.
func bound(host string) string {
	switch host {
	case "", "0.0.0.0", "::":
		return ""
	case "localhost":
		return "127.0.0.1"
	}
	return host
}

// checkReach finds a page for others with a relay that only this machine reaches: everything would
// seem to work, and no call would ever connect.
func (l *layers) checkReach(cfg config) {
	if cfg.RelayExternal != (external{}) || !cfg.RelayListen.Addr().Unmap().IsLoopback() {
		return
	}
	for _, at := range cfg.PublicURL {
		if !onlyHere(at) {
			l.fault("relay-listen: browsers that open %s cannot reach the relay at %s, so no call would connect; "+
				"set it to an address that they reach, or set relay-external", at, cfg.RelayListen)
			return
		}
	}
}

// parseFlags returns the flags that were given, by name, and the configuration file's path.
func (l *layers) parseFlags(args []string) (flags map[string]string, file string, err error) {
	set := flag.NewFlagSet("parley", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&file, "config", "", "")
	flags = map[string]string{}
	for _, s := range l.table {
		keep := func(v string) error { flags[s.name] = v; return nil }
		if s.flag {
			set.BoolFunc(s.name, s.says, keep)
		} else {
			set.Func(s.name, s.says, keep)
		}
	}
	for err = set.Parse(args); err == nil && set.NArg() > 0; err = set.Parse(set.Args()[1:]) {
		if l.command != "" {
			return nil, "", fmt.Errorf("%q is too much after %s%s", set.Arg(0), l.command, switchHint(set.Arg(0)))
		}
		l.command = set.Arg(0)
	}
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil, "", err
	case err != nil:
		return nil, "", l.unknownFlag(err)
	}
	return flags, file, nil
}

// switchHint explains a word that was meant as the value of a switch.
func switchHint(word string) string {
	if word != "true" && word != "false" {
		return ""
	}
	return "; a switch takes its value with =, like --relay-allow-loopback=" + word
}

// unknownFlag turns the flag package's error into ours, with a suggestion.
func (l *layers) unknownFlag(err error) error {
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		return fmt.Errorf("%w; see parley --help", err)
	}
	return fmt.Errorf("there is no flag --%s%s", strings.TrimLeft(name, "-"), l.suggest(name, "--"))
}

// readFile reads a TOML file of flat keys, named like the flags.
func (l *layers) readFile(file string) {
	var values map[string]any
	if _, err := toml.DecodeFile(file, &values); err != nil {
		if syntax, ok := errors.AsType[toml.ParseError](err); ok {
			l.fault("config file %s, line %d: %s", file, syntax.Position.Line, syntax.Message)
			return
		}
		l.fault("config file: %w", err)
		return
	}
	for _, name := range sorted(values) {
		if section, is := values[name].(map[string]any); is {
			l.faultSection(file, name, section)
			continue
		}
		s, known := l.find(name)
		if !known {
			l.fault("config file %s: there is no setting %q%s", file, name, l.suggest(name, ""))
			continue
		}
		v, err := text(values[name])
		if err != nil {
			l.fault("config file %s: %s: %w", file, s.name, err)
			continue
		}
		l.values[name] = given{v, "file " + file}
	}
}

// faultSection refuses [name], with the settings that were probably meant.
func (l *layers) faultSection(file, name string, section map[string]any) {
	for _, key := range sorted(section) {
		if s, known := l.find(name + "-" + key); known {
			l.fault("config file %s: settings stand in no section: write %s = ... above [%s]", file, s.name, name)
			return
		}
	}
	l.fault("config file %s: settings stand in no section: write each by its whole name above [%s]", file, name)
}

// text turns a TOML value into what the flag would be given.
func text(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case []any:
		parts := make([]string, len(v))
		for i, one := range v {
			s, ok := one.(string)
			if !ok {
				return "", errors.New("a list holds texts in quotes")
			}
			parts[i] = s
		}
		return strings.Join(parts, ","), nil
	}
	return "", errors.New("say a text in quotes, a list of them, or true or false")
}

// forTests are variables that parley's own tests read; a server started by them must not stumble.
func forTests(name, value string) bool {
	all := []string{
		"PARLEY_E2E", "PARLEY_BROWSER", "PARLEY_NIGHTLY", "PARLEY_SCREENS", "PARLEY_PROXIES", "PARLEY_ACME", "PARLEY_SYSTEMD", "PARLEY_COMPOSE",
		"PARLEY_ENGINE", "PARLEY_REDIS_PROGRAM",
	}
	return slices.Contains(all, name) || name == "PARLEY_REDIS" && value == "require"
}

// readEnviron reads PARLEY_NAME, and PARLEY_NAME_FILE for secrets.
func (l *layers) readEnviron(environ []string) {
	for _, line := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(line, "=")
		rest, ours := strings.CutPrefix(name, "PARLEY_")
		if !ours || forTests(name, value) {
			continue
		}
		key := strings.ReplaceAll(strings.ToLower(rest), "_", "-")
		if _, known := l.find(key); known {
			l.values[key] = given{value, "environment " + name}
			continue
		}
		if base, isFile := strings.CutSuffix(key, "-file"); isFile && l.readSecret(base, name, value) {
			continue
		}
		l.fault("environment: there is no setting %s%s", name, l.suggest(key, "PARLEY_"))
	}
}

// readSecret reads the file that PARLEY_NAME_FILE points to; it returns false if NAME is no secret.
func (l *layers) readSecret(base, name, file string) bool {
	s, known := l.find(base)
	if !known || s.hide == nil {
		return false
	}
	if g, twice := l.values[base]; twice && strings.HasPrefix(g.from, "environment ") {
		l.fault("environment: set %s or %s, not both", strings.TrimSuffix(name, "_FILE"), name)
		return true
	}
	body, err := os.ReadFile(file) //nolint:gosec // the operator names the file
	if err != nil {
		l.fault("environment %s: %w", name, err)
		return true
	}
	l.values[base] = given{strings.TrimSpace(string(body)), "environment " + name}
	return true
}

// suggest returns "; did you mean X?" when a setting has nearly that name.
func (l *layers) suggest(name, prefix string) string {
	name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	best, bestAt := "", 4 // more than three typos are another word
	for _, s := range l.table {
		if d := distance(name, s.name); d < bestAt {
			best, bestAt = s.name, d
		}
	}
	switch {
	case best == "":
		return "; parley --help lists all"
	case prefix == "PARLEY_":
		best = variable(best)
	default:
		best = prefix + best
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

// variable is the environment variable of a setting.
func variable(name string) string {
	return "PARLEY_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// distance is how many letters must be put in, taken out or changed (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

func sorted(m map[string]any) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// print writes every value with where it came from, as a file that --config accepts. A secret is
// left out, and the line with it, so that nobody takes what is shown for the value.
func (l *layers) print(w io.Writer) error {
	for _, s := range l.table {
		g := l.values[s.name]
		line := fmt.Sprintf("%-21s= %-34q # %s", s.name, g.value, g.from)
		if s.flag {
			line = fmt.Sprintf("%-21s= %-34s # %s", s.name, g.value, g.from)
		}
		if shown, hidden := s.shown(g.value); hidden {
			line = fmt.Sprintf("# %s is %s that is not shown; it comes from %s", s.name, shown, g.from)
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

// shown is what may be shown of a value, and whether that is less than all.
func (s setting) shown(value string) (shown string, hidden bool) {
	if s.hide == nil {
		return value, false
	}
	return s.hide(value)
}

// hideStore shows where a store is.
func hideStore(v string) (shown string, hidden bool) {
	where, err := store.Parse(v)
	if err != nil {
		return "", true
	}
	return where.String() + " with a user or password", where.HasSecret()
}
