package signaling

import "time"

// Bus carries letters between sessions and rooms. Letters from one goroutine to one address arrive
// in order. On this node they go straight into the mailbox; to another node they go through the
// link, which may lose some and then says so.
type Bus struct {
	node    string
	clients *shards[*client]
	rooms   *shards[*call]
	open    func(id string, p Policy) *call       // makes a room
	far     func(to, by string, mail []byte) bool // sends to another node; false when that is not possible
	owe     func(node string)                     // notes that a node was not told something
}

// ToRoom delivers l. A letter to a room that does not exist opens it if it is somebody coming in;
// otherwise the call is over, of which its sessions have been told.
func (b *Bus) ToRoom(to Address, l ToRoom) {
	if to.Node != b.node {
		by := ""
		if say, often := l.(*Say); often {
			by = say.Sender.ID
		}
		if !b.far(to.Node, by, mailToRoom(to.ID, l)) {
			b.returned(to.Node, l)
		}
		return
	}
	var c *call
	switch l := l.(type) {
	case Enter:
		c = b.rooms.getOrPut(to.ID, func() *call { return b.open(to.ID, Stranger()) })
	case Come:
		c = b.rooms.getOrPut(to.ID, func() *call { return b.open(to.ID, policyOf(l.Kind, 0)) })
	case Reenter:
		if c = b.back(to.ID, l); c == nil {
			b.ToSession(l.From, Astray{to.ID})
			return
		}
	case *Say:
		var ok bool
		if c, ok = b.rooms.get(to.ID); !ok {
			b.ToSession(l.Sender, Undelivered{to.ID, l.C, NoMember})
			return
		}
		if !c.offer(l) {
			b.ToSession(l.Sender, Undelivered{to.ID, l.C, PeerBusy})
		}
		return
	case Went, Missing, Present, Want, Admits, Turns, roomTick, kept, homeIs, held, released, fallen, torn:
		var ok bool
		if c, ok = b.rooms.get(to.ID); !ok {
			return
		}
	}
	c.post(l)
}

// back returns the room that somebody comes back to, and makes it anew if it was lost: a private one
// only when the store agrees. Otherwise nil.
func (b *Bus) back(id string, l Reenter) *call {
	if l.Kind != "" && !l.Claimed {
		c, _ := b.rooms.get(id)
		return c
	}
	p := Stranger()
	if l.Kind != "" {
		p = policyOf(l.Kind, l.Capacity)
	}
	return b.rooms.getOrPut(id, func() *call { return b.open(id, p) })
}

// returned answers a letter of a session of this node that could not leave it. What cannot be answered
// is made good later: see [debts].
func (b *Bus) returned(node string, l ToRoom) {
	switch l := l.(type) {
	case *Say:
		b.ToSession(l.Sender, Undelivered{l.Room, l.C, PeerBusy})
	case Want:
		b.unreached(l.From, l.C)
	case Admits:
		b.unreached(l.From, l.C)
	case Turns:
		b.unreached(l.From, l.C)
	case Enter, Reenter, Come, Went, Missing, Present:
		b.owe(node)
	case roomTick, kept, homeIs, held, released, fallen, torn: // never leave the node
	}
}

// unreached refuses frame c of a session of this node.
func (b *Bus) unreached(from Address, c uint64) {
	if cl, ok := b.clients.get(from.ID); ok {
		cl.post(answered{Refused{Of: c, Code: Unavailable, Text: "the node of the call cannot be reached: try again in a few seconds"}})
	}
}

// ToSession delivers l, if the session still exists.
func (b *Bus) ToSession(to Address, l ToSession) {
	heard, often := l.(Heard)
	if to.Node != b.node {
		by := ""
		if often {
			by = heard.Say.Sender.ID
		}
		switch sent := b.far(to.Node, by, mailToSession(to.ID, l)); {
		case sent:
		case often:
			b.busy(heard)
		default:
			b.owe(to.Node)
		}
		return
	}
	cl, ok := b.clients.get(to.ID)
	switch {
	case often && ok:
		if !cl.offer(l) {
			b.busy(heard)
		}
	case ok:
		cl.post(l)
	default:
		if recheck, asks := l.(Recheck); asks {
			b.ToRoom(recheck.Room, Went{recheck.To, recheck.Member, EndPeerLost})
		}
	}
}

// busy tells the sender of an envelope that the peer does not keep up.
func (b *Bus) busy(h Heard) {
	b.ToSession(h.Say.Sender, Undelivered{h.Say.Room, h.Say.C, PeerBusy})
}

// undelivered says what to do about an envelope that was not taken.
func undelivered(code ErrorCode) string {
	if code == PeerBusy {
		return "the peer does not keep up: send it again, under a new number, after 1 s"
	}
	if code == TooMany {
		return "that member has not answered twice: until then no more than 8 envelopes of 4 KiB"
	}
	return "that member is not in this room"
}

// call is a room with what it needs to act: its mailbox, its timer, its lane to the store.
type call struct {
	mailbox[ToRoom]
	hub     *Hub
	machine *room // guarded by the mailbox
	alarm   *timer
	alarmAt time.Time // what alarm is set to
	lane    lane
}

func (h *Hub) newCall(id string, p Policy) *call {
	c := &call{hub: h, machine: newRoom(Address{h.node, id}, p)}
	c.step = c.carry
	c.alarm = newTimer(func() { c.post(roomTick{}) })
	return c
}

// carry steps the machine and carries out the effects.
func (c *call) carry(l ToRoom) {
	if _, fired := l.(roomTick); fired {
		c.alarmAt = time.Time{}
	}
	effects := c.machine.Step(time.Now(), l)
	if at := c.machine.Deadline(); !at.Equal(c.alarmAt) {
		c.alarmAt = at
		c.hub.timers.set(c.alarm, at)
	}
	c.mu.Unlock()
	defer c.mu.Lock()
	for _, e := range effects {
		switch e := e.(type) {
		case tell:
			c.hub.bus.ToSession(e.to, e.letter)
		case furnish:
			c.hub.bus.ToSession(e.to, e.fill(c.hub.ice(e.call, e.nodes)))
		case keepCall:
			c.hub.keepCall(c)
		case endCall:
			c.hub.endCall(c, e)
		case seekHome:
			c.hub.seekHome(c, e)
		case holdRoom:
			c.hub.holdRoom(c, e)
		case endRoom:
			c.hub.endRoom(c, e)
		case closeRoom:
			c.hub.bus.rooms.remove(c.machine.id)
			if c.machine.moved == "" {
				c.hub.endRelays(c.machine.relayed().name)
			}
		}
	}
}

// fill puts the credentials into the letter.
func (f furnish) fill(ice Ice) ToSession {
	switch l := f.letter.(type) {
	case Opened:
		l.Ice = ice
		return l
	case Welcomed:
		l.Ice = ice
		return l
	case Granted:
		l.Ice = ice
		return l
	default:
		return l
	}
}
