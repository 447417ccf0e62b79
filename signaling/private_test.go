package signaling_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/moderation"
	"parley/signaling"
)

// house is a room behind a tag with all that it deals with: people who come, go, are lost and come
// back as they like, and a store that answers late, or not at all, or is told of another node. It
// keeps the books.
type house struct {
	t        *rapid.T
	kind     signaling.RoomKind
	capacity int
	now      time.Time
	room     signaling.Room
	there    bool // there is a machine; otherwise who comes makes one
	store    shelf
	holds    []signaling.Record // that the store has yet to answer
	ends     []string
	people   []*person
	moves    int  // how often the room has been on another node
	spent    bool // the last of two or more has left
	together int  // the most that were inside at once
	welcomes int
	refused  int
}

type person struct {
	at      signaling.Address
	member  string
	device  string
	inside  bool
	outside bool // at the door
	pass    *signaling.Pass
}

const houseNode = "here"

func newHouse(t *rapid.T) *house {
	h := &house{t: t, now: time.Unix(1e9, 0), kind: signaling.LinkRoom, capacity: rapid.IntRange(2, 4).Draw(t, "capacity")}
	h.store.open(houseNode, "", "make", signaling.Record{Life: "life", Capacity: h.capacity, Knock: rapid.Bool().Draw(t, "knock")})
	h.store.ends = h.now.Add(24 * time.Hour)
	for i := range 7 {
		h.people = append(h.people, &person{device: fmt.Sprint("device ", i)})
	}
	return h
}

// step steps the room, which the first who comes makes.
func (h *house) step(l signaling.ToRoom) {
	switch l := l.(type) {
	case signaling.Come:
		h.make()
	case signaling.Reenter:
		if l.Claimed {
			h.make()
		}
	default:
	}
	if !h.there {
		return
	}
	w := h.room.Do(h.now, l)
	h.holds, h.ends = append(h.holds, w.Holds...), append(h.ends, w.Ends...)
	if slices.Contains(w.Ends, "burn") {
		h.spent = true
	}
	for _, told := range w.Told {
		h.told(told)
	}
	if w.Forgotten {
		h.there, h.holds, h.ends = false, nil, nil
	}
	if n := len(h.room.Inside()); h.there && n > h.capacity {
		h.t.Fatalf("%d are in a room for %d", n, h.capacity)
	}
	h.together = max(h.together, len(h.insiders()))
}

func (h *house) make() {
	if !h.there {
		h.there = true
		h.room = signaling.NewPrivateRoom(signaling.Address{Node: houseNode, ID: "room"}, h.kind)
	}
}

func (h *house) told(told signaling.Told) {
	p := h.who(told.To)
	switch l := told.Letter.(type) {
	case signaling.Welcomed:
		if h.spent {
			h.t.Fatal("a burnt link lets somebody in")
		}
		h.welcomes++
		if p == nil {
			return // cancelled meanwhile: a session would say so
		}
		if len(l.Members) >= h.capacity {
			h.t.Fatalf("%d others are in a room for %d", len(l.Members), h.capacity)
		}
		pass := signaling.PassOf(l)
		p.inside, p.outside, p.pass = true, false, &pass
	case signaling.Turned:
		h.refused++
		if p != nil {
			p.inside, p.outside = false, false
		}
	case signaling.Over:
		if p != nil {
			p.inside = false
		}
	case signaling.Heard:
		from := h.member(l.Say.From)
		if p == nil || !p.inside || p.member != l.Say.To || from == nil || !from.inside {
			h.t.Fatalf("an envelope of %s for %s reaches %v", l.Say.From, l.Say.To, told.To)
		}
	case signaling.Knocked, signaling.MemberIs, signaling.DoorIs:
		if p == nil || !p.inside {
			h.t.Fatalf("%T is told to somebody outside", l)
		}
	default:
	}
}

