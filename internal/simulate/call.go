package simulate

import (
	"encoding/binary"
	"strings"
	"time"

	"parley/internal/envelope"
	"parley/internal/history"
)

// room is the call that this person is in, or was in last.
func (p *Person) room() string {
	if p.call == nil {
		return p.lastRoom
	}
	return p.call.room
}

// connected begins a call, or goes on with one that the server had forgotten.
func (p *Person) connected(now time.Duration, f connected) {
	match := p.match
	if p.call != nil {
		match = p.call.match
	}
	p.note(history.Event{
		Got: f.T, Room: f.Room, Me: f.Me, Peer: f.Peer, Match: match, Token: p.avoid(f.Avoid),
	})
	if c := p.call; c != nil && c.room == f.Room && c.me == f.Me && c.peer == f.Peer {
		c.handle, c.pass, c.back = f.Handle, f.Pass, false
		p.count("calls rejoined")
		p.moveSound(f.Ice)
		p.resync(now)
		return
	}
	if p.call == nil && f.Room == p.lastRoom {
		p.count("crossed")
		return // the answer to our rejoin, behind which our leave is on its way
	}
	if !p.Searches() {
		p.lastRoom = f.Room
		p.send(now, bare("leave"), history.Event{Room: f.Room})
		return
	}
	secret := make([]byte, 0, 32)
	for range 4 {
		secret = binary.BigEndian.AppendUint64(secret, p.rnd.Uint64())
	}
	seal, err := envelope.New(f.Room, f.Me, f.Peer, secret)
	if err != nil {
		p.count("call without a key")
		p.send(now, bare("leave"), history.Event{Room: f.Room})
		return
	}
	p.call = &talk{
		room: f.Room, me: f.Me, peer: f.Peer, role: f.Role, match: match, handle: f.Handle, pass: f.Pass,
		began: now, seal: seal,
	}
	lasts := around(p.rnd, 2*p.like.Talk) // the one who has enough first ends it
	if chance(p.rnd, p.like.Skip) {
		lasts = around(p.rnd, 2*time.Second)
	}
	p.phase, p.match, p.actAt, p.lastRoom = talking, "", 0, f.Room
	p.call.leaveAt = now + max(lasts, 200*time.Millisecond)
	p.planCut(now, lasts)
	p.count("calls")
	p.helloPeer(now)
	p.beginSound(now, f.Ice)
}

func (p *Person) helloPeer(now time.Duration) {
	seq, box := p.call.seal.Hello()
	p.post(now, 0, seq, box)
}

// post sends an envelope. k is the number of the text in it.
func (p *Person) post(now time.Duration, k, seq uint64, box string) {
	p.count("envelopes sent")
	o := envelopeTo(p.call.peer, seq, box)
	o.k = k
	p.send(now, o, history.Event{Room: p.call.room, Seq: seq})
}

// resync says again what the peer may have missed.
func (p *Person) resync(now time.Duration) {
	if !p.call.seal.Ready() || p.call.heard == 0 {
		p.helloPeer(now)
	}
}

func (p *Person) peerIs(now time.Duration, state string) {
	p.count("peer " + state)
	if p.call == nil {
		return
	}
	p.call.sound.disturbed = true
	if state == "back" {
		p.call.reset = true
		p.resync(now)
		p.repeatSound()
	}
}

// mostEarly is how many envelopes wait for the key that was refused before them.
const mostEarly = 64

// early is an envelope that came before its key.
type early struct {
	at    time.Duration
	frame relayed
	noted bool // it is in the history
}

// relayed takes an envelope. One that came before its key waits for it.
func (p *Person) relayed(now, at time.Duration, f relayed) {
	c := p.call
	if c == nil {
		p.note(history.Event{Got: f.T, Room: p.lastRoom, Seq: f.Seq})
		return // it crossed our leave
	}
	if !c.any {
		c.any = true
		p.took(First, at-c.began)
	}
	if f.From == c.peer && c.seal.Early(f.Box) {
		p.note(history.Event{Got: f.T, Room: c.room, Seq: f.Seq}) // now: its key may come much later, or never
		if len(c.early) < mostEarly {
			c.early = append(c.early, early{at, f, true})
		}
		return
	}
	p.unseal(now, early{at, f, false})
}

