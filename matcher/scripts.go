package matcher

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"parley/retention"
)

// The scripts, embedded. common.lua is put before each of the others.
var (
	//go:embed lua/common.lua
	commonLua string
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
		confirm: build(confirmLua),
		abort:   build(abortLua),
		leave:   build(leaveLua),
		beat:    build(beatLua),
		sweep:   build(sweepLua),
	}
}

// constants declares to the scripts what only retention knows: the names and lifetimes of keys.
func constants() string {
	var b strings.Builder
	for name, class := range map[string]retention.Class{
		"TICKET": retention.Ticket, "POOL": retention.Pool, "MATCH": retention.Match,
		"INBOX": retention.Inbox, "WAITS": retention.Waits, "LEASES": retention.Lease,
	} {
		fmt.Fprintf(&b, "local %s, %s_TTL = %q, %d\n", name, name, class.Format(), class.TTL().Milliseconds())
	}
	fmt.Fprintf(&b, "local TOMBSTONE_TTL = %d\n", retention.Tombstone.Milliseconds())
	fmt.Fprintf(&b, "local LONGEST = %d\n", retention.LongestWait.Microseconds())
	return b.String()
}
