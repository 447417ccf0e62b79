package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// given is one value before it is checked, and where it came from.
type given struct{ value, from string }

// layers holds every setting by name. Later layers replace what earlier ones gave.
type layers struct {
	table  []setting
	values map[string]given
	faults []error // all of them, so that the operator mends the configuration once
}

// load reads defaults < file < environment < flags and returns the checked configuration. Every
// fault is in the error, one sentence each.
func load(args, environ []string) (config, *layers, error) {
	l := &layers{table: settings(), values: map[string]given{}}
	flags, file, err := l.parseFlags(args)
	if err != nil {
		return config{}, nil, err
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
	if _, port, err := net.SplitHostPort(cfg.Listen); err == nil && port != "0" && cfg.Listen == cfg.OperatorListen {
		l.fault("operator-listen: it is the same as listen (%s); visitors must not see it", cfg.Listen)
	}
	if at := cfg.RelayListen.Addr(); !cfg.RelayExternal.IsValid() && (at.IsUnspecified() || !at.Unmap().Is4()) {
		l.fault("relay-external: say under which IPv4 address browsers reach the relay; relay-listen (%s) does not tell", cfg.RelayListen)
		return
	}
	l.checkReach(cfg)
}

// checkReach finds a page for others with a relay that only this machine reaches: everything would
// seem to work, and no call would ever connect.
func (l *layers) checkReach(cfg config) {
	if cfg.RelayExternal.IsValid() || !cfg.RelayListen.Addr().Unmap().IsLoopback() {
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
	err = set.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil, "", err
	case err != nil:
		return nil, "", l.unknownFlag(err)
	case set.NArg() > 0:
		return nil, "", fmt.Errorf("%q is not a command of parley; see parley --help", set.Arg(0))
	}
	return flags, file, nil
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
	return slices.Contains([]string{"PARLEY_E2E", "PARLEY_BROWSER", "PARLEY_NIGHTLY", "PARLEY_SCREENS"}, name) || name == "PARLEY_REDIS" && value == "require"
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
	if !known || !s.secret {
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

// print writes every value with where it came from, as a file that --config accepts.
func (l *layers) print(w io.Writer) error {
	for _, s := range l.table {
		g := l.values[s.name]
		shown := strconv.Quote(g.value)
		switch {
		case s.secret:
			shown = strconv.Quote(redacted(g.value))
		case s.flag:
			shown = g.value
		}
		if _, err := fmt.Fprintf(w, "%-21s= %-34s # %s\n", s.name, shown, g.from); err != nil {
			return err
		}
	}
	return nil
}

// redacted hides user and password of a URL.
func redacted(v string) string {
	u, err := url.Parse(v)
	if err != nil {
		return "not shown"
	}
	if u.User != nil {
		u.User = url.User("...")
	}
	if u.RawQuery != "" {
		u.RawQuery = "..."
	}
	return u.String()
}