// unseal opens an envelope whose key is there, or that is the key. One that came before its key is in
// the history already, and stands there once more only if it does not open.
func (p *Person) unseal(now time.Duration, came early) {
	c, f := p.call, came.frame
	wasReady := c.seal.Ready()
	plain, err := c.seal.Open(f.Seq, f.Box)
	e := history.Event{Got: f.T, Room: c.room, Seq: f.Seq}
	if err != nil || f.From != c.peer {
		e.Why = "bad"
		p.count("envelopes that do not open")
	}
	if !came.noted || e.Why != "" {
		p.note(e)
	}
	if e.Why != "" {
		return
	}
	p.count("envelopes received")
	if plain != "" {
		p.judge(now, came.at, plain)
	} else if !wasReady && c.role == "offer" && !c.sound.on {
		c.describe(now, p.rnd, "offer")
	}
	waiting := c.early
	c.early = nil
	for _, e := range waiting {
		p.unseal(now, e)
	}
	p.say(now)
}

// judge takes a text of the peer.
func (p *Person) judge(now, at time.Duration, plain string) {
	t, v := p.call.hear(p.run, plain)
	if v != fine {
		p.count(string(v))
	}
	if v == foreign || v == altered || v == doubled {
		return
	}
	if t.Away || p.link.absent(time.Duration(t.At)) {
		p.count("envelopes after an absence")
	} else {
		p.took(Envelope, at-time.Duration(t.At))
	}
	if t.G > 0 {
		p.hearSound(t)
		return
	}
	if t.What == "offer" && !p.call.described {
		p.call.describe(now, p.rnd, "answer")
	}
}

// say says what is due.
func (p *Person) say(now time.Duration) {
	c := p.call
	if !c.seal.Ready() || c.back {
		return
	}
	for _, l := range c.due(now) {
		plain, err := c.write(p.run, l, p.link.absent(l.at))
		if err != nil {
			p.count("text could not be written")
			continue
		}
		seq, box, err := c.seal.Seal(plain)
		if err != nil {
			p.count("text could not be sealed")
			continue
		}
		p.post(now, c.said, seq, box)
		if l.what == "word" {
			p.do(Secret{"text", plain})
			p.do(Secret{"envelope", box})
			c.later(l.at+around(p.rnd, wordEvery), "word", wordSize)
		}
	}
}

// ended ends a call at the server's word.
func (p *Person) ended(now time.Duration, f because) {
	p.note(history.Event{Got: f.T, Why: f.Why, Room: p.room()})
	if p.call == nil {
		return // the answer to our own leave
	}
	p.hangUp()
	switch {
	case p.stops, !chance(p.rnd, p.like.Next):
		p.bye(now)
	default:
		p.rest(now, pauseAfterPeer)
	}
}

// hangUp forgets the call.
func (p *Person) hangUp() {
	for range p.call.lost() {
		p.count("envelopes lost")
	}
	if p.call.sound.gen > 0 {
		p.do(SoundOff{})
	}
	p.link.forget()
	p.call, p.phase, p.cutAt = nil, resting, 0
}

// leave ends a call at this person's wish, and goes on to the next or away.
func (p *Person) leave(now time.Duration) {
	c := p.call
	goesOn := !p.stops && chance(p.rnd, p.like.Next)
	if !goesOn && !p.stops && chance(p.rnd, p.like.Vanish) {
		p.count("vanished")
		p.vanish(true)
		return
	}
	if chance(p.rnd, p.like.Report/2) { // either side may
		reasons := strings.Fields(reportsReason)
		p.owe(now, report(c.handle, reasons[p.rnd.IntN(len(reasons))]), c.room)
	}
	if chance(p.rnd, p.like.Block/2) {
		p.owe(now, with("block", "handle", c.handle), c.room)
	}
	p.send(now, bare("leave"), history.Event{Room: c.room})
	p.hangUp()
	if goesOn {
		p.search(now)
		return
	}
	p.bye(now)
}

// owe sends what must be answered, if need be in another session.
func (p *Person) owe(now time.Duration, o outgoing, room string) {
	p.owed = append(p.owed, o)
	p.send(now, o, history.Event{Room: room})
}

