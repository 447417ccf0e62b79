package signaling

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	_ "embed" // the scripts stand in files
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/keyring"
	"parley/retention"
)

//go:embed lua/open.lua
var openLua string

//go:embed lua/carry.lua
var carryLua string

//go:embed lua/end.lua
var endLua string

const (
	// heldTime is how long the record of a room with people in it lives without being renewed.
	heldTime = 2 * time.Minute
	// holdEvery is how often it is.
	holdEvery = 30 * time.Second
)

// directory says which node carries a private room, and keeps what must outlive that node. A room is
// named by a keyed hash of its tag, so that the store knows neither.
type directory struct {
	rdb              redis.UniversalClient
	key              []byte
	node             string
	alive            func(node string) bool
	open, carry, end *redis.Script
}

func newDirectory(rdb redis.UniversalClient, ring *keyring.Ring, node string, alive func(string) bool) directory {
	return directory{
		rdb: rdb, key: ring.Derive("private rooms"), node: node, alive: alive,
		open: redis.NewScript(openLua), carry: redis.NewScript(carryLua), end: redis.NewScript(endLua),
	}
}

// name is the id of the room of a tag.
func (d directory) name(kind RoomKind, tag string) string {
	mac := hmac.New(sha256.New, d.key)
	mac.Write([]byte(kind))
	mac.Write([]byte{0}) // no kind holds it
	mac.Write([]byte(tag))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:roomBytes])
}

// roomBytes are 32 characters of a name.
const roomBytes = 24

func keysOf(id string) []string { return []string{retention.Room.Key(id), retention.Burnt.Key(id)} }

// how somebody wants to come into a private room.
type how string

const (
	howMake    how = "make"
	howEnter   how = "enter"
	howChannel how = "channel"
	howBack    how = "back"
)

// wish is what somebody wants of the directory.
type wish struct {
	id       string // of the room
	kind     RoomKind
	how      how
	life     string // of the room if it is new, or of the pass
	capacity int
	knock    bool
}

// standing of a room in the directory.
const (
	roomOpen      = "open"
	roomMine      = "mine"
	roomElsewhere = "elsewhere"
	roomBurnt     = "burnt"
	roomUnknown   = "unknown"
	roomTaken     = "taken"
	roomOver      = "over"
)

// find returns the living node that carries a room, this one if nobody else does; or why nobody shall.
func (d directory) find(ctx context.Context, w wish) (state, home string, err error) {
	lasts := heldTime
	if w.how == howMake {
		lasts = unusedTime
	}
	for dead := ""; ; dead = home {
		var answer []string
		answer, err = d.open.Run(ctx, d.rdb, keysOf(w.id), d.node, dead, string(w.how), w.life, w.capacity, digit(w.knock), lasts.Milliseconds()).StringSlice()
		if err != nil || len(answer) != 2 {
			return "", "", fmt.Errorf("find the node of a private room: %w", orShort(err))
		}
		state, home = answer[0], answer[1]
		if state != roomOpen || d.alive(home) {
			return state, home, nil
		}
		if dead == home { // it was not this script that gave it away: do not turn in circles
			return roomOpen, d.node, nil
		}
	}
}

// record is what the directory keeps of a room.
type record struct {
	life     string
	capacity int
	knock    bool
	used     bool          // two were in it at once
	left     time.Duration // until an unused one ends
}

// holding is what the record of a room shall be.
type holding struct {
	id     string
	record record // without a life it is only read
}

// held is how the record of a room stands, and where the room is when it is not here. It answers
// holdRoom.
type held struct {
	state, home string
	record      record
	err         error
}

// hold renews the record of a room that this node carries, or only reads it: see carry.lua.
func (d directory) hold(ctx context.Context, e holding) held {
	lasts := heldTime
	if e.record.left > 0 {
		lasts = e.record.left
	}
	answer, err := d.carry.Run(ctx, d.rdb, keysOf(e.id), d.node, e.record.life, e.record.capacity, digit(e.record.knock), digit(e.record.used), lasts.Milliseconds()).Slice()
	if err != nil || len(answer) == 0 {
		return held{err: fmt.Errorf("hold a private room: %w", orShort(err))}
	}
	h := held{}
	h.state, _ = answer[0].(string)
	switch {
	case h.state == roomElsewhere && len(answer) == 2:
		h.home, _ = answer[1].(string)
	case h.state == roomMine && len(answer) == 6:
		h.record = readRecord(answer[1:])
	}
	return h
}

func readRecord(fields []any) (r record) {
	text := func(i int) string { s, _ := fields[i].(string); return s }
	r.life, r.knock, r.used = text(0), text(2) == "1", text(3) == "1"
	r.capacity, _ = strconv.Atoi(text(1)) // 0 is no capacity, and lets nobody in
	ms, _ := fields[4].(int64)
	r.left = time.Duration(ms) * time.Millisecond
	return r
}

// release ends the record of a room that everybody has left.
func (d directory) release(ctx context.Context, id string, how ending) error {
	err := d.end.Run(ctx, d.rdb, keysOf(id), d.node, string(how), retention.Burnt.TTL().Milliseconds()).Err()
	if err != nil {
		return fmt.Errorf("end a private room: %w", err)
	}
	return nil
}

// digit is a truth as the scripts keep it.
func digit(truth bool) string { return strconv.Itoa(map[bool]int{true: 1}[truth]) }

// errShort says that a script gave another answer than it says.
var errShort = errors.New("the answer has another shape")

func orShort(err error) error {
	if err == nil {
		return errShort
	}
	return err
}
