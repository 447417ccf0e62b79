package retention

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// All is the pattern that every key and channel of parley fits, for an access list of Redis.
const All = "parley:*"

// FirstReports is the pattern of the reports of an older parley, for the step that deletes them.
const FirstReports = "parley:{d:*}:report:*"

// catalogue is made once: every key that is built looks into it.
//
//nolint:gochecknoglobals // never changes
var catalogue = sync.OnceValue(Catalogue)

// item returns the catalogue's entry for c; it panics on a class that the catalogue lacks.
func (c Class) item() *Item {
	all := catalogue()
	if c < 0 || int(c) >= len(all) || all[c].Class != c {
		panic(fmt.Sprintf("retention: class %d is not in the catalogue", int(c)))
	}
	return &all[c]
}

// String returns the stable name of the class.
func (c Class) String() string { return c.item().Name }

// TTL returns the longest lifetime of a record of this class. Callers may set a shorter one.
func (c Class) TTL() time.Duration { return c.item().TTL }

// Key builds the key of one record: parts fill the <parts> of the pattern, in order. Parts come
// from parley itself or are checked against a closed set before, never free text from a browser.
// Key panics when their number is wrong or when one holds a character that would break the key.
func (c Class) Key(parts ...string) string {
	var b strings.Builder
	rest := c.item().Pattern
	b.Grow(len(rest) + 16*len(parts))
	for _, p := range parts {
		before, after, found := strings.Cut(rest, "<")
		_, after, closed := strings.Cut(after, ">")
		if !found || !closed || p == "" || strings.ContainsAny(p, ":{}<>*?[]\\ \n") {
			panic(fmt.Sprintf("retention: %q does not fit %s", p, c.item().Pattern))
		}
		b.WriteString(before)
		b.WriteString(p)
		rest = after
	}
	if strings.Contains(rest, "<") {
		panic(fmt.Sprintf("retention: %s wants more parts than %q", c.item().Pattern, parts))
	}
	b.WriteString(rest)
	return b.String()
}

// Format returns the key with %s for each part, for a Lua script that fills the parts in by
// string.format: a script sees tickets that its caller cannot name beforehand.
func (c Class) Format() string {
	var b strings.Builder
	rest := c.item().Pattern
	for {
		before, after, more := strings.Cut(rest, "<")
		b.WriteString(before)
		if !more {
			return b.String()
		}
		b.WriteString("%s")
		_, rest, _ = strings.Cut(after, ">")
	}
}

// ClassOf returns the class of a key; false for one that the catalogue does not know.
func ClassOf(key string) (Class, bool) {
	it := classify(key)
	if it == nil {
		return 0, false
	}
	return it.Class, true
}

// classify returns the item whose pattern key fits, nil for none.
func classify(key string) *Item {
	all := catalogue()
	for i := range all {
		if fits(all[i].Pattern, key) {
			return &all[i]
		}
	}
	return nil
}

// fits tells whether key is pattern with every <part> replaced by characters other than ':{}'.
func fits(pattern, key string) bool {
	for {
		literal, rest, more := strings.Cut(pattern, "<")
		if !strings.HasPrefix(key, literal) {
			return false
		}
		key = key[len(literal):]
		if !more {
			return key == ""
		}
		_, pattern, _ = strings.Cut(rest, ">")
		n := strings.IndexAny(key, ":{}")
		if n < 0 {
			n = len(key)
		}
		if n == 0 {
			return false
		}
		key = key[n:]
	}
}
