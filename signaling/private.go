package signaling

import (
	"slices"
	"time"
)

// atDoorMost is how many may stand at one door. More are told that the room is full.
const atDoorMost = 8

// tagged is what a room has that people find by a tag, and a call of strangers has not.
type tagged struct {
	life    string
	loaded  bool      // it is known what room this is: from the store, or from the pass of who came back
	read    bool      // the store has told what it keeps
	asked   bool      // the store is being asked
	again   bool      // and must be once more: something has changed since
	knock   bool      // a member must let people in
	turned  bool      // a member has said so, whatever the store keeps
	used    bool      // two were in it at once
	expires time.Time // of a link that is not used; zero otherwise
	settles time.Time // until when only those come in who were in it before; zero for now
	door    []caller  // in order of arrival
	ending  ending    // how it ends, once closed
	gaveUp  time.Time // when an end that the store does not take is given up
}

// caller stands at the door.
type caller struct {
	who   Come
	until time.Time
	rung  bool // the members were told
	waits bool // its session was told that it must wait
}

// ending is what becomes of a tag when the last member has left.
type ending string

const (
	endBurn ending = "burn" // it opens nothing any more
	endDrop ending = "drop" // it is forgotten
	endFree ending = "free" // it is as good as before
)

// come takes somebody to the door.
func (r *room) come(now time.Time, l Come) {
	if r.state == closed {
		return // it asks the store again, which knows better soon
	}
	if m := r.find(l.Member); m != nil { // its answer was lost
		m.at = l.From
		r.welcome(now, m, reFirst)
		return
	}
	if i := r.caller(l.Member); i >= 0 {
		r.tags.door[i].who.From = l.From
		r.tags.door[i].waits = false
		r.attend(now)
		return
	}
	if len(r.tags.door) >= atDoorMost {
		r.turned(l, ShutFull)
		return
	}
	inside := len(r.members)
	if !r.alone(l) {
		r.turned(l, ShutOtherTab)
		return
	}
	r.tags.door = append(r.tags.door, caller{who: l, until: now.Add(doorTime)})
	switch {
	case !r.tags.loaded && !r.tags.asked:
		r.hold()
	case inside > 0 && len(r.members) == 0 && r.tags.settles.IsZero():
		r.letIn(now, len(r.tags.door)-1) // it was the last one, and is so again
	default:
		r.attend(now)
	}
}

// alone tells whether nobody else of this device is in the room or at its door. One who has lost the
// socket is a page that was closed, and leaves the place to the new one.
func (r *room) alone(l Come) bool {
	if i := slices.IndexFunc(r.tags.door, func(c caller) bool { return c.who.Device.Token == l.Device.Token }); i >= 0 {
		old := r.tags.door[i]
		r.turned(old.who, ShutOtherTab)
		r.undoor(i)
	}
	i := slices.IndexFunc(r.members, func(m member) bool { return m.Device.Token == l.Device.Token })
	switch {
	case i < 0:
		return true
	case !r.members[i].away:
		return false
	}
	old := r.members[i]
	if old.at != (Address{}) {
		r.do(tell{old.at, Over{r.id, EndLeft}})
	}
	r.depart(old.Member, MemberLeft)
	return true
}

// caller returns the place of somebody at the door, -1 for nobody.
func (r *room) caller(id string) int {
	return slices.IndexFunc(r.tags.door, func(c caller) bool { return c.who.Member == id })
}

// undoor takes somebody from the door.
func (r *room) undoor(i int) {
	c := r.tags.door[i]
	r.tags.door = slices.Delete(r.tags.door, i, i+1)
	if c.rung {
		r.others("", Knocked{r.id, c.who.Member, KnockGone})
	}
}

func (r *room) turned(l Come, why ShutWhy) { r.do(tell{l.From, Turned{r.id, why}}) }

// spent tells whether the last one has left a link for ever.
func (r *room) spent() bool {
	return r.policy.Burns && r.tags.used && len(r.members) == 0 && r.tags.settles.IsZero()
}