func (h *house) who(at signaling.Address) *person {
	for _, p := range h.people {
		if p.at == at {
			return p
		}
	}
	return nil
}

func (h *house) member(id string) *person {
	for _, p := range h.people {
		if p.member == id && id != "" {
			return p
		}
	}
	return nil
}

func (h *house) insiders() (all []*person) {
	for _, p := range h.people {
		if p.inside {
			all = append(all, p)
		}
	}
	return all
}

func (h *house) any(t *rapid.T) *person { return rapid.SampledFrom(h.people).Draw(t, "who") }

// session gives somebody a new session.
func (h *house) session(p *person) {
	h.moves++
	p.at = signaling.Address{Node: []string{houseNode, "there"}[h.moves%2], ID: fmt.Sprint("session ", h.moves)}
}

func (h *house) come(t *rapid.T) {
	p := h.any(t)
	if p.inside || p.outside {
		return
	}
	if state, _ := h.store.open(houseNode, "", "enter", signaling.Record{}); state != "open" {
		return
	}
	h.session(p)
	p.member, p.outside = "member of "+p.at.ID, true
	h.step(signaling.Come{From: p.at, Member: p.member, Device: moderation.Device{Token: p.device, Net: "net"}, Kind: h.kind})
}

func (h *house) back(t *rapid.T) {
	p := h.any(t)
	if p.pass == nil || p.outside {
		return
	}
	state, _ := h.store.open(houseNode, "", "back", signaling.Record{Life: p.pass.Life, Capacity: p.pass.Capacity, Knock: true})
	if state != "open" {
		return
	}
	if h.store.ends.Before(h.now) {
		h.store.ends = h.now.Add(signaling.HeldTime)
	}
	h.session(p)
	p.member, p.inside = p.pass.Member, false
	h.step(signaling.Claimed(p.at, *p.pass))
}

func (h *house) leave(t *rapid.T) {
	p := h.any(t)
	if !p.inside && !p.outside {
		return
	}
	why := signaling.EndLeft
	if rapid.Bool().Draw(t, "lost") {
		why = signaling.EndPeerLost
	}
	p.inside, p.outside = false, false
	h.step(signaling.Went{From: p.at, Member: p.member, Why: why})
}

// answer lets the store answer a question, or fail to.
func (h *house) answer(t *rapid.T) {
	away := error(nil)
	if rapid.IntRange(0, 4).Draw(t, "away") == 0 {
		away = errors.New("away")
	}
	switch {
	case len(h.holds) > 0:
		r := h.holds[0]
		h.holds = h.holds[1:]
		if away != nil {
			h.step(signaling.HeldIs("", "", signaling.Record{}, away))
			return
		}
		state, home, kept := h.store.carry(houseNode, r)
		if r.Life != "" {
			h.store.ends = h.now.Add(r.Left)
		}
		kept.Left = h.store.ends.Sub(h.now)
		h.step(signaling.HeldIs(state, home, kept, nil))
	case len(h.ends) > 0:
		by := h.ends[0]
		h.ends = h.ends[1:]
		if away == nil {
			h.store.end(houseNode, by)
		}
		h.step(signaling.Released(away))
	}
}

// pass lets time pass, and deadlines come. What is kept and not renewed ends.
func (h *house) pass(d time.Duration) {
	end := h.now.Add(d)
	for h.there && !h.room.Deadline().IsZero() && !h.room.Deadline().After(end) {
		if at := h.room.Deadline(); at.After(h.now) {
			h.now = at
		}
		h.step(signaling.RoomTick())
		if h.there && !h.room.Deadline().IsZero() && !h.room.Deadline().After(h.now) {
			h.t.Fatal("a deadline that stays")
		}
	}
	h.now = end
	if h.now.After(h.store.ends) {
		h.store.there = false
	}
}

