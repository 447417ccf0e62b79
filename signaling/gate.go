package signaling

import (
	"bytes"
	"errors"
	"sync"
	"time"
)

const (
	// answerWithin is how long a door waits for the home of a session, before the browser gets a new one.
	answerWithin = 3 * time.Second
	// gateBytes is how much may wait for a socket: more than the session's ring lets out unacknowledged.
	gateBytes = ringBytes + 64<<10
	// gateSilent is how long the browser may say nothing: its home pings it.
	gateSilent = pingEvery + pongWithin + 10*time.Second
)

// gate is the door's end of a pipe: the socket of a session that lives on another node.
type gate struct {
	conn    *conn
	home    string
	id      string
	answer  chan bool // what the home answered first; holds one
	writers sync.WaitGroup

	mu       sync.Mutex // guards the following
	answered bool
	waiting  [][]byte
	bytes    int
	writing  bool
	over     bool
	closing  CloseCode
}

// homeOf returns the node of the session that a token names, when that is another one and alive.
func (h *Hub) homeOf(token string) (home, session string, far bool) {
	t, ok := parseToken(token)
	if !ok || t.node == h.node || !h.cfg.Queue.Alive(t.node) {
		return "", "", false
	}
	return t.node, t.session, true
}

// pass serves the socket for a session of another node. It reports false when that node has no such
// session or does not answer: then nothing was said to the browser.
func (c *conn) pass(home, session string, m Hello) bool {
	h := c.hub
	g := &gate{conn: c, home: home, id: newID(), answer: make(chan bool, 1)}
	h.gates.put(g.id, g)
	defer g.leave()
	if !h.bus.far(home, g.id, mailOf(mailAttach, session, attach{g.id, m})) {
		return false
	}
	defer func() { h.bus.far(home, "", kindOf(mailGone, g.id)) }() // a lost one shows when the home next pings
	if !g.accepted() {
		return false
	}
	g.serve()
	return true
}

// accepted waits for the home's answer.
func (g *gate) accepted() bool {
	late := time.NewTimer(answerWithin)
	defer late.Stop()
	select {
	case yes := <-g.answer:
		return yes
	case <-late.C:
	case <-g.conn.hub.stopped:
	}
	return !g.abandon() && <-g.answer
}

// abandon gives up waiting, so that nothing of the home reaches the browser any more. It reports false
// when the answer is there in this very moment.
func (g *gate) abandon() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.answered {
		return false
	}
	g.answered, g.over = true, true
	return true
}

// serve brings the browser's frames to the home, until either ends.
func (g *gate) serve() {
	c := g.conn
	for {
		c.readBy(time.Now().Add(gateSilent))
		in, err := c.await()
		if err != nil {
			return
		}
		if got, ok := g.forward(in); ok {
			c.pace(g, got)
			continue
		}
		return
	}
}

// forward sends a frame of the browser to the home. It reports false when nothing more can be read.
func (g *gate) forward(in incoming) (arrival, bool) {
	buf := bytes.NewBuffer(kindOf(mailUp, g.id))
	got, err := g.conn.read(buf, in)
	fault := new(Fault)
	code := CloseSlow // what the home does not get is sent again: nothing behind it may pass
	switch {
	case errors.As(err, &fault):
		code = fault.Close
	case err != nil:
		return got, false
	case g.conn.hub.bus.far(g.home, g.id, buf.Bytes()):
		return got, true
	}
	g.end(code)
	g.conn.linger()
	return got, false
}

// push takes a frame for the browser.
func (g *gate) push(b []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return
	}
	if g.bytes += len(b); g.bytes > gateBytes {
		g.endLocked(CloseSlow)
		return
	}
	g.waiting = append(g.waiting, b)
	g.tellLocked(true)
	g.kickLocked()
}

// hint says something of this node's own, once the home has answered.
func (g *gate) hint(m ToBrowser) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.answered && !g.over {
		g.waiting = append(g.waiting, frameOf(m).bare())
		g.kickLocked()
	}
}

// end closes the socket with a code, once what waits is written. Before any frame it says that
// there is no such session.
func (g *gate) end(code CloseCode) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.endLocked(code)
}

func (g *gate) endLocked(code CloseCode) {
	if !g.answered {
		g.tellLocked(false)
		g.over = true // the socket goes to another session: what the home still says is not for it
		return
	}
	if g.closing == 0 {
		g.closing = code
		if code == 0 {
			g.closing = CloseSlow
		}
		g.kickLocked()
	}
}

func (g *gate) tellLocked(accepted bool) {
	if !g.answered {
		g.answered = true
		g.answer <- accepted
	}
}

func (g *gate) kickLocked() {
	if !g.writing && !g.over {
		g.writing = true
		g.writers.Go(g.write)
	}
}

// write writes what there is, and ends.
func (g *gate) write() {
	for {
		b, code := g.take()
		switch {
		case code != 0:
			g.conn.goodbye(code)
			return
		case b == nil:
			return
		}
		if err := g.conn.text(b); err != nil {
			g.conn.cut() // wakes the reader
			g.mu.Lock()
			g.over = true
			g.mu.Unlock()
			return
		}
	}
}

func (g *gate) take() ([]byte, CloseCode) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.over:
		return nil, 0
	case len(g.waiting) > 0:
		b := g.waiting[0]
		g.waiting = g.waiting[1:]
		g.bytes -= len(b)
		return b, 0
	case g.closing != 0:
		g.over = true
		return nil, g.closing
	}
	g.waiting, g.writing = nil, false
	return nil, 0
}

// leave ends the gate, when nobody reads the socket any more or it goes to another session.
func (g *gate) leave() {
	g.conn.hub.gates.remove(g.id)
	g.mu.Lock()
	g.over = true
	g.mu.Unlock()
	g.writers.Wait()
}