// bye goes away for good once the last answers had time to arrive.
func (p *Person) bye(now time.Duration) {
	p.phase, p.cutAt, p.retryAt = leaving, 0, 0
	p.actAt = now + lastWords
}

// vanish goes away for good at once.
func (p *Person) vanish(abrupt bool) {
	p.note(history.Event{Did: history.Went})
	if p.link.socket {
		p.do(HangUp{Abrupt: abrupt})
	}
	p.link.end()
	if p.call != nil {
		p.hangUp()
	}
	p.phase = away
	p.do(Gone{})
}

// stop ends the run: whatever there is ends as people end it.
func (p *Person) stop(now time.Duration) {
	p.stops = true
	switch p.phase {
	case talking:
		p.leave(now)
	case searching, offered:
		p.cancel(now)
	case resting:
		p.bye(now)
	case leaving, away:
	}
}

func (p *Person) cancel(now time.Duration) {
	p.send(now, bare("cancel"), history.Event{})
	p.bye(now)
}

// tick does what this person does by itself when the time has come.
func (p *Person) tick(now time.Duration) {
	if due(p.retryAt, now) {
		p.find(now)
	}
	if p.phase == offered && due(p.confirmAt, now) {
		p.confirm(now)
	}
	if c := p.call; c != nil {
		p.say(now)
		p.missSound(now)
		if due(c.leaveAt, now) {
			p.leave(now)
			return
		}
	}
	if p.link.ready && due(p.cutAt, now) {
		p.cutAt = 0
		p.count("sockets dropped")
		p.link.cut(now, between(p.rnd, shortestAway, longestAway))
	}
	if due(p.actAt, now) {
		p.actAt = 0
		p.act(now)
	}
}

func (p *Person) act(now time.Duration) {
	switch p.phase {
	case resting:
		p.search(now)
	case searching, offered:
		p.count("patience lost")
		p.cancel(now)
	case leaving:
		p.count("went")
		p.vanish(false)
	case talking, away:
	}
}

// refused answers an error.
func (p *Person) refused(now time.Duration, f refusal) {
	about, known := p.link.numbers.frame(f.Of)
	p.note(history.Event{Got: f.T, Code: f.Code, About: about.kind, Seq: about.seq, Room: p.room()})
	switch {
	case f.Code == "peer_busy" && known && p.call != nil:
		p.count("peer_busy")
		p.call.refused = append(p.call.refused, about.k)
		if !p.link.busy(now, about) {
			p.count("envelopes given up")
		}
		return
	case p.call == nil && (about.kind == "relay" || f.Code == "bad_state" || f.Code == "peer_busy"):
		p.count("crossed") // the end of the call was on its way
		return
	case about.kind == "decline": // a match that crossed our cancel
		p.count("crossed")
		return
	case about.kind == "confirm" && (p.phase != offered || !strings.Contains(about.rest, p.match)):
		p.count("crossed")
		return
	}
	p.count("error " + f.Code)
	p.mend(now, f.Code, about)
}

// mend does what the page does about an error.
func (p *Person) mend(now time.Duration, code string, about outgoing) {
	switch about.kind {
	case "find":
		p.again(now, code)
	case "confirm":
		if code == "unavailable" {
			p.link.resend = append(p.link.resend, resend{now + retryWait, about})
			return
		}
		if p.phase == offered {
			p.phase, p.match = searching, ""
		}
	case "report", "block", "rejoin", "leave", "cancel":
		if code == "unavailable" {
			p.link.resend = append(p.link.resend, resend{now + retryWait, about})
			return
		}
		if about.kind == "rejoin" && p.call != nil { // it cannot be had again
			p.hangUp()
			p.rest(now, pauseAfterPeer)
			return
		}
		for i, o := range p.owed {
			if o == about {
				p.owed = append(p.owed[:i:i], p.owed[i+1:]...)
				return
			}
		}
	}
}

// again repeats a find that was refused.
func (p *Person) again(now time.Duration, code string) {
	if !p.Searches() {
		return
	}
	switch code {
	case "bad_proof": // a puzzle follows
	case "bad_value":
		p.place = ""
		p.find(now)
	case "too_many":
		p.retryAt = now + tooManyWait
	default:
		p.retryAt = now + retryWait
	}
}