func (h *house) say(t *rapid.T) {
	from, to := h.any(t), h.any(t)
	if from.at == (signaling.Address{}) {
		return
	}
	h.step(&signaling.Say{Room: "room", Sender: from.at, C: 1, From: from.member, To: to.member, Tail: []byte("tail")})
}

// TestPrivateRoom: whatever people and the store do, there are never more inside than the room is
// for, nobody outside hears anything, a burnt link never opens again, and a room that nobody is in
// does not stay.
func TestPrivateRoom(t *testing.T) {
	welcomes, refused, burnt := 0, 0, 0
	rapid.Check(t, func(rt *rapid.T) {
		h := newHouse(rt)
		rt.Repeat(map[string]func(*rapid.T){
			"come": h.come, "come too": h.come, "back": h.back, "leave": h.leave, "answer": h.answer, "answer too": h.answer, "say": h.say,
			"admit": func(rt *rapid.T) {
				p, c := h.any(rt), h.any(rt)
				h.step(signaling.Admits{From: p.at, Member: p.member, C: 1, Who: c.member, Yes: rapid.IntRange(0, 3).Draw(rt, "yes") > 0})
			},
			"door": func(rt *rapid.T) {
				p := h.any(rt)
				h.step(signaling.Turns{From: p.at, Member: p.member, C: 1, Knock: rapid.Bool().Draw(rt, "knock")})
			},
			"socket": func(rt *rapid.T) {
				p := h.any(rt)
				h.step(signaling.Missing{From: p.at, Member: p.member})
				if rapid.Bool().Draw(rt, "back") {
					h.step(signaling.Present{From: p.at, Member: p.member})
				}
			},
			"node dies": func(rt *rapid.T) {
				if rapid.IntRange(0, 3).Draw(rt, "this") == 0 {
					h.fall()
					return
				}
				for _, p := range h.people {
					if p.at.Node == "there" {
						p.inside, p.outside, p.at = false, false, signaling.Address{}
					}
				}
				h.step(signaling.Fell("there"))
			},
			"time": func(rt *rapid.T) {
				h.pass(time.Duration(rapid.IntRange(1, 50).Draw(rt, "seconds")) * time.Second)
			},
		})
		h.settle()
		welcomes += h.welcomes
		refused += h.refused
		if h.store.burnt {
			burnt++
		}
	})
	if welcomes == 0 || refused == 0 || burnt == 0 {
		t.Errorf("%d were let in, %d were not, %d links are burnt: the test shows little", welcomes, refused, burnt)
	}
}

// fall ends this node: the room is lost, and another node, under the same name here, may carry it.
// What it had yet to tell the store is lost with it.
func (h *house) fall() {
	h.there, h.holds, h.ends = false, nil, nil
	if h.store.there {
		h.store.home = ""
	}
	for _, p := range h.people {
		p.inside, p.outside, p.at = false, false, signaling.Address{}
	}
	if h.together >= 2 && h.spent && !h.store.burnt {
		h.spent = false // the store was never told: only its record's end closes the link
	}
}

// settle lets all leave, and the store answer: then nothing may stay.
func (h *house) settle() {
	for _, p := range h.people {
		if p.inside || p.outside {
			p.inside, p.outside = false, false
			h.step(signaling.Went{From: p.at, Member: p.member, Why: signaling.EndLeft})
		}
	}
	for range 100 {
		if !h.there {
			return
		}
		for len(h.holds)+len(h.ends) > 0 && h.there {
			if len(h.holds) > 0 {
				state, home, kept := h.store.carry(houseNode, h.holds[0])
				kept.Left = time.Hour
				h.holds = h.holds[1:]
				h.step(signaling.HeldIs(state, home, kept, nil))
				continue
			}
			h.store.end(houseNode, h.ends[0])
			h.ends = h.ends[1:]
			h.step(signaling.Released(nil))
		}
		h.pass(10 * time.Second)
	}
	h.t.Fatalf("an empty room stays: %v", h.room.Inside())
}
