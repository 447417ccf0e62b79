package signaling

import "time"

// Bus carries letters between sessions and rooms. Letters from one goroutine to one address arrive
// in order. Every address is on this node today, also that of a room whose node is gone: it is made
// anew here. A letter to another node would be marshalled here, and nothing else would change.
type Bus struct {
	clients *shards[*client]
	rooms   *shards[*call]
	open    func(id string) *call // makes a room
}

// ToRoom delivers l. A letter to a room that does not exist opens it if it is somebody coming in;
// otherwise the call is over, of which its sessions have been told.
func (b *Bus) ToRoom(to Address, l ToRoom) {
	var c *call
	switch l := l.(type) {
	case Enter, Reenter:
		c = b.rooms.getOrPut(to.ID, func() *call { return b.open(to.ID) })
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
	case Went, Missing, Present, roomTick, kept:
		var ok bool
		if c, ok = b.rooms.get(to.ID); !ok {
			return
		}
	}
	c.post(l)
}

// ToSession delivers l, if the session still exists.
func (b *Bus) ToSession(to Address, l ToSession) {
	c, ok := b.clients.get(to.ID)
	if !ok {
		return
	}
	if heard, often := l.(Heard); often {
		if !c.offer(l) {
			b.ToSession(heard.Say.Sender, Undelivered{heard.Say.Room, heard.Say.C, PeerBusy})
		}
		return
	}
	c.post(l)
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

func (h *Hub) newCall(id string) *call {
	c := &call{hub: h, machine: newRoom(Address{h.node, id}, Stranger())}
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
		case keepCall:
			c.hub.keepCall(c)
		case endCall:
			c.hub.endCall(c)
		case closeRoom:
			c.hub.bus.rooms.remove(c.machine.id)
		}
	}
}
