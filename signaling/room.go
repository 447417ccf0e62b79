package signaling

import (
	"slices"
	"time"

	"parley/moderation"
)

// renewEvery is how often the record of a running call is renewed.
const renewEvery = 5 * time.Minute

// seekEvery is how often a room that misses a member asks whether that is elsewhere.
const seekEvery = 2 * time.Second

// room is the machine behind one call: it decides, and touches nothing.
type room struct {
	id      string
	node    string // that carries it
	policy  Policy
	state   roomState
	members []member
	// deadline is when gathering, or waiting for a member who must arrive or come back, is given up.
	deadline time.Time
	renew    time.Time // when the call record must be made or renewed; zero before both are there
	moved    string    // the node that carries it now, once closed for that
	seek     time.Time // when to ask which node carries the room; zero while all are here
	tags     tagged    // of a private room

	out []roomEffect
}

type roomState int

const (
	gathering roomState = iota // -> open when all have entered, -> closed when one leaves or time is up
	open                       // -> closed when a member leaves or is lost
	closed                     // final; forgotten at once, or after some time when nobody came, or when the store knows
)

type member struct {
	pass
	at   Address // its session; zero while it must come back first
	away bool    // its peers were told that its socket is lost
	sure sure
	// The following are of private rooms.
	until    time.Time      // when it is given up, after its node died
	sent     map[string]int // to whom how many envelopes, up to the most of a stranger
	returned bool           // it came back when the room was made anew
}

// sure is what the room knows of a member's side of the call. Until its session has heard that the
// room is open nothing has begun, and until its browser has spoken it may have begun for nobody: then
// there is no call to come back to, and the others go on searching at their place.
type sure int

const (
	notYet  sure = iota // -> arrived by any letter of its session
	arrived             // -> spoke by any frame of its browser
	spoke               // final
)

// roomEffect is what a room wants done. A closed set.
//
//sumtype:decl
type roomEffect interface{ roomEffect() }

type (
	// tell sends a letter to a session.
	tell struct {
		to     Address
		letter ToSession
	}
	// furnish is tell for a letter that brings credentials of relays, those of these nodes; without nodes
	// there is no call to bring them for.
	furnish struct {
		tell
		call  relayed
		nodes []string
	}
	// keepCall begins or renews the record of the call.
	keepCall struct{}
	// endCall ends the record of the call, of which these two were part for so long; zero when one of
	// them was never there.
	endCall struct {
		a, b   moderation.Device
		length time.Duration
	}
	// seekHome asks which node carries the room. The answer is homeIs. With claims it is this one
	// unless another was first.
	seekHome struct{ claims bool }
	// holdRoom renews or reads what the store keeps of a private room, until expires if that is not
	// zero. The answer is held.
	holdRoom struct {
		holding
		expires time.Time
	}
	// endRoom tells the store that a private room has ended. The answer is released.
	endRoom struct{ how ending }
	// closeRoom forgets the room.
	closeRoom struct{}
)

func (tell) roomEffect()      {}
func (keepCall) roomEffect()  {}
func (endCall) roomEffect()   {}
func (seekHome) roomEffect()  {}
func (holdRoom) roomEffect()  {}
func (endRoom) roomEffect()   {}
func (closeRoom) roomEffect() {}

// roomTick is the event that the room's deadline has come; kept answers keepCall, homeIs seekHome.
type (
	roomTick struct{}
	kept     struct{ err error }
	homeIs   struct{ node string }
)

func (roomTick) toRoom() {}
func (kept) toRoom()     {}
func (homeIs) toRoom()   {}

func newRoom(at Address, p Policy) *room { return &room{id: at.ID, node: at.Node, policy: p} }

