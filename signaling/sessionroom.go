package signaling

import "time"

// letter answers a letter from a room, which may be of those that only private rooms write.
func (s *session) letter(now time.Time, l ToSession) {
	switch l := l.(type) {
	case Welcomed:
		s.welcomed(l)
	case Waits:
		s.waits(now, l)
	case Turned:
		s.turned(l)
	case Knocked:
		s.inside(l.Room, Knock{l.Who, l.State})
	case MemberIs:
		s.inside(l.Room, Member{l.Member, l.State})
	case DoorIs:
		s.inside(l.Room, Door{l.Knock})
	case Moved:
		s.moved(now, l.To)
	case Astray:
		if back, is := s.entry().(Reenter); is && l.Room == s.call.room.ID {
			s.do(seekBack{back})
		}
	default:
		s.read(l)
	}
}

// read answers a letter from a room or a peer.
func (s *session) read(l ToSession) {
	switch l := l.(type) {
	case Heard:
		s.heard(l)
	case Opened:
		s.opened(l)
	case Granted:
		if s.in(l.Room) {
			s.send(FreshRelays{l.Ice})
		}
	case Recheck:
		s.recheck(l)
	case Failed:
		if l.Room == s.call.room.ID && (s.phase == Entering || s.phase == InRoom) {
			s.again()
		}
	case PeerIs:
		s.peerIs(l)
	case Over:
		if s.in(l.Room) {
			s.idle()
			s.send(Ended{l.Why})
		}
	case Undelivered:
		if s.in(l.Room) {
			s.refuse(l.C, l.Code, undelivered(l.Code))
		}
	default: // of private rooms: see letter
	}
}

// peerIs passes on how the socket of the peer is.
func (s *session) peerIs(l PeerIs) {
	if s.in(l.Room) {
		s.call.lone = s.call.lone && l.State != PeerBack
		s.send(Peer{l.State})
	}
}

// heard passes on what the peer says.
func (s *session) heard(l Heard) {
	if s.in(l.Say.Room) {
		s.call.met, s.call.lone = true, false
		s.do(forward{say: l.Say})
	}
}

// opened goes into the room. In a call already, it says that letters were lost, or that the room was
// made anew on a node whose relay the call must now use.
func (s *session) opened(l Opened) {
	if l.Room != s.call.room.ID || (s.phase != Entering && (s.phase != InRoom || !l.Back)) {
		return
	}
	inside, moved := s.phase == InRoom, s.call.relay != l.Node
	s.call.room.Node, s.call.relay, s.call.enter = l.Node, l.Node, Reenter{From: s.self, pass: l.pass}
	switch {
	case !inside:
		s.phase, s.match, s.call.lone = InRoom, match{}, l.Back
		s.calls++
		s.do(sendConnected{l.pass, l.Ice})
		if l.Node != s.self.Node && !l.Back {
			s.do(post{s.call.room, Present{s.self, s.call.member}}) // the room waits for a word
		}
		return
	case moved:
		s.send(FreshRelays{l.Ice})
	}
	s.send(Peer{PeerBack})
}

// recheck says that this session is not in the room, if so. Who is comes back by itself: it has heard
// of the loss too.
func (s *session) recheck(l Recheck) {
	switch {
	case s.phase == Entering && s.call.room.ID == l.Room.ID:
		s.do(post{l.Room, s.entry()}) // the answer to the first was lost
	case s.phase == Knocking && s.call.room.ID == l.Room.ID: // it asks by itself
	case !s.in(l.Room.ID):
		s.do(post{l.Room, Went{s.self, l.Member, EndPeerLost}})
	}
}

// moved follows the room to another node.
func (s *session) moved(now time.Time, to Address) {
	if to.ID != s.call.room.ID || to == s.call.room || (s.phase != Entering && s.phase != Knocking && s.phase != InRoom) {
		return
	}
	s.call.room = to
	if s.call.wish != nil {
		s.phase, s.entered = Entering, now
	}
	if s.phase == InRoom {
		s.reenter(to.Node)
		return
	}
	s.do(post{s.call.room, s.entry()})
}

// reenter asks the room how it stands: its node fell, or letters were lost. Without a socket it waits
// for one, since the browser may have another session by now.
func (s *session) reenter(node string) {
	switch {
	case s.phase != InRoom || s.call.room.Node != node:
	case !s.online():
		s.call.unsure = true
	default:
		s.do(post{s.call.room, s.entry()})
	}
}

// entry is the letter with which this session comes into its room, at first or again.
func (s *session) entry() ToRoom {
	if r, back := s.call.enter.(Reenter); back {
		r.Met = s.call.met
		return r
	}
	return s.call.enter
}

// running is the call that this session is in; empty if it is in none. A room that somebody made anew
// with a pass, alone, is none: else a call that is over could be reported while a pass is good.
func (s *session) running() string {
	if s.phase != InRoom || s.call.lone || s.call.kind != "" {
		return ""
	}
	return s.call.room.ID
}

// in tells whether this session is in a call in room.
func (s *session) in(room string) bool { return s.phase == InRoom && s.call.room.ID == room }
