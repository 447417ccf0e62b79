package matcher

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"parley/retention"
)

// The scripts, embedded. common.lua is put before each; ticket.lua and match.lua before those that
// read tickets or matches.
var (
	//go:embed lua/common.lua
	commonLua string
	//go:embed lua/ticket.lua
	ticketLua string
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
		join:    build(ticketLua + joinLua),
		confirm: build(matchLua + confirmLua),
		abort:   build(matchLua + abortLua),
		leave:   build(ticketLua + leaveLua),
		beat:    build(beatLua),
		sweep:   build(ticketLua + sweepLua),
	}
}

// constants declares to the scripts what only retention knows: the names and lifetimes of keys.
func constants() string {
	var b strings.Builder
	for _, class := range []retention.Class{
		retention.Ticket, retention.Pool, retention.Match, retention.Lease, retention.Inbox, retention.Waits,
	} {
		name := strings.ToUpper(class.String())
		fmt.Fprintf(&b, "local %s_KEY = %q\n", name, beginning(class))
		fmt.Fprintf(&b, "local %s_TTL = '%d'\n", name, class.TTL().Milliseconds())
	}
	fmt.Fprintf(&b, "local TOMBSTONE = '%d'\n", retention.Tombstone.Milliseconds())
	fmt.Fprintf(&b, "local LONGEST = %d\n", retention.LongestWait.Microseconds())
	return b.String()
}

// beginning returns what all keys of a class begin with. Records of the scripts hold only the rest.
func beginning(class retention.Class) string {
	literal, _, _ := strings.Cut(class.Format(), "%s")
	return literal
}
