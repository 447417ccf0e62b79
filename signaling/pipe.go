package signaling

import (
	"encoding/binary"
	"errors"
	"time"
)

// A pipe joins a socket of one node, the door, to a session of another, its home. A browser that
// resumes may come to any node; its session stays where it is, because moving it would let letters
// that are under way overtake each other. When the mail between the two is torn or either dies, the
// pipe is over, and the browser resumes once more.
//
//	mailAttach  door to home  the session, with hello
//	mailDown    home to door  a frame for the browser; the first is welcome
//	mailUp      door to home  a frame of the browser
//	mailEnd     home to door  close the socket with a code; before any frame: no such session here
//	mailGone    door to home  the socket is gone

// attach asks for a session.
type attach struct {
	Pipe  string
	Hello Hello
}

var errPipe = errors.New("the pipe is broken")

// spout is the home's end of a pipe: what the session writes goes to the door.
type spout struct {
	line
	client *client
	door   string
	id     string
}

// frame implements [wire].
func (p *spout) frame(f outgoing) error {
	b := f.appendHead(kindOf(mailDown, p.id), f.n, f.ack)
	if !p.hub.bus.far(p.door, p.id, append(b, f.tail...)) {
		return errPipe
	}
	return nil
}

// goodbye implements [wire].
func (p *spout) goodbye(code CloseCode) {
	p.hub.spouts.remove(p.id)
	p.hub.endPipe(p.door, p.id, code)
}

// cut implements [wire]: the browser comes back and resumes.
func (p *spout) cut() {
	p.goodbye(CloseSlow)
	p.client.detach(&p.line)
}

// endPipe tells the door to close its socket. Code 0 says that there is no such session.
func (h *Hub) endPipe(door, id string, code CloseCode) {
	b := kindOf(mailEnd, id)
	if !h.bus.far(door, "", binary.AppendUvarint(b, uint64(code))) { //nolint:gosec // codes are positive
		h.debts.owe(door)
	}
}

// plumb takes the mail of pipes.
func (h *Hub) plumb(from string, m mail) error {
	switch m.kind {
	case mailAttach:
		a, err := read[attach](m)
		if err == nil {
			h.serveAfar(from, m.id, a)
		}
		return err
	case mailUp:
		h.drink(from, m)
	case mailGone:
		if p, ok := h.spouts.get(m.id); ok {
			h.spouts.remove(m.id)
			p.client.detach(&p.line)
		}
	case mailDown:
		if g, ok := h.gates.get(m.id); ok {
			g.push(m.rest)
			return nil
		}
	case mailEnd:
		code, n := binary.Uvarint(m.rest)
		if n <= 0 || code > uint64(CloseVersion) {
			return errMail
		}
		if g, ok := h.gates.get(m.id); ok {
			g.end(CloseCode(code))
		}
	default:
		return errMail
	}
	return nil
}

// drink takes a frame of a browser whose socket is at another node.
func (h *Hub) drink(from string, m mail) {
	p, ok := h.spouts.get(m.id)
	if !ok {
		h.endPipe(from, m.id, CloseSlow)
		return
	}
	p.pinged.Store(0)
	if frame, err := Decode(m.rest); err != nil {
		p.client.fail(&p.line, err)
	} else {
		p.client.hear(time.Now(), &p.line, frame)
	}
}

// serveAfar gives a session the socket of another node.
func (h *Hub) serveAfar(door, session string, a attach) {
	p := &spout{door: door, id: a.Pipe}
	p.hub, p.wire = h, p
	cl, ok := h.bus.clients.get(session)
	if ok && h.keeps(cl, a.Hello.Last) {
		p.client = cl
		h.spouts.put(p.id, p)
		if cl.resume(time.Now(), &p.line, a.Hello) {
			return
		}
		h.spouts.remove(p.id)
	}
	h.endPipe(door, a.Pipe, 0)
}

// keeps tells whether a session may go on here, whose browser has heard all up to last: a node that
// stops keeps only those in a call, or on their way into one, and those that must yet be told how
// their call ended, since elsewhere they would go back into it.
func (h *Hub) keeps(cl *client, last uint64) bool {
	h.mu.Lock()
	state := h.state
	h.mu.Unlock()
	cl.mu.Lock()
	defer cl.mu.Unlock()
	untold := cl.phase == Idle && cl.ring.beyond(last)
	return state == running || (state == draining && (cl.phase.stays() || untold))
}

// breakPipes ends all pipes from and to a node.
func (h *Hub) breakPipes(node string) {
	for i := range shardCount {
		for _, p := range h.spouts.part(i) {
			if p.door == node {
				p.cut()
			}
		}
		for _, g := range h.gates.part(i) {
			if g.home == node {
				g.end(CloseSlow)
			}
		}
	}
}
