package signaling

import (
	"time"

	"parley/moderation"
)

// Times of a session.
const (
	// Grace is how long a session outlives its socket.
	Grace = 30 * time.Second
	// awayAfter is how long a socket must be gone before the peer is told.
	awayAfter = 3 * time.Second
	// enterWait is how long a session waits for a room to answer, longer than the room itself waits.
	enterWait = 8 * time.Second
	// knockEvery is how often it asks meanwhile: a letter to another node may be lost, or its node die.
	knockEvery = 2 * time.Second
)

// session is the machine behind one browser: it decides, and touches nothing. See phase.go for the
// transitions.
type session struct {
	self   Address
	device moderation.Device
	tag    string        // what the matcher knows the device by
	newID  func() string // unguessable ids

	phase     Phase
	search    *search // from Searching until the call is settled; nil after rejoin
	match     match   // from Offered to Entering
	call      membership
	entered   time.Time // when it was Entering last
	knock     time.Time // when to ask the room again; from Entering
	searches  bucket
	relays    bucket
	questions bucket
	work      work
	known     *known
	gaveUp    bool   // the desk knows that the device gave its token up, so that it is fresh
	calls     uint32 // how many this session has had
	draining  bool

	lost     time.Time // since when the socket is gone; zero while it is there
	awayTold bool

	out []Effect
}

// membership is the place in a room, from Entering to InRoom.
type membership struct {
	room   Address
	member string
	relay  string // the node whose relay the browser was told of last
	unsure bool   // the room must be asked how it stands, once there is a socket
	lone   bool   // it came back with a pass and has not heard of the peer since: this may be no call any more
	met    bool   // it has heard the peer, or came back with a pass and cannot know
	enter  ToRoom // Enter, Come, or Reenter from the room's first answer on: said again when it may be lost
	kind   RoomKind
	of     uint64 // the number of the frame that asked for a private room
	wish   *wish  // that room, until it has let this session in
}

func newSession(now time.Time, self Address, device moderation.Device, tag string, newID func() string) *session {
	return &session{
		self: self, device: device, tag: tag, newID: newID,
		searches: newBucket(now, 2.0/60, 40), relays: newBucket(now, 1.0/2, 4),
		questions: newBucket(now, 1.0/5, 10), lost: now,
	}
}

// Step changes the session by one event. The effects are valid until the next Step.
func (s *session) Step(now time.Time, e Event) []Effect {
	clear(s.out)
	s.out = s.out[:0]
	if s.phase == Gone {
		return s.out // what comes for its last ticket, the hub answers
	}
	switch e := e.(type) {
	case *Relay: // the first two come often
		s.relay(e)
	case Heard:
		s.read(e)
	case said:
		s.hear(now, e.frame)
	case *find:
		s.find(now, e)
	case rejoin:
		s.rejoin(now, e)
	case ToSession:
		s.letter(now, e)
	case joined:
		s.joined(now, e)
	case offered:
		s.offered(now, e.offer)
	case confirmed:
		s.confirmed(now, e)
	case wentLive:
		s.wentLive(now, e.match)
	case aborted:
		s.aborted(e)
	case answered:
		s.answered(e.frame)
	case attached:
		s.attached()
	case detached:
		s.detached(now)
	case tick:
		s.tick(now)
	default:
		s.note(now, e)
	}
	return s.out
}

// note takes what comes seldom: private rooms, and what concerns the node.
func (s *session) note(now time.Time, e Event) {
	switch e := e.(type) {
	case opens:
		s.opens(now, e)
	case found:
		s.found(e)
	case lapsed:
		s.askBy(now.Add(e.after))
	case stopSearches:
		s.draining = true
	case fallen:
		s.reenter(e.node)
		s.lostDoor(now, e.node)
	case torn:
		s.reenter(e.node)
		s.lostDoor(now, e.node)
	}
}

func (s *session) do(e Effect)      { s.out = append(s.out, e) }
func (s *session) send(m ToBrowser) { s.do(send{m}) }
func (s *session) refuse(of uint64, code ErrorCode, why string) {
	s.send(Refused{Of: of, Code: code, Text: why})
}

// tooMany refuses what may be asked for again after a time.
func (s *session) tooMany(of uint64, wait time.Duration, why string) {
	s.send(Refused{Of: of, Code: TooMany, Text: why, WaitMS: upTo(wait)})
}

// upTo is a time in whole milliseconds that is no shorter.
func upTo(d time.Duration) int64 { return int64((d + time.Millisecond - 1) / time.Millisecond) }

func (s *session) online() bool { return s.lost.IsZero() }

// hear answers a frame of the browser.
func (s *session) hear(now time.Time, m FromBrowser) {
	c, _ := m.number()
	switch m := m.(type) {
	case Cancel:
		s.cancel()
		s.send(Cancelled{})
	case Confirm:
		s.confirm(m)
	case Decline:
		if s.match.ID != m.Match || s.match.ID == "" {
			s.refuse(c, BadMatch, "no such match: wait for matched")
			return
		}
		s.cancel()
		s.send(Cancelled{})
	case Leave:
		s.leave()
	case Relays:
		s.freshRelays(now, c)
	case Report:
		s.do(report{m, s.running()})
	case Block:
		s.do(block{m, s.running()})
	case AskStanding, Erase, AskReview, AskAnswer:
		s.question(now, c, m)
	case Admit:
		s.admit(m)
	case TurnDoor:
		s.turnDoor(m)
	case Hello:
		s.refuse(c, BadState, "hello is the first frame only")
	case *Relay, Find, Rejoin, Make, EnterRoom, Ack, Pong: // all but the last two come as events of their own; those are no matter of ours
	}
}