// attend sees to all who stand at the door.
func (r *room) attend(now time.Time) {
	if !r.tags.loaded || r.state != open || r.spent() {
		return
	}
	for i := 0; i < len(r.tags.door); {
		c := &r.tags.door[i]
		why, full := r.fullFor(c.who)
		switch {
		case !r.tags.settles.IsZero():
			r.bid(c)
			i++
		case full:
			r.turned(c.who, why)
			r.undoor(i)
		case r.tags.knock && len(r.members) > 0:
			r.bid(c)
			if !c.rung {
				c.rung = true
				r.others("", Knocked{r.id, c.who.Member, KnockHere})
			}
			i++
		default:
			r.letIn(now, i)
		}
	}
}

// bid tells somebody at the door to wait, once.
func (r *room) bid(c *caller) {
	if !c.waits {
		c.waits = true
		r.do(tell{c.who.From, Waits{r.id}})
	}
}

// fullFor tells whether there is no place for somebody.
func (r *room) fullFor(l Come) (why ShutWhy, full bool) {
	ofNetwork := 0
	for _, m := range r.members {
		if m.Device.Net == l.Device.Net && l.Device.Net != "" {
			ofNetwork++
		}
	}
	switch {
	case r.policy.OfNetwork > 0 && (ofNetwork >= r.policy.OfNetwork || len(r.members) >= r.policy.Capacity):
		return ShutCrowded, true
	case len(r.members) >= r.policy.Capacity:
		return ShutFull, true
	}
	return "", false
}

// letIn makes a member of somebody at the door, for whom there is a place.
func (r *room) letIn(now time.Time, i int) {
	c := r.tags.door[i]
	r.undoor(i)
	r.others("", MemberIs{r.id, c.who.Member, MemberJoined})
	r.members = append(r.members, member{at: c.who.From, sure: spoke, pass: pass{
		Room: r.id, Node: r.node, Member: c.who.Member, Device: c.who.Device, Until: now.Add(passTime).Unix(),
		Kind: r.policy.Kind, Life: r.tags.life, Capacity: r.policy.Capacity,
	}})
	r.count(now)
	r.welcome(now, &r.members[len(r.members)-1], reFirst)
}

// count notes that a link is used as soon as two are there.
func (r *room) count(now time.Time) {
	if len(r.members) >= 2 && !r.tags.used {
		r.tags.used, r.tags.expires = true, time.Time{}
		r.renewIn(now, 0)
	}
}

// re says to what a welcome is the answer.
type re bool

const (
	reFirst re = false
	reBack  re = true // to somebody who is in the room
)

// welcome tells a member how the room stands.
func (r *room) welcome(now time.Time, m *member, answers re) {
	w := Welcomed{pass: m.pass, Back: bool(answers), Knock: r.tags.knock, Members: []JoinedMember{}}
	if !r.tags.expires.IsZero() {
		w.LeftMS = max(0, r.tags.expires.Sub(now).Milliseconds())
	}
	for _, o := range r.members {
		if o.Member != m.Member {
			w.Members = append(w.Members, JoinedMember{o.Member, o.away})
		}
	}
	r.furnish(m.at, w)
}

// speaks tells whether a letter is of one of the members, from the session that is the member's now.
func (r *room) speaks(from Address, id string) bool {
	m := r.find(id)
	return r.state == open && m != nil && m.at == from && from != (Address{})
}

// admits lets in or turns away who knocks.
func (r *room) admits(now time.Time, l Admits) {
	i := r.caller(l.Who)
	switch {
	case !r.speaks(l.From, l.Member):
	case i < 0 || !r.tags.door[i].rung:
		r.do(tell{l.From, Undelivered{r.id, l.C, NoMember}})
	case !l.Yes:
		r.turned(r.tags.door[i].who, ShutTurnedAway)
		r.undoor(i)
	default:
		if why, full := r.fullFor(r.tags.door[i].who); full {
			r.turned(r.tags.door[i].who, why)
			r.undoor(i)
			return
		}
		r.letIn(now, i)
	}
}

// turns turns knocking on or off. Off lets in whoever stands there.
func (r *room) turns(now time.Time, l Turns) {
	if !r.speaks(l.From, l.Member) || !r.policy.Burns { // a channel has no door
		return
	}
	r.tags.knock, r.tags.turned = l.Knock, true
	r.others("", DoorIs{r.id, l.Knock})
	r.renewIn(now, 0)
	r.attend(now)
}

