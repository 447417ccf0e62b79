package matcher

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/retention"
)

// The scripts, embedded. common.lua is put before each; ticket.lua, match.lua and waits.lua before
// those that read tickets or matches or end a search.
var (
	//go:embed lua/common.lua
	commonLua string
	//go:embed lua/ticket.lua
	ticketLua string
	//go:embed lua/match.lua
	matchLua string
	//go:embed lua/waits.lua
	waitsLua string
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

// load builds the scripts for a time to confirm. Tests pass an edit, to see that a broken line is
// noticed.
func load(offer time.Duration, edit func(source string) string) scripts {
	constants := constants(offer)
	build := func(source string) *redis.Script {
		return redis.NewScript(constants.Replace(edit(commonLua + source)))
	}
	return scripts{
		join:    build(ticketLua + waitsLua + joinLua),
		confirm: build(matchLua + waitsLua + confirmLua),
		abort:   build(matchLua + abortLua),
		leave:   build(ticketLua + waitsLua + leaveLua),
		beat:    build(beatLua),
		sweep:   build(ticketLua + waitsLua + sweepLua),
	}
}

// constants puts in their place what the scripts leave to Go: the names and lifetimes of keys, which
// only retention knows, and where the fields of a waiting ticket are. They are no local variables of
// Lua, for those would be made anew for each call.
func constants(offer time.Duration) *strings.Replacer {
	var pairs []string
	set := func(name string, value any) { pairs = append(pairs, name, fmt.Sprint(value)) }
	for _, class := range []retention.Class{
		retention.Ticket, retention.Pool, retention.Occupied, retention.Lease, retention.Inbox, retention.Waits,
	} {
		name := strings.ToUpper(class.String())
		set(name+"_KEY", strconv.Quote(beginning(class)))
		set(name+"_TTL", strconv.Quote(strconv.FormatInt(class.TTL().Milliseconds(), 10)))
	}
	set("TOMBSTONE", strconv.Quote(strconv.FormatInt(retention.Tombstone.Milliseconds(), 10)))
	set("LONGEST", retention.LongestWait.Microseconds())
	set("OFFER", offer.Microseconds())

	const timeDigits, from = 16, 1 // Lua counts from 1
	at := from
	field := func(name string, length int) {
		set("FROM_"+name, at)
		set("TO_"+name, at+length-1)
		at += length + 1 // a semicolon
	}
	field("STATE", 1)
	field("ARRIVED", timeDigits)
	field("RIPE", timeDigits)
	set("BEFORE_WISH", at-from)
	field("WIDENS", widensDigits)
	field("DEVICE", tagLength)
	field("NODE", idLength)
	field("INTERESTS", MaxInterests)
	set("FROM_WAITS", at)
	set("FROM_WHO", timeDigits+from)
	set("NARROW", 'w')
	set("WIDE", 'W')
	set("END", '~')
	set("CROWD", "'0'") // the band of nearly everybody: its pools are looked into without a list
	return strings.NewReplacer(pairs...)
}

// beginning returns what all keys of a class begin with. Records of the scripts hold only the rest.
func beginning(class retention.Class) string {
	literal, _, _ := strings.Cut(class.Format(), "%s")
	return literal
}
