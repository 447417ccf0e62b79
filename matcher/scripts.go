package matcher

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"parley/retention"
)

// The scripts, embedded. common.lua is put before each, match.lua before those that
// read matches.
var (
	//go:embed lua/common.lua
	commonLua string
	//go:embed lua/match.lua
	matchLua string
	//go:embed lua/join.lua
	joinLua string
	//go:embed lua/confirm.lua
	confirmLua string
	//go:embed lua/abort.lua
	abortLua string
	//go:embed lua/leave.lua
	leaveLua string
	//go:embed lua/beat.lua
	beatLua string
	//go:embed lua/sweep.lua
	sweepLua string
)

type scripts struct {
	join, confirm, abort, leave, beat, sweep *redis.Script
}

// load builds the scripts. Tests pass an edit, to see that a broken line is noticed.
func load(edit func(source string) string) scripts {
	build := func(source string) *redis.Script {
		return redis.NewScript(constants() + edit(commonLua+source))
	}
	return scripts{
		join:    build(joinLua),
		confirm: build(matchLua + confirmLua),
		abort:   build(matchLua + abortLua),
		leave:   build(leaveLua),
		beat:    build(beatLua),
		sweep:   build(sweepLua),
	}
}

// constants declares to the scripts what only retention knows: the names and lifetimes of keys.
func constants() string {
	var b strings.Builder
	for _, class := range []retention.Class{
		retention.Ticket, retention.Pool, retention.Match, retention.Lease, retention.Inbox, retention.Waits,
	} {
		params, key := keyExpression(class.Format())
		fmt.Fprintf(&b, "local function %s_key(%s) return %s end\n", class, params, key)
		fmt.Fprintf(&b, "local %s_TTL = '%d'\n", strings.ToUpper(class.String()), class.TTL().Milliseconds())
	}
	fmt.Fprintf(&b, "local TOMBSTONE = '%d'\n", retention.Tombstone.Milliseconds())
	fmt.Fprintf(&b, "local LONGEST = %d\n", retention.LongestWait.Microseconds())
	return b.String()
}

// keyExpression writes a key's format as a function of Lua: "x:%s:%s" as "p1, p2" and
// "'x:' .. p1 .. ':' .. p2". A script does this ten times a call, and formatting is slower.
func keyExpression(format string) (params, key string) {
	literals := strings.Split(format, "%s")
	names, terms := []string{}, []string{fmt.Sprintf("%q", literals[0])}
	for i, literal := range literals[1:] {
		name := fmt.Sprintf("p%d", i+1)
		names, terms = append(names, name), append(terms, name)
		if literal != "" {
			terms = append(terms, fmt.Sprintf("%q", literal))
		}
	}
	return strings.Join(names, ", "), strings.Join(terms, " .. ")
}
