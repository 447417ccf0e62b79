package link

import (
	"sync"
)

// Limits of what has arrived and was not yet delivered. Beyond them arrivals are dropped without an
// acknowledgement, so their senders keep them, publish them again, and refuse when it lasts.
const (
	inboxMessages = 8192
	inboxBytes    = 16 << 20
)

// inbox holds what the one goroutine that calls back has to do: the receiver never waits for it.
type inbox struct {
	news chan struct{} // capacity 1

	mu       sync.Mutex // guards the following fields
	items    []item
	messages int // of items and of those being delivered
	bytes    int
	closed   bool
}

// item is messages from a node, or a reset when there are none.
type item struct {
	node   string
	bodies [][]byte
}

// full tells whether there is no room.
func (b *inbox) full() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.messages >= inboxMessages || b.bytes >= inboxBytes
}

// put adds messages from a node, or a reset. A second reset in a row says nothing new.
func (b *inbox) put(node string, bodies [][]byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if last := len(b.items) - 1; bodies == nil && last >= 0 && b.items[last].bodies == nil && b.items[last].node == node {
		return
	}
	b.items = append(b.items, item{node, bodies})
	messages, bytes := weigh(bodies)
	b.messages += messages
	b.bytes += bytes
	poke(b.news)
}

func weigh(bodies [][]byte) (messages, bytes int) {
	for _, m := range bodies {
		bytes += len(m)
	}
	return len(bodies), bytes
}

// swap returns all items and keeps the space of the last ones for the next.
func (b *inbox) swap(done []item) (items []item, closed bool) {
	clear(done)
	b.mu.Lock()
	defer b.mu.Unlock()
	items, b.items = b.items, done[:0]
	return items, b.closed
}

// done makes room for others.
func (b *inbox) done(bodies [][]byte) {
	messages, bytes := weigh(bodies)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.messages -= messages
	b.bytes -= bytes
}

// close ends the deliverer once it has delivered everything.
func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	poke(b.news)
}

// deliver calls back until the inbox is closed and empty.
func (l *Link) deliver() {
	var items []item
	var closed, up bool
	for !closed {
		<-l.inbox.news
		for {
			if now := l.Up(); now != up && l.cfg.Up != nil {
				up = now
				l.cfg.Up(up)
			}
			if items, closed = l.inbox.swap(items); len(items) == 0 {
				break
			}
			for _, i := range items {
				l.hand(i)
			}
		}
	}
}

func (l *Link) hand(i item) {
	if i.bodies == nil {
		l.cfg.Reset(i.node)
		return
	}
	for _, m := range i.bodies {
		l.cfg.Deliver(i.node, m)
	}
	l.inbox.done(i.bodies)
}
