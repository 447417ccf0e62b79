package signaling

import (
	"crypto/subtle"
	"errors"
	"time"

	"parley/moderation"
)

// ackAfter is how many frames may go unacknowledged before an acknowledgement is sent by itself.
const ackAfter = 8

// client is a session with what it needs to act: its socket, its ring, its timer, its lane.
type client struct {
	mailbox[Event]
	hub    *Hub
	self   Address
	secret string // the second half of the token
	alarm  *timer
	lane   lane

	// Guarded by the mailbox.
	machine *session
	ring    ring
	line    *line     // nil while away
	ticket  string    // under which the hub finds this client
	phase   Phase     // as counted
	alarmAt time.Time // what alarm is set to
	heard   uint64    // the highest number received from the browser
	told    uint64    // the highest that it was told
}

func (h *Hub) newClient(now time.Time, device moderation.Device) *client {
	cl := &client{hub: h, self: Address{h.node, newID()}, secret: newID()}
	cl.machine = newSession(now, cl.self, device, h.cfg.Desk.Tag(device.Token), newID)
	cl.step = cl.carry
	cl.alarm = newTimer(func() { cl.post(tick{}) })
	return cl
}

func (cl *client) token() string { return token{cl.self.Node, cl.self.ID, cl.secret}.String() }

// welcome finds the client that hello asks for, or makes one, and gives it the socket. The answer
// is the first frame on the socket.
func (h *Hub) welcome(l *line, m Hello, network string) *client {
	now := time.Now()
	if t, ok := parseToken(m.Token); ok && t.node == h.node {
		if cl, ok := h.bus.clients.get(t.session); ok && cl.resume(now, l, m) {
			return cl
		}
	}
	fresh, age := h.cfg.Desk.Age(m.Device, m.Age, now)
	cl := h.newClient(now, moderation.Device{Token: m.Device, Digest: m.Digest, Net: network, Fresh: fresh})
	h.phases[Idle].Add(1)
	cl.mu.Lock()
	defer cl.mu.Unlock()
	h.bus.clients.put(cl.self.ID, cl)
	cl.attach(l, false, age)
	return cl
}

// resume takes the socket if m names this session, and replaces the one that it may still have.
func (cl *client) resume(now time.Time, l *line, m Hello) bool {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	secret := subtle.ConstantTimeCompare([]byte(m.Token), []byte(cl.token())) == 1
	if !secret || m.Device != cl.machine.device.Token || cl.phase == Gone || cl.full() || !cl.ring.rewind(now, m.Last) {
		return false
	}
	if cl.line != nil {
		cl.drop(CloseReplaced)
	}
	cl.attach(l, true, "")
	cl.hub.counts.resumed.Add(1)
	return true
}

// attach is called with mu held. Age is what the browser shall keep, "" for nothing new.
func (cl *client) attach(l *line, resumed bool, age string) {
	cl.line, cl.told = l, cl.heard
	l.control = append(l.control, frameOf(Welcome{cl.token(), resumed, cl.heard, Grace.Milliseconds(), age}))
	cl.postLocked(attached{})
	cl.kick()
}

// drop says goodbye to the socket; whatever still comes in on it is not heard. Called with mu held.
func (cl *client) drop(code CloseCode) {
	l := cl.line
	cl.line = nil
	l.closing = code
	cl.kickLine(l)
	cl.hub.closed(code)
}

// shut closes l with code, unless it was replaced or closed before.
func (cl *client) shut(l *line, code CloseCode) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if cl.line == l {
		cl.drop(code)
		cl.postLocked(detached{})
	}
}

// detach notes that l is gone.
func (cl *client) detach(l *line) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if cl.line == l {
		cl.line = nil
		cl.postLocked(detached{})
	}
}

// fail answers a frame that could not be read. It reports false when nothing more can be.
func (cl *client) fail(l *line, err error) bool {
	fault := new(Fault)
	switch {
	case !errors.As(err, &fault):
		return false
	case fault.Close != 0:
		cl.shut(l, fault.Close)
	default:
		cl.refuse(l, *fault)
	}
	return true
}

