package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"
	"unicode"

	"github.com/BurntSushi/toml"

	"parley/web"
)

const (
	// mostProcessors is how many entries the file may have, and processorsSize how long it may be.
	mostProcessors = 200
	processorsSize = 256 << 10
	// processorText is how long a text in it may be.
	processorText = 500
)

// processorEntry is one [[processor]] of the file.
type processorEntry struct {
	Name  string     `toml:"name"`
	Does  string     `toml:"does"`
	Sees  string     `toml:"sees"`
	Where string     `toml:"where"`
	Link  string     `toml:"link"`
	Since *time.Time `toml:"since"`
	Until *time.Time `toml:"until"`
}

// readProcessors reads the file of those who touch data besides whoever runs the server. An error
// names the line and the key.
func readProcessors(file string) ([]web.Processor, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, processorsSize+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if len(text) > processorsSize {
		return nil, fmt.Errorf("%s is longer than %d bytes", file, processorsSize)
	}
	all, err := parseProcessors(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s, %w", file, err)
	}
	return all, nil
}

// parseProcessors reads the text of the file.
func parseProcessors(text string) ([]web.Processor, error) {
	var file struct {
		Processor []processorEntry `toml:"processor"`
	}
	meta, err := toml.Decode(text, &file)
	if syntax, ok := errors.AsType[toml.ParseError](err); ok {
		return nil, fmt.Errorf("line %d: %s%s", syntax.Position.Line, lastKey(syntax.LastKey), syntax.Message)
	}
	if err != nil {
		return nil, fmt.Errorf("line 1: %w", err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		key := unknown[0][len(unknown[0])-1]
		return nil, fmt.Errorf("line %d: %s: there is no such key; an entry begins with [[processor]] and has name, does, sees, since, and perhaps where, link, until",
			firstLine(text, key), key)
	}
	if len(file.Processor) > mostProcessors {
		return nil, fmt.Errorf("line 1: processor: there are %d entries, more than %d", len(file.Processor), mostProcessors)
	}
	var all []web.Processor
	for i, e := range file.Processor {
		if key, says := e.fault(); key != "" {
			return nil, fmt.Errorf("line %d: %s: %s", lineOf(text, i, key), key, says)
		}
		p := web.Processor{Name: e.Name, Does: e.Does, Sees: e.Sees, Where: e.Where, Link: e.Link, Since: dayOf(*e.Since)}
		if e.Until != nil {
			p.Until = dayOf(*e.Until)
		}
		all = append(all, p)
	}
	return all, nil
}

// lastKey names the key at which a text could not be read.
func lastKey(key string) string {
	if key = strings.TrimPrefix(key, "processor."); key == "" {
		return ""
	}
	return key + ": "
}

// fault returns a key of the entry that is wrong, and why; "" if none is.
func (e processorEntry) fault() (key, says string) {
	for _, t := range []struct {
		key, text string
		must      bool
	}{{"name", e.Name, true}, {"does", e.Does, true}, {"sees", e.Sees, true}, {"where", e.Where, false}, {"link", e.Link, false}} {
		switch {
		case t.must && strings.TrimSpace(t.text) == "":
			return t.key, "is missing: say it in a few words"
		case len(t.text) > processorText:
			return t.key, fmt.Sprintf("is longer than %d bytes", processorText)
		case strings.ContainsFunc(t.text, unicode.IsControl):
			return t.key, "has a line break or another character that cannot be printed"
		}
	}
	if u, err := url.Parse(e.Link); e.Link != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
		return "link", fmt.Sprintf("%q is not a page like https://example.org/privacy", e.Link)
	}
	switch {
	case e.Since == nil:
		return "since", "is missing: say the day from which they touch data, like 2026-03-01"
	case e.Until != nil && !dayOf(*e.Until).After(dayOf(*e.Since)):
		return "until", "is not after since"
	}
	return "", ""
}

// dayOf is the day that a date of the file names, wherever the machine is.
func dayOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
}

var (
	entryHead = regexp.MustCompile(`^\s*\[\[\s*processor\s*\]\]`)
	keyHead   = regexp.MustCompile(`^\s*["']?([\w-]+)["']?\s*=`)
)

// lineOf is the line of a key in the entry with that number, or of the entry if it lacks the key.
func lineOf(text string, entry int, key string) int {
	at, head := -1, 1
	for i, line := range strings.Split(text, "\n") {
		if entryHead.MatchString(line) {
			if at++; at == entry {
				head = i + 1
			}
		}
		if m := keyHead.FindStringSubmatch(line); at == entry && m != nil && m[1] == key {
			return i + 1
		}
	}
	return head
}

// firstLine is the first line with that key, or section.
func firstLine(text, key string) int {
	for i, line := range strings.Split(text, "\n") {
		m := keyHead.FindStringSubmatch(line)
		if m != nil && m[1] == key || strings.HasPrefix(strings.Trim(line, "[ "), key) && strings.HasPrefix(strings.TrimSpace(line), "[") {
			return i + 1
		}
	}
	return 1
}
