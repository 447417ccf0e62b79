package signaling

import (
	"context"
	"fmt"
	"time"
)

// openMake looks at what a browser asks for.
func (cl *client) openMake(m Make) Event {
	e := opens{c: m.C, wish: wish{kind: LinkRoom, how: howMake, capacity: m.Capacity, knock: m.Knock}}
	if m.Capacity < 2 || m.Capacity > MostMembers {
		e.bad = fmt.Sprintf("capacity: 2 to %d people", MostMembers)
		return e
	}
	return cl.openTag(e, m.Tag)
}

// openEnter is openMake for EnterRoom.
func (cl *client) openEnter(m EnterRoom) Event {
	e := opens{c: m.C, wish: wish{kind: m.Kind, how: howEnter}}
	switch m.Kind {
	case LinkRoom:
	case ChannelRoom:
		e.wish.how, e.wish.capacity = howChannel, Visitors
	default:
		e.bad = `kind: "link" or "channel"`
		return e
	}
	return cl.openTag(e, m.Tag)
}

func (cl *client) openTag(e opens, tag string) Event {
	if !isDevice(tag) {
		e.bad = "tag: 32 bytes as base64url without padding, 43 characters"
		return e
	}
	e.wish.id = cl.hub.rooms.name(e.wish.kind, tag)
	return e
}

// seekRoom finds the node of a private room.
func (h *Hub) seekRoom(cl *client, e seekRoom) {
	h.ask(&cl.lane, func(ctx context.Context) error {
		answer := found{room: e.wish.id}
		if e.unpaid {
			answer.spent = h.budgets.takeRoom(ctx, time.Now(), cl.machine.device)
		}
		if answer.spent.wait == 0 {
			answer.state, answer.home, answer.err = h.rooms.find(ctx, e.wish)
		}
		cl.post(answer)
		return answer.err
	})
}

// seekBack brings who comes back to the node that carries its room now. While the store is away that
// is this one: it is right for all who come back here, and the others are found later by [room.hold].
func (h *Hub) seekBack(cl *client, l Reenter) {
	w := wish{id: l.Room, kind: l.Kind, how: howBack, life: l.Life, capacity: l.Capacity, knock: l.Kind == LinkRoom}
	h.ask(&cl.lane, func(ctx context.Context) error {
		state, home, err := h.rooms.find(ctx, w)
		if err != nil {
			state, home = roomOpen, h.node
		}
		if state != roomOpen {
			h.bus.ToSession(l.From, Turned{l.Room, shutOf(state)})
			return err
		}
		l.Claimed = true
		h.bus.ToRoom(Address{home, l.Room}, l)
		return err
	})
}

// holdRoom renews or reads the record of a private room.
func (h *Hub) holdRoom(c *call, e holdRoom) {
	h.ask(&c.lane, func(ctx context.Context) error {
		if !e.expires.IsZero() {
			e.record.left = time.Until(e.expires)
		}
		answer := h.rooms.hold(ctx, e.holding)
		c.post(answer)
		return answer.err
	})
}

// endRoom ends the record.
func (h *Hub) endRoom(c *call, e endRoom) {
	id := c.machine.id
	h.ask(&c.lane, func(ctx context.Context) error {
		err := h.rooms.release(ctx, id, e.how)
		c.post(released{err})
		return err
	})
}

// joined makes the frame, with the pass, for the member whose it is.
func (h *Hub) joined(w Welcomed) JoinedRoom {
	return JoinedRoom{
		Room: w.Room, Kind: w.Kind, Me: w.Member, Members: w.Members, Capacity: w.Capacity,
		Knock: w.Knock, ExpiresMS: w.LeftMS, Ice: w.Ice, Pass: h.tokens.sealPass(w.pass),
	}
}
