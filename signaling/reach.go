package signaling

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// watchEvery is how often a hub looks which nodes have died. A lease ends 3 s after the last beat.
const watchEvery = time.Second

// send brings mail to another node, on behalf of a session or pipe if by names one. It reports false
// when the link does not take it.
func (h *Hub) send(to, by string, mail []byte) bool {
	return h.seals.knows(to) && h.link.Send(to, by, mail)
}

// Take hands out what another node has sent. It never blocks. Mail that is not understood is counted
// and dropped.
func (h *Hub) Take(from string, b []byte) {
	m, err := openMail(b)
	if err == nil {
		err = h.sort(from, m)
	}
	if err != nil && h.counts.garbled.Add(1) == 1 {
		h.cfg.Log.LogAttrs(context.Background(), slog.LevelWarn, "mail of another node was not understood, told once: do all nodes run the same parley?")
	}
}

func (h *Hub) sort(from string, m mail) error {
	here := Address{h.node, m.id}
	if l, err := m.toRoom(); err != nil || l != nil {
		if err == nil {
			h.bus.ToRoom(here, l)
		}
		return err
	}
	if l, err := m.toSession(); err != nil || l != nil {
		if err == nil {
			h.bus.ToSession(here, l)
		}
		return err
	}
	switch m.kind {
	case mailTorn:
		h.Torn(from)
		return nil
	case mailEnded:
		if h.cfg.Others.End != nil {
			h.cfg.Others.End(m.id)
		}
		return nil
	}
	return h.plumb(from, m)
}

// Torn notes that some mail from or to a node was lost. Pipes break, and their browsers resume; rooms
// and sessions ask each other how they stand.
func (h *Hub) Torn(node string) {
	h.breakPipes(node)
	h.everybody(torn{node})
}

// standWithin is over what time the searches of a node stand again: they must not all come at once.
const standWithin = 2500 * time.Millisecond

// standAgain lets all who search stand again in a queue that may have forgotten them.
func (h *Hub) standAgain() {
	for i := range shardCount {
		for _, cl := range h.bus.clients.part(i) {
			cl.post(lapsed{rand.N(standWithin)}) //nolint:gosec // jitter, not a secret
		}
	}
}

// watch tells sessions and rooms of nodes that died, and sessions of a queue that may have forgotten
// them, until ctx ends.
func (h *Hub) watch(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	known, lapses := map[string]bool{}, h.cfg.Queue.Lapses()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, node := range h.cfg.Queue.Living() {
			known[node] = true
		}
		h.settleDebts()
		if n := h.cfg.Queue.Lapses(); n != lapses {
			lapses = n
			h.standAgain()
		}
		for node := range known {
			if !h.cfg.Queue.Alive(node) {
				delete(known, node)
				h.fall(node)
			}
		}
	}
}

// debts are the nodes that were not told something, because too much was on its way to them.
type debts struct {
	mu    sync.Mutex // guards nodes
	nodes map[string]bool
}

func (d *debts) owe(node string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.nodes[node] = true
}

// take returns them all, and forgets them.
func (d *debts) take() map[string]bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	taken := d.nodes
	d.nodes = map[string]bool{}
	return taken
}

// settleDebts tells those that can be reached again that something is missing, so that both sides ask
// each other how they stand. The others stay in debt; who is dead is owed nothing.
func (h *Hub) settleDebts() {
	for node := range h.debts.take() {
		switch {
		case !h.cfg.Queue.Alive(node):
		case h.bus.far(node, "", kindOf(mailTorn, "")):
			h.Torn(node)
		default:
			h.debts.owe(node)
		}
	}
}

// fall ends whatever there was with a node that died.
func (h *Hub) fall(node string) {
	h.link.Forget(node)
	h.breakPipes(node)
	h.everybody(fallen{node})
}

// everybody posts an event to all sessions and rooms. It is rare, and few of them care.
func (h *Hub) everybody(e interface {
	Event
	ToRoom
},
) {
	for i := range shardCount {
		for _, cl := range h.bus.clients.part(i) {
			cl.post(e)
		}
		for _, c := range h.bus.rooms.part(i) {
			c.post(e)
		}
	}
}

// post brings a letter of a session to its room. A room whose node died is made anew on the node
// that its members agree on; one that was yet to gather is given up.
func (h *Hub) post(cl *client, e post) {
	if h.cfg.Queue.Alive(e.to.Node) {
		h.bus.ToRoom(e.to, e.letter)
		return
	}
	switch l := e.letter.(type) {
	case Reenter:
		if l.Kind != "" {
			h.seekBack(cl, l)
			return
		}
		h.seek(cl, e.to, l)
	case Enter:
		h.bus.ToSession(l.From, Failed{e.to.ID})
	case *Say, Went, Missing, Present, Want, Come, Admits, Turns, roomTick, kept, homeIs, held, released, fallen, torn:
		h.bus.returned(e.to.Node, l)
	}
}

// seek finds the node that carries a room now. While the store is away that is this one: it is right
// for all who come back here, and others are found later, see [Hub.seekHome].
func (h *Hub) seek(cl *client, lost Address, l Reenter) {
	h.ask(&cl.lane, func(ctx context.Context) error {
		home, err := h.homes.claim(ctx, lost)
		if err != nil {
			home = h.node
		}
		h.bus.ToRoom(Address{home, lost.ID}, l)
		return err
	})
}

// seekHome asks again which node carries a room of this one.
func (h *Hub) seekHome(c *call, e seekHome) {
	id := c.machine.id
	h.ask(&c.lane, func(ctx context.Context) error {
		find := h.homes.look
		if e.claims {
			find = func(ctx context.Context, id string) (string, error) { return h.homes.claim(ctx, Address{ID: id}) }
		}
		home, err := find(ctx, id)
		if err == nil {
			c.post(homeIs{home})
		}
		return err
	})
}
