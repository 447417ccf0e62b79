package signaling

import (
	"sync/atomic"
	"time"
)

// line is what a client writes to and hears from: a socket of this node, or one of another node
// through a pipe.
type line struct {
	hub  *Hub
	wire wire

	// Guarded by the mutex of the client that hello found; nobody else uses them before.
	control []frame
	ackDue  bool
	writing bool
	closing CloseCode
	sent    bool // the close frame is out

	begun  atomic.Int64 // since when a frame is being read, Unix nanoseconds; 0 between frames
	pinged atomic.Int64 // when the unanswered ping was sent; 0 for none
}

// wire is where the frames of a line go. Its methods are called by one goroutine at a time.
type wire interface {
	// frame sends one; an error means that the wire is of no more use.
	frame(f outgoing) error
	// goodbye sends the close code, and ends the wire soon.
	goodbye(code CloseCode)
	// cut ends the wire without a word.
	cut()
}

// write writes what there is, and ends. The client has noted that it runs.
func (l *line) write(cl *client) {
	defer l.hub.wg.Done()
	for {
		out, code := cl.take(l)
		switch {
		case code != 0:
			l.wire.goodbye(code)
			return
		case out.kind == "":
			return
		}
		if out.kind == (Ping{}).kind() {
			l.pinged.Store(time.Now().UnixNano())
		}
		if err := l.wire.frame(out); err != nil {
			l.wire.cut()
			cl.stopWriting(l)
			return
		}
	}
}

// lapsed tells whether the browser is silent: a ping unanswered, or a frame begun and not ended.
func (l *line) lapsed(now time.Time) bool {
	over := func(since int64, limit time.Duration) bool {
		return since != 0 && now.UnixNano()-since >= int64(limit)
	}
	return over(l.pinged.Load(), pongWithin) || over(l.begun.Load(), frameWithin)
}

// kick lets the writer run if there is something to write. Called with mu held.
func (cl *client) kick() {
	if cl.line != nil {
		cl.kickLine(cl.line)
	}
}

func (cl *client) kickLine(l *line) {
	if !l.writing && !l.sent {
		l.writing = true
		cl.hub.wg.Add(1) // not Go, which makes two closures for each envelope
		go l.write(cl)
	}
}

// outgoing is a frame that leaves: n is 0 for one without a number, ack when there is nothing to
// acknowledge.
type outgoing struct {
	frame
	n, ack uint64
}

// take gives the writer its next frame. An empty frame ends the writer; a code tells it to close
// the socket.
func (cl *client) take(l *line) (outgoing, CloseCode) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	since, behind := cl.ring.waiting()
	if l == cl.line && behind && time.Since(since) >= slowAfter {
		cl.drop(CloseSlow)
		cl.postLocked(detached{})
	}
	if l.closing != 0 {
		l.writing, l.sent = false, true
		return outgoing{}, l.closing
	}
	if len(l.control) > 0 {
		f := l.control[0]
		l.control[0] = frame{}
		if l.control = l.control[1:]; len(l.control) == 0 {
			l.control = nil
		}
		return outgoing{frame: f}, 0
	}
	if l != cl.line {
		l.writing = false
		return outgoing{}, 0
	}
	if q, n, ok := cl.ring.take(); ok {
		l.ackDue, cl.told = false, cl.heard
		return outgoing{q.frame, n, cl.heard}, 0
	}
	if l.ackDue {
		l.ackDue, cl.told = false, cl.heard
		return outgoing{frameOf(Acked{}), 0, cl.heard}, 0
	}
	l.writing = false
	return outgoing{}, 0
}

// stopWriting notes that the writer has given up on a broken socket.
func (cl *client) stopWriting(l *line) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	l.writing, l.sent = false, true
}
