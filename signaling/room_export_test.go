package signaling

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/keyring"
)

// Record is what the store keeps of a private room.
type Record struct {
	Life     string
	Capacity int
	Knock    bool
	Used     bool
	Left     time.Duration
}

func (r Record) inner() record {
	return record{life: r.Life, capacity: r.Capacity, knock: r.Knock, used: r.Used, left: r.Left}
}

func recordOf(r record) Record { return Record{r.life, r.capacity, r.knock, r.used, r.left} }

// Directory is that of one node.
type Directory struct{ directory }

func NewDirectory(rdb redis.UniversalClient, ring *keyring.Ring, node string, alive func(string) bool) Directory {
	return Directory{newDirectory(rdb, ring, node, alive)}
}

func (d Directory) Name(kind RoomKind, tag string) string { return d.name(kind, tag) }

// Find asks how somebody may come in: "make", "enter", "channel" or "back".
func (d Directory) Find(ctx context.Context, id, by string, r Record) (state, home string, err error) {
	return d.find(ctx, wish{id: id, how: how(by), life: r.Life, capacity: r.Capacity, knock: r.Knock})
}

func (d Directory) Hold(ctx context.Context, id string, r Record) (state, home string, kept Record) {
	h := d.hold(ctx, holding{id, r.inner()})
	return h.state, h.home, recordOf(h.record)
}

func (d Directory) Release(ctx context.Context, id, by string) error {
	return d.release(ctx, id, ending(by))
}

// NewPrivateRoom returns the room that somebody makes by coming to a tag.
func NewPrivateRoom(at Address, kind RoomKind) Room { return Room{newRoom(at, policyOf(kind, 0))} }

// Told is a letter of a room.
type Told struct {
	To     Address
	Letter ToSession
}

// Wants is what a room wants of the world.
type Wants struct {
	Told      []Told
	Holds     []Record // to be kept; without a life only to be read
	Ends      []string // burn, drop or free
	Forgotten bool
}

// Do steps the room.
func (r Room) Do(now time.Time, l ToRoom) (w Wants) {
	for _, e := range r.Step(now, l) {
		switch e := e.(type) {
		case tell:
			w.Told = append(w.Told, Told{e.to, e.letter})
		case furnish:
			w.Told = append(w.Told, Told{e.to, e.letter})
		case holdRoom:
			e.record.left = heldTime
			if !e.expires.IsZero() {
				e.record.left = e.expires.Sub(now)
			}
			w.Holds = append(w.Holds, recordOf(e.record))
		case endRoom:
			w.Ends = append(w.Ends, string(e.how))
		case closeRoom:
			w.Forgotten = true
		case keepCall, endCall, seekHome:
			panic("a private room does what only calls of strangers do")
		}
	}
	return w
}

// HeldIs is the answer of the store to a hold.
func HeldIs(state, home string, r Record, err error) ToRoom {
	return held{state: state, home: home, record: r.inner(), err: err}
}

// Released is its answer to an end.
func Released(err error) ToRoom { return released{err} }

// Inside are the members of a room.
func (r Room) Inside() (ids []string) {
	for _, m := range r.members {
		ids = append(ids, m.Member)
	}
	return ids
}

// Claimed is a Reenter that the store has sent here.
func Claimed(from Address, p Pass) Reenter { return Reenter{From: from, pass: p, Claimed: true} }

// PassOf is the pass of a welcome.
func PassOf(w Welcomed) Pass { return w.pass }

const (
	AtDoorMost = atDoorMost
	Probes     = probes
	HeldTime   = heldTime
)