// Step changes the room by one letter. The effects are valid until the next Step.
func (r *room) Step(now time.Time, l ToRoom) []roomEffect {
	clear(r.out)
	r.out = r.out[:0]
	switch l := l.(type) {
	case *Say:
		r.heardOf(l.Sender, l.From, spoke)
		r.say(l)
	case Enter:
		r.enter(now, l)
	case Reenter:
		r.reenter(now, l)
	case Went:
		r.went(now, l)
	case Missing:
		r.heardOf(l.From, l.Member, arrived)
		r.socketOf(now, l.From, l.Member, PeerAway)
	case Present:
		r.heardOf(l.From, l.Member, arrived)
		r.socketOf(now, l.From, l.Member, PeerBack)
	case Want:
		r.heardOf(l.From, l.Member, spoke)
		r.grant(l)
	case homeIs:
		r.move(now, l.node)
	case fallen:
		r.fallen(now, l.node)
	case torn:
		r.torn(now, l.node)
	case roomTick:
		r.tick(now)
	case kept:
		if l.err != nil && !r.renew.IsZero() {
			r.renew = now.Add(audit)
		}
	default:
		r.tagged(now, l)
	}
	return r.out
}

// tagged takes what comes to private rooms only.
func (r *room) tagged(now time.Time, l ToRoom) {
	switch l := l.(type) {
	case Come:
		r.come(now, l)
	case Admits:
		r.admits(now, l)
	case Turns:
		r.turns(now, l)
	case held:
		r.held(now, l)
	case released:
		r.released(now, l)
	default: // Step has the others
	}
}

func (r *room) do(e roomEffect) { r.out = append(r.out, e) }

// furnish tells of the call with credentials, of the relay of this node and of those of the members'
// nodes: one of them is near each.
func (r *room) furnish(to Address, l ToSession) {
	var nodes []string
	if r.state == open {
		nodes = append(nodes, r.node)
		for _, m := range r.members {
			if m.at != (Address{}) && !slices.Contains(nodes, m.at.Node) {
				nodes = append(nodes, m.at.Node)
			}
		}
	}
	if r.policy.private() && len(nodes) > 0 { // relays of all nodes reach each other: two are enough
		nodes = slices.Compact([]string{to.Node, r.node})
	}
	r.do(furnish{tell{to, l}, r.relayed(), nodes})
}

func (r *room) find(id string) *member {
	i := slices.IndexFunc(r.members, func(m member) bool { return m.Member == id })
	if i < 0 {
		return nil
	}
	return &r.members[i]
}

// others tells all members but id.
func (r *room) others(id string, l ToSession) {
	for _, m := range r.members {
		if m.Member != id && m.at != (Address{}) {
			r.do(tell{m.at, l})
		}
	}
}

// say passes an envelope on. One of an older session of its sender may have been under way for
// long, and come behind what the browser says now, so it is not: the browser knows that what it
// said there may be lost.
func (r *room) say(l *Say) {
	to, from := r.find(l.To), r.find(l.From)
	switch {
	case r.state != open || to == nil || from == nil || l.To == l.From:
		r.do(tell{l.Sender, Undelivered{r.id, l.C, NoMember}})
	case to.at == (Address{}) || from.at != l.Sender:
		r.do(tell{l.Sender, Undelivered{r.id, l.C, PeerBusy}})
	case !r.mayProbe(from, to, len(l.Tail)):
		r.do(tell{l.Sender, Undelivered{r.id, l.C, TooMany}})
	default:
		r.do(tell{to.at, Heard{l}})
	}
}

// enter takes in who comes from a match. The room opens when it is full.
func (r *room) enter(now time.Time, l Enter) {
	if m := r.find(l.Member); m != nil { // repeated after the socket came back
		m.at = l.From
		switch r.state {
		case gathering:
		case open:
			r.furnish(m.at, Opened{pass: m.pass})
		case closed:
			r.do(tell{m.at, Failed{r.id}})
		}
		return
	}
	if r.state != gathering || len(r.members) >= r.policy.Capacity {
		r.do(tell{l.From, Failed{r.id}})
		return
	}
	r.members = append(r.members, member{at: l.From, pass: pass{
		Room: r.id, Node: r.node, Member: l.Member, Device: l.Device, Role: l.Role, Shared: l.Shared, Language: l.Language,
	}})
	if r.deadline.IsZero() {
		r.deadline = now.Add(r.policy.Gather)
	}
	if len(r.members) == r.policy.Capacity {
		r.open(now)
	}
}

