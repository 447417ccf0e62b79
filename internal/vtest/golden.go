package vtest

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// LoadGolden puts a dump of an older parley into rdb. Each line of the file is a string, or a field
// of a hash: key, milliseconds that are left, 0 for ever, and values in quotes. It returns when the
// dump was made, and what is in it, key by key.
func LoadGolden(t testing.TB, rdb redis.Cmdable, file string) (made time.Time, held map[string][]string) {
	t.Helper()
	text, err := os.ReadFile(file) //nolint:gosec // a file of the test
	if err != nil {
		t.Fatal(err)
	}
	held = map[string][]string{}
	for line := range strings.Lines(string(text)) {
		if ms, is := strings.CutPrefix(strings.TrimSpace(line), "# made at "); is {
			made = time.UnixMilli(number(t, ms))
			continue
		}
		parts := strings.SplitN(strings.TrimSpace(line), " ", 4)
		key, left, values := parts[1], time.Duration(number(t, parts[2]))*time.Millisecond, unquoted(t, parts[3])
		held[key] = append(held[key], values...)
		if parts[0] == "string" {
			err = rdb.Set(t.Context(), key, values[0], left).Err()
		} else if err = rdb.HSet(t.Context(), key, values[0], values[1]).Err(); err == nil && left > 0 {
			err = rdb.PExpire(t.Context(), key, left).Err()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return made, held
}

func number(t testing.TB, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// unquoted reads values in quotes, with blanks between them.
func unquoted(t testing.TB, text string) (all []string) {
	t.Helper()
	for text != "" {
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil {
			t.Fatal(err)
		}
		value, err := strconv.Unquote(quoted)
		if err != nil {
			t.Fatal(err)
		}
		all, text = append(all, value), strings.TrimSpace(text[len(quoted):])
	}
	return all
}