// freshRelays answers a wish for credentials, each of which the relay must honour.
func (s *session) freshRelays(now time.Time, c uint64) {
	switch {
	case s.phase != InRoom:
		s.refuse(c, BadState, "no call: the relay is for calls only")
	case !s.relays.try(now):
		s.tooMany(c, s.relays.wait(now), "too many credentials of the relay: use the last, or wait 2 s")
	default:
		s.do(post{s.call.room, Want{s.self, s.call.member, c}})
	}
}

// relay passes an envelope on to the room. It is the one thing that happens often.
func (s *session) relay(m *Relay) {
	if s.phase != InRoom {
		s.refuse(m.C, BadState, "no call: wait for connected")
		return
	}
	s.do(post{s.call.room, &Say{Room: s.call.room.ID, Sender: s.self, C: m.C, From: s.call.member, To: m.To, Tail: m.Tail}})
}

// leave ends the call. A leave that crosses the end of the call finds nothing to do.
func (s *session) leave() {
	switch s.phase {
	case InRoom:
		s.do(post{s.call.room, Went{s.self, s.call.member, EndLeft}})
		s.idle()
		s.send(Ended{EndLeft})
	case Idle, Gone:
	case Searching, Offered, Confirmed, Entering, Knocking:
		s.cancel()
		s.send(Cancelled{})
	}
}

// enter goes into the room of a match that is live.
func (s *session) enter(now time.Time, at membership) {
	s.phase, s.entered, s.knock, s.call = Entering, now, now.Add(knockEvery), at
	if s.online() {
		s.do(post{s.call.room, s.entry()})
	}
}

func (s *session) rejoin(now time.Time, e rejoin) {
	switch {
	case s.phase != Idle:
		s.refuse(e.msg.C, BadState, "rejoin is possible only without a search and without a call")
	case e.pass == nil:
		s.refuse(e.msg.C, BadValue, "pass is not valid here or too old: the call cannot be rejoined")
	case !s.searches.try(now):
		s.tooMany(e.msg.C, s.searches.wait(now), "too many returns to a call: wait half a minute")
	default:
		room, again := Address{e.pass.Node, e.pass.Room}, *e.pass
		again.Turn = max(again.Turn+1, e.at.UnixMilli())
		s.enter(now, membership{room: room, member: again.Member, kind: again.Kind, met: true, enter: Reenter{From: s.self, pass: again}})
	}
}

// idle ends whatever there was.
func (s *session) idle() {
	s.phase, s.search, s.match, s.call = Idle, nil, match{}, membership{}
}

func (s *session) attached() {
	s.lost = time.Time{}
	if s.awayTold {
		s.awayTold = false
		s.do(post{s.call.room, Present{s.self, s.call.member}})
	}
	switch s.phase {
	case Searching:
		if s.search.want.ID == "" {
			s.stand()
		}
	case Entering:
		if s.call.wish != nil {
			s.seekAgain()
			return
		}
		s.do(post{s.call.room, s.entry()})
	case InRoom:
		if s.call.unsure {
			s.call.unsure = false
			s.do(post{s.call.room, s.entry()})
		}
	case Idle, Offered, Confirmed, Knocking, Gone:
	}
}

// detached keeps everything for the time of grace, except the place in the queue itself: nobody
// may be matched with a browser that is not there.
func (s *session) detached(now time.Time) {
	s.lost = now
	if s.phase == Searching {
		s.search.withdraw(s)
	}
}

func (s *session) tick(now time.Time) {
	if !s.online() {
		s.absent(now)
	}
	switch s.phase {
	case Searching:
		s.tickSearch(now)
	case Offered, Confirmed:
		s.tickMatch(now)
	case Knocking:
		s.tickDoor(now)
	case Entering:
		switch {
		case s.call.wish != nil:
			s.tickDoor(now)
		case now.Sub(s.entered) >= enterWait:
			s.do(post{s.call.room, Went{s.self, s.call.member, EndLeft}})
			s.again()
		case !now.Before(s.knock):
			s.knock = now.Add(knockEvery)
			if s.online() {
				s.do(post{s.call.room, s.entry()})
			}
		}
	case InRoom:
		s.settle(now)
	case Idle, Gone:
	}
}

// absent counts how long the socket has been gone.
func (s *session) absent(now time.Time) {
	gone := now.Sub(s.lost)
	if gone >= Grace {
		s.vanish()
		return
	}
	if gone >= awayAfter && s.phase == InRoom && !s.awayTold {
		s.awayTold = true
		s.do(post{s.call.room, Missing{s.self, s.call.member}})
	}
}

func (s *session) vanish() {
	if s.phase == InRoom {
		s.do(post{s.call.room, Went{s.self, s.call.member, EndPeerLost}})
	} else {
		s.cancel()
	}
	s.idle()
	s.phase = Gone
	s.do(vanish{})
}

// Deadline is when the session wants its next tick; zero for never.
func (s *session) Deadline() time.Time {
	var at time.Time
	soonest := func(t time.Time) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	if !s.online() && s.phase != Gone {
		soonest(s.lost.Add(Grace))
		if s.phase == InRoom && !s.awayTold {
			soonest(s.lost.Add(awayAfter))
		}
	}
	switch s.phase {
	case Searching:
		soonest(s.search.repeat)
		soonest(s.search.expires())
	case Offered, Confirmed:
		soonest(s.match.next)
		soonest(s.lostAt())
	case Knocking:
		soonest(s.entered.Add(doorTime + doorSlack))
	case Entering:
		soonest(s.entered.Add(enterWait))
		soonest(s.knock)
	case InRoom:
		soonest(s.settles())
	case Idle, Gone:
	}
	return at
}