func (r *room) open(now time.Time) {
	r.state, r.deadline = open, time.Time{}
	for i := range r.members {
		if r.members[i].at.Node == r.node {
			r.members[i].sure = arrived // nothing is lost on the way
		} else {
			r.deadline = now.Add(r.policy.Arrive)
		}
		// A stranger call has one peer; rooms of more will name all.
		peer := r.members[(i+1)%len(r.members)]
		r.members[i].Peer, r.members[i].PeerDevice = peer.Member, peer.Device
		r.members[i].Until = now.Add(passTime).Unix()
	}
	r.keep(now)
	for _, m := range r.members {
		r.furnish(m.at, Opened{pass: m.pass})
	}
}

// calm ends the waiting when nobody is awaited any more.
func (r *room) calm() {
	if r.state == open && !slices.ContainsFunc(r.members, member.awaited) {
		r.deadline = time.Time{}
	}
}

// awaited tells whether the room does not go on for ever without a word of the member.
func (m member) awaited() bool { return m.sure == notYet || m.at == (Address{}) }

// never tells whether the member, for which the room has waited, was not in the call at all.
func (m member) never() bool { return m.sure == notYet || m.at == (Address{}) && m.sure < spoke }

func (r *room) keep(now time.Time) {
	r.renew = now.Add(renewEvery)
	r.do(keepCall{})
}

// reenter takes back a member who lost its session. If the room was lost too, it is made anew and
// waits for the others.
func (r *room) reenter(now time.Time, l Reenter) {
	if l.Kind != "" {
		r.comeBack(now, l)
		return
	}
	if r.state == gathering && len(r.members) == 0 {
		r.anew(now, l)
	}
	m := r.find(l.Member)
	if m == nil || r.state != open {
		r.turnAway(l)
		return
	}
	old := m.at
	switch {
	case old == (Address{}) || old == l.From:
	case l.Turn < m.Turn: // the browser has a later session
		r.do(tell{l.From, Over{r.id, EndLeft}})
		return
	default:
		r.do(tell{old, Over{r.id, EndLeft}})
	}
	m.at, m.pass, m.sure = l.From, l.pass, spoke
	m.Node = r.node // the room may have been lost with another
	r.furnish(m.at, Opened{pass: m.pass, Back: true})
	if old == l.From && !m.away {
		r.others(m.Member, PeerIs{r.id, PeerBack}) // only letters were lost: say again what it missed
	} else {
		r.socket(now, m.Member, PeerBack)
	}
	for _, o := range r.members {
		if o.Member != m.Member && o.away {
			r.do(tell{m.at, PeerIs{r.id, PeerAway}})
		}
	}
	r.regain(now)
}

// anew opens the room for the first who comes back. The others may never have been told of the call if
// nobody has heard them; then they have no pass for it.
func (r *room) anew(now time.Time, l Reenter) {
	patience, known := r.policy.Unmet, arrived
	if l.Met {
		patience, known = r.policy.Rejoin, spoke
	}
	r.state, r.deadline = open, now.Add(patience)
	absent := pass{Room: l.Room, Member: l.Peer, Device: l.PeerDevice, Peer: l.Member, PeerDevice: l.Device, Until: l.Until}
	r.members = []member{{pass: l.pass}, {pass: absent, away: true, sure: known}}
}

// turnAway answers who comes back to a room that is over.
func (r *room) turnAway(l Reenter) {
	switch {
	case r.moved != "":
		r.do(tell{l.From, Moved{Address{r.moved, r.id}}})
	case r.state == closed && !r.deadline.IsZero():
		r.do(tell{l.From, Failed{r.id}}) // the others have gone on
	default:
		r.furnish(l.From, Opened{pass: l.pass, Back: true})
		r.do(tell{l.From, Over{r.id, EndPeerLost}})
	}
}