// hear takes in a frame: once, and only from the present socket.
func (cl *client) hear(now time.Time, l *line, m FromBrowser) {
	var e Event
	if relay, often := m.(*Relay); often {
		e = relay
	} else {
		e = cl.open(now, m)
	}
	number, ack := m.number()
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if cl.line != l {
		return
	}
	if code := cl.refuses(m, e); code != 0 {
		cl.drop(code) // before it is counted: it will be sent again
		cl.postLocked(detached{})
		return
	}
	cl.ring.ack(ack)
	if !cl.count(number) || e == nil {
		return
	}
	cl.postLocked(e)
	cl.owe()
}

// refuses returns with which code to close the socket instead of hearing a frame; 0 to hear it. A
// search on a node that stops belongs elsewhere, where the browser comes back to.
func (cl *client) refuses(m FromBrowser, e Event) CloseCode {
	finds := begins(m)
	switch {
	case e == nil:
		return 0
	case cl.full() || cl.asksTooMuch(m):
		return CloseSlow
	case finds && cl.machine.draining && !cl.hub.Alone():
		return CloseDrain
	}
	return 0
}

// begins tells whether a frame begins something that would not end before a node that stops does.
func begins(m FromBrowser) bool {
	switch m.(type) {
	case Find, Make, EnterRoom:
		return true
	default:
		return false
	}
}

// asksTooMuch tells whether so many questions of this browser to the store wait that it may not
// cause any more.
func (cl *client) asksTooMuch(m FromBrowser) bool {
	_, often := m.(*Relay) // which asks nothing
	return !often && cl.hub.jobs.waiting(&cl.lane) >= laneMost
}

// refuse answers a frame that could not be read.
func (cl *client) refuse(l *line, f Fault) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	if cl.line != l || !cl.count(f.Of) {
		return
	}
	cl.postLocked(answered{Refused{Of: f.Of, Code: f.Code, Text: f.Text}})
}

// count notes a frame's number. It reports false for one that was heard before.
func (cl *client) count(number uint64) bool {
	if number == 0 {
		return true
	}
	if number <= cl.heard {
		return false
	}
	cl.heard = number
	return true
}

// owe sends an acknowledgement when many frames went by without one.
func (cl *client) owe() {
	if l := cl.line; l != nil && cl.heard-cl.told >= ackAfter {
		l.ackDue = true
		cl.kick()
	}
}

// open turns a frame into an event, opening its tokens. Nil means that it is no event.
func (cl *client) open(now time.Time, m FromBrowser) Event {
	device := cl.machine.device.Token
	switch m := m.(type) {
	case Find:
		var e Event
		aside(func() { e = cl.openFind(now, m) })
		return e
	case Rejoin:
		return rejoin{m, cl.hub.tokens.openPass(now, device, m.Pass), cl.hub.cfg.Queue.Now()}
	case Ack, Pong:
		return nil
	case *Relay:
		return m
	case Make:
		return cl.openMake(m)
	case EnterRoom:
		return cl.openEnter(m)
	case Admit, TurnDoor, Hello, Cancel, Confirm, Decline, Leave, Relays, Report, Block, AskStanding, Erase, AskReview, AskAnswer:
		return said{m}
	}
	return nil
}

// openFind opens the tokens of a search.
func (cl *client) openFind(now time.Time, m Find) Event {
	if len(m.Avoid) > maxAvoid {
		return answered{Refused{Of: m.C, Code: BadValue, Text: "avoid: at most 128 tokens"}}
	}
	work, crowd := cl.hub.cfg.Work, cl.hub.meter.Count(now)
	return &find{
		msg:    m,
		avoid:  cl.hub.tokens.openAvoid(cl.hub.cfg.Queue.Now(), cl.machine.device.Token, m.Avoid),
		place:  cl.openPlace(cl.hub.cfg.Queue.Now(), m.Place),
		zeros:  work.Bits(cl.machine.device.Fresh, crowd),
		asNew:  work.Bits(true, crowd),
		solves: cl.hub.press.Solved(cl.self.ID, m.Proof, now), pays: work.Pays,
	}
}