// mayProbe counts an envelope from one member to another, and tells whether it may be sent: strangers
// at one channel cannot do more than try a password. Who has answered twice is no stranger.
func (r *room) mayProbe(from, to *member, size int) bool {
	if r.policy.Probes == 0 {
		return true
	}
	sent, answered := from.sent[to.Member], to.sent[from.Member]
	known := answered >= answers || from.returned && to.returned
	if !known && (sent >= r.policy.Probes || size > probeSize) {
		return false
	}
	if sent < r.policy.Probes {
		if from.sent == nil {
			from.sent = map[string]int{}
		}
		from.sent[to.Member] = sent + 1
	}
	return true
}

// depart takes a member out of the room, and tells the others.
func (r *room) depart(id string, how MemberState) {
	r.members = slices.DeleteFunc(r.members, func(m member) bool { return m.Member == id })
	for _, m := range r.members {
		delete(m.sent, id)
	}
	r.others("", MemberIs{r.id, id, how})
}

// wentFrom ends the part of a member of a private room, or of somebody at its door.
func (r *room) wentFrom(now time.Time, l Went) {
	if i := r.caller(l.Member); i >= 0 && r.tags.door[i].who.From == l.From {
		r.undoor(i)
		r.endIfEmpty(now)
		return
	}
	if !r.speaks(l.From, l.Member) {
		return
	}
	how := MemberLeft
	if l.Why == EndPeerLost {
		how = MemberLost
	}
	r.depart(l.Member, how)
	r.vacated(now)
}

// vacated gives places that may be free now to those at the door. Without anybody the room ends.
func (r *room) vacated(now time.Time) {
	r.attend(now)
	r.endIfEmpty(now)
}

// missing gives the members of a node that died some time to come back.
func (r *room) missing(now time.Time, node string) {
	var gone []string
	for i := range r.members {
		if m := &r.members[i]; m.at.Node == node {
			m.at, m.until = Address{}, now.Add(r.policy.Rejoin)
			gone = append(gone, m.Member)
		}
	}
	for _, id := range gone {
		r.socket(now, id, PeerAway)
	}
	r.renewIn(now, seekHold)
}

// leaveDoor takes those from the door whose node died.
func (r *room) leaveDoor(now time.Time, node string) {
	for i := range slices.Backward(r.tags.door) {
		if r.tags.door[i].who.From.Node == node {
			r.undoor(i)
		}
	}
	r.endIfEmpty(now)
}

// tickTagged does what is due in a private room.
func (r *room) tickTagged(now time.Time) {
	t := &r.tags
	due := func(at time.Time) bool { return !at.IsZero() && !now.Before(at) }
	if r.state == closed {
		if due(r.deadline) {
			r.deadline = time.Time{}
			r.do(endRoom{t.ending})
		}
		return
	}
	if due(t.expires) {
		r.expire(now)
		return
	}
	for i := range slices.Backward(t.door) {
		if due(t.door[i].until) {
			r.turned(t.door[i].who, ShutNobody)
			r.undoor(i)
		}
	}
	for _, m := range slices.Clone(r.members) {
		if due(m.until) {
			r.depart(m.Member, MemberLost)
		}
	}
	if due(t.settles) {
		t.settles = time.Time{}
	}
	r.vacated(now)
	if due(r.renew) { // also when something has just changed
		r.hold()
	}
}

// expire ends a link that nobody has used.
func (r *room) expire(now time.Time) {
	r.refuseAll(ShutUnknown)
	r.others("", Over{r.id, EndExpired})
	r.members = nil
	r.tags.ending = endDrop
	r.end(now)
}

// taggedDeadline is when a private room wants its next roomTick at the latest.
func (r *room) taggedDeadline(soonest func(time.Time)) {
	if r.state == closed {
		return
	}
	soonest(r.tags.expires)
	soonest(r.tags.settles)
	for _, c := range r.tags.door {
		soonest(c.until)
	}
	for i := range r.members {
		soonest(r.members[i].until)
	}
}