// grant answers a member that wants credentials.
func (r *room) grant(l Want) {
	if r.state == open && r.find(l.Member) != nil {
		r.furnish(l.From, Granted{Room: r.id})
	}
}

// went ends a member's part, and with it the call if the policy says so.
func (r *room) went(now time.Time, l Went) {
	if r.policy.private() {
		r.wentFrom(now, l)
		return
	}
	m := r.find(l.Member)
	if m == nil || r.state == closed || m.at != l.From {
		return
	}
	if r.state == gathering || m.sure == notYet || m.sure < spoke && l.Why == EndPeerLost { // it never was there
		r.others(l.Member, Failed{r.id})
		r.close(now)
		return
	}
	why := EndPeerLeft
	if l.Why == EndPeerLost {
		why = EndPeerLost
	}
	r.others(l.Member, Over{r.id, why})
	if r.policy.EndsWithFirst || len(r.members) < 3 {
		r.close(now)
	}
	r.members = slices.DeleteFunc(r.members, func(m member) bool { return m.Member == l.Member })
}

func (r *room) close(now time.Time) {
	if r.state == open && !r.renew.IsZero() {
		first := r.members[0]
		r.do(endCall{first.Device, first.PeerDevice, max(0, now.Sub(first.began()))})
	}
	r.state, r.deadline, r.renew, r.seek = closed, time.Time{}, time.Time{}, time.Time{}
	r.do(closeRoom{})
}

// socketOf is socket for a letter of a session, if that is the member's now.
func (r *room) socketOf(now time.Time, from Address, id string, state PeerState) {
	if m := r.find(id); m != nil && m.at == from {
		r.socket(now, id, state)
	}
}

// socket notes that a member's socket was lost or is back, and tells the others when that is news. One
// who is away may be in this call on another node, where it was made anew while this one seemed dead.
func (r *room) socket(now time.Time, id string, state PeerState) {
	m := r.find(id)
	if m == nil || r.state != open || m.away == (state == PeerAway) {
		return
	}
	m.away = state == PeerAway
	if r.policy.private() {
		r.others(id, MemberIs{r.id, id, MemberState(state)})
		if m.away {
			r.renewIn(now, seekHold)
		}
		return
	}
	r.others(id, PeerIs{r.id, state})
	if m.away && r.seek.IsZero() {
		r.seek = now.Add(seekEvery)
	}
}

func (r *room) tick(now time.Time) {
	if r.policy.private() {
		r.tickTagged(now)
		return
	}
	if !r.deadline.IsZero() && !now.Before(r.deadline) {
		r.late(now)
		return
	}
	if !r.renew.IsZero() && !now.Before(r.renew) {
		r.keep(now)
	}
	if !r.seek.IsZero() && !now.Before(r.seek) {
		r.look(now)
	}
}

// late gives up waiting. Who comes back to a call that never was is told so for some time more,
// instead of waiting in a room made anew for those who have gone on.
func (r *room) late(now time.Time) {
	switch {
	case r.state == closed:
		r.close(now)
	case r.state == gathering:
		r.others("", Failed{r.id})
		r.close(now)
	case slices.ContainsFunc(r.members, member.never):
		r.others("", Failed{r.id})
		r.do(endCall{})
		r.state, r.deadline, r.renew, r.seek = closed, now.Add(r.policy.Rejoin), time.Time{}, time.Time{}
	default:
		r.others("", Over{r.id, EndPeerLost})
		r.close(now)
	}
}

// Deadline is when the room wants its next roomTick; zero for never.
func (r *room) Deadline() time.Time {
	var at time.Time
	soonest := func(t time.Time) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	for _, t := range [...]time.Time{r.deadline, r.renew, r.seek} {
		soonest(t)
	}
	r.taggedDeadline(soonest)
	return at
}