// openPlace opens a place, and ignores one of another session that still lives: it would stand twice.
func (cl *client) openPlace(now time.Time, sealed string) place {
	p := cl.hub.tokens.openPlace(now, cl.machine.device.Token, sealed)
	if _, lives := cl.hub.bus.clients.get(p.session); lives && p.session != cl.self.ID {
		return place{}
	}
	return p
}

// suggest sends a frame without a number, if there is a socket with room. Called with mu held.
func (cl *client) suggest(m ToBrowser) {
	if l := cl.line; l != nil && len(l.control) < controls {
		l.control = append(l.control, frameOf(m))
		cl.kick()
	}
}

// hint is suggest for who does not hold mu.
func (cl *client) hint(m ToBrowser) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	cl.suggest(m)
}

// beat pings the socket, and cuts it when the last ping was not answered.
func (cl *client) beat(now time.Time, ping bool) {
	cl.mu.Lock()
	defer cl.mu.Unlock()
	l := cl.line
	switch {
	case l == nil:
	case l.lapsed(now):
		cl.drop(CloseSilent)
		cl.postLocked(detached{})
	case ping:
		cl.suggest(Ping{})
	}
}

// carry steps the machine: frames go into the ring at once, everything else is done without the lock.
func (cl *client) carry(e Event) {
	now := time.Now()
	if _, fired := e.(tick); fired {
		cl.alarmAt = time.Time{}
	}
	effects := cl.machine.Step(now, e)
	cl.settle()
	remote := effects[:0]
	for _, e := range effects {
		if rest := cl.push(now, e); rest != nil {
			remote = append(remote, rest)
		}
	}
	if _, behind := cl.ring.waiting(); behind {
		cl.kick()
	}
	if len(remote) == 0 {
		return
	}
	cl.mu.Unlock()
	defer cl.mu.Lock()
	for _, e := range remote {
		cl.hub.do(cl, e)
	}
}

// settle keeps the timer and the counts as the machine has them.
func (cl *client) settle() {
	if at := cl.machine.Deadline(); !at.Equal(cl.alarmAt) { // or every envelope would take the lock of all timers
		cl.alarmAt = at
		cl.hub.timers.set(cl.alarm, at)
	}
	if p := cl.machine.phase; p != cl.phase {
		cl.hub.phases[cl.phase].Add(-1)
		cl.hub.phases[p].Add(1)
		cl.hub.totals.moved(cl.phase, p, cl.machine.searchedSince())
		cl.phase = p
	}
}

// push carries out the effects that are frames for the browser, and returns the others.
func (cl *client) push(now time.Time, e Effect) Effect {
	switch e := e.(type) {
	case send:
		cl.hub.totals.told(e.frame)
		cl.queue(now, frameOf(e.frame))
	case hint:
		cl.suggest(e.notice)
	case sendQueued:
		e.msg.Place = cl.hub.tokens.sealPlace(cl.hub.cfg.Queue.Now(), cl.machine.device.Token, e.place)
		cl.queue(now, frameOf(e.msg))
	case sendPuzzle:
		cl.hub.totals.puzzles.Add(1)
		cl.queue(now, frameOf(cl.puzzleOf(now, e)))
	case sendConnected:
		cl.queue(now, frameOf(cl.hub.connected(e.at, e.ice)))
	case sendJoined:
		cl.queue(now, frameOf(cl.hub.joined(e.at)))
	case forward:
		f := frame{kind: "relay", from: e.say.From, tail: e.say.Tail}
		if !cl.ring.fits(f.size()) {
			return bounce{e.say.Sender, Undelivered{e.say.Room, e.say.C, PeerBusy}}
		}
		cl.queue(now, f)
	case join, quit, confirm, abort, report, block, inquire, post, bounce, vanish, seekRoom, seekBack:
		return e
	}
	return nil
}

// queue puts a frame in the ring. A browser for which not even the server's own frames have room
// has not read for long, although nothing but them was added: it is cut, and starts anew.
func (cl *client) queue(now time.Time, f frame) {
	if !cl.ring.push(now, f) && cl.line != nil {
		cl.drop(CloseSlow)
		cl.waiting = append(cl.waiting, detached{})
	}
}
