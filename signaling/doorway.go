package signaling

import "time"

// doorSlack is how long a session waits for the room's own word that nobody has opened the door.
const doorSlack = 5 * time.Second

type (
	// opens is a Make or an EnterRoom whose tag was looked at.
	opens struct {
		c    uint64
		wish wish
		bad  string // what is wrong with it; "" for nothing
	}
	// found answers seekRoom.
	found struct {
		room  string
		state string
		home  string
		spent spent
		err   error
	}
)

func (opens) event() {}
func (found) event() {}

type (
	// seekRoom asks the store which node carries a private room. Unpaid, it is counted first. The answer
	// is found.
	seekRoom struct {
		wish   wish
		unpaid bool
	}
	// seekBack brings a letter to the room of a pass, which is not where it was.
	seekBack struct{ letter Reenter }
	// sendJoined makes the pass and sends joined.
	sendJoined struct{ at Welcomed }
)

func (seekRoom) effect()   {}
func (seekBack) effect()   {}
func (sendJoined) effect() {}

// opens goes to a private room.
func (s *session) opens(now time.Time, e opens) {
	switch {
	case s.phase != Idle:
		s.refuse(e.c, BadState, "there is a search, a call or a room already: cancel or leave it first")
	case s.draining:
		s.refuse(e.c, Unavailable, "this node stops: come back and open the room there")
	case e.bad != "":
		s.refuse(e.c, BadValue, e.bad)
	case !s.searches.try(now):
		s.tooMany(e.c, s.searches.wait(now), "too many rooms and searches: wait half a minute")
	default:
		w, member := e.wish, s.newID()
		w.life = s.newID()
		s.phase, s.entered, s.knock = Entering, now, now.Add(knockEvery)
		s.call = membership{
			room: Address{ID: w.id}, member: member, kind: w.kind, of: e.c, wish: &w,
			enter: Come{s.self, member, s.device, w.kind},
		}
		s.do(seekRoom{w, true})
	}
}

// found goes to the node that carries the room.
func (s *session) found(e found) {
	if s.phase != Entering || s.call.wish == nil || s.call.room.ID != e.room {
		return // cancelled meanwhile
	}
	of := s.call.of
	switch {
	case e.spent.wait > 0:
		s.idle()
		s.tooMany(of, e.spent.wait, e.spent.roomSays())
	case e.err != nil:
		s.idle()
		s.refuse(of, Unavailable, awayText)
	case e.state == roomOpen:
		s.call.room.Node = e.home
		if s.online() {
			s.do(post{s.call.room, s.entry()})
		}
	default:
		s.shut(shutOf(e.state))
	}
}

const awayText = "the store is away: try again in a few seconds"

func shutOf(state string) ShutWhy {
	switch state {
	case roomBurnt:
		return ShutBurnt
	case roomTaken:
		return ShutTaken
	}
	return ShutUnknown
}

// shut ends the way into a room.
func (s *session) shut(why ShutWhy) {
	of := s.call.of
	s.idle()
	s.send(Shut{of, why})
}

// turned takes the word of a room that this session does not come in.
func (s *session) turned(l Turned) {
	switch {
	case l.Room != s.call.room.ID || s.call.kind == "":
	case s.phase == InRoom || (s.phase == Entering && s.call.wish == nil): // it was in there, and came back
		s.idle()
		s.send(Ended{EndOver})
	case s.phase != Entering && s.phase != Knocking:
	case l.Why == ShutAway:
		of := s.call.of
		s.idle()
		s.refuse(of, Unavailable, awayText)
	default:
		s.shut(l.Why)
	}
}

// waits stands at the door.
func (s *session) waits(now time.Time, l Waits) {
	if l.Room == s.call.room.ID && s.phase == Entering && s.call.wish != nil {
		s.phase, s.entered = Knocking, now
		s.send(AtDoor{s.call.of, doorTime.Milliseconds()})
	}
}

// welcomed goes into a private room, or hears how it stands.
func (s *session) welcomed(l Welcomed) {
	comes := s.phase == Entering || s.phase == Knocking
	if l.Room != s.call.room.ID || s.call.kind == "" || (!comes && (s.phase != InRoom || !l.Back)) {
		return
	}
	if comes {
		s.calls++
	}
	s.phase, s.match = InRoom, match{}
	s.call.room.Node, s.call.relay, s.call.wish = l.Node, l.Node, nil
	s.call.enter = Reenter{From: s.self, pass: l.pass}
	s.do(sendJoined{l})
}

// admit passes on a word about somebody at the door.
func (s *session) admit(m Admit) {
	if s.insider(m.C) {
		s.do(post{s.call.room, Admits{s.self, s.call.member, m.C, m.Member, m.Yes}})
	}
}

// turnDoor passes on whether one shall knock.
func (s *session) turnDoor(m TurnDoor) {
	switch {
	case !s.insider(m.C):
	case s.call.kind != LinkRoom:
		s.refuse(m.C, BadValue, "a channel has no door: its members lock it among themselves")
	default:
		s.do(post{s.call.room, Turns{s.self, s.call.member, m.C, m.Knock}})
	}
}

// insider tells whether the session is in a private room. If not, it has refused frame c.
func (s *session) insider(c uint64) bool {
	if s.phase == InRoom && s.call.kind != "" {
		return true
	}
	s.refuse(c, BadState, "you are in no private room: wait for joined")
	return false
}

// inside tells what happens in a private room to who is in it.
func (s *session) inside(room string, m ToBrowser) {
	if s.in(room) {
		s.send(m)
	}
}

// tickDoor gives up at a door, or asks again for a room that does not answer.
func (s *session) tickDoor(now time.Time) {
	over := s.entered.Add(enterWait)
	if s.phase == Knocking {
		over = s.entered.Add(doorTime + doorSlack)
	}
	switch {
	case !now.Before(over):
		s.goAway()
		if s.phase == Knocking {
			s.shut(ShutNobody)
			return
		}
		of := s.call.of
		s.idle()
		s.refuse(of, Unavailable, "the room does not answer: try again in a few seconds")
	case s.phase == Entering && !now.Before(s.knock):
		s.knock = now.Add(knockEvery)
		s.seekAgain()
	}
}

// seekAgain asks the store once more which node carries the room.
func (s *session) seekAgain() {
	if s.online() {
		s.do(seekRoom{wish: *s.call.wish})
	}
}

// goAway leaves the room of which the session does not know whether it has let it in.
func (s *session) goAway() {
	if s.call.wish == nil || s.call.room.Node != "" {
		s.do(post{s.call.room, Went{s.self, s.call.member, EndLeft}})
	}
}

// lostDoor looks for a room again whose node died while this session stood at its door, or with which
// letters were lost.
func (s *session) lostDoor(now time.Time, node string) {
	if s.phase == Knocking && s.call.room.Node == node {
		s.phase, s.entered, s.knock = Entering, now, now.Add(knockEvery)
		s.seekAgain()
	}
}
