package signaling

import (
	"slices"
	"time"
)

// seekHold is how soon a room looks into the store again while somebody is missing: it may have been
// made anew elsewhere.
const seekHold = 2 * time.Second

// endAgain is how soon an end that the store did not take is told again: somebody may wait for that.
const endAgain = 2 * time.Second

// giveUpEnd is after how long an end that the store did not take is left to the record's lifetime.
const giveUpEnd = heldTime

// hold asks the store what is kept of the room, or renews it. The answer is held.
func (r *room) hold() {
	t := &r.tags
	r.renew = time.Time{}
	if t.asked {
		t.again = true
		return
	}
	t.asked = true
	h := holding{id: r.id}
	if t.read {
		h.record = record{life: t.life, capacity: r.policy.Capacity, knock: t.knock, used: t.used}
	}
	r.do(holdRoom{h, t.expires})
}

// renewIn looks into the store no later than in so much time.
func (r *room) renewIn(now time.Time, wait time.Duration) {
	if at := now.Add(wait); r.state == open && (r.renew.IsZero() || at.Before(r.renew)) {
		r.renew = at
	}
}

// held takes what the store says.
func (r *room) held(now time.Time, e held) {
	t := &r.tags
	t.asked = false
	if r.state == closed {
		return
	}
	if t.again {
		t.again = false
		r.renewIn(now, 0)
	}
	switch {
	case e.err != nil && !t.loaded:
		r.refuseAll(ShutAway)
		r.forget()
	case e.err != nil:
		r.renewIn(now, audit)
	case e.state == roomMine:
		r.mine(now, e.record)
	case e.state == roomElsewhere:
		r.state = open
		r.move(now, e.home)
	default: // burnt, unknown, over
		why := ShutUnknown
		if e.state == roomBurnt {
			why = ShutBurnt
		}
		r.refuseAll(why)
		r.others("", Over{r.id, EndOver})
		r.forget()
	}
}

// mine takes what is kept of the room.
func (r *room) mine(now time.Time, kept record) {
	t := &r.tags
	if !t.read {
		r.learn(now, kept)
	}
	r.renewIn(now, holdEvery)
	if slices.ContainsFunc(r.members, func(m member) bool { return m.away }) {
		r.renewIn(now, seekHold)
	}
	r.vacated(now)
}

// learn takes what is kept of a room that this node has begun to carry.
func (r *room) learn(now time.Time, kept record) {
	t := &r.tags
	t.read = true
	t.used = kept.used || len(r.members) > 1
	if knock := kept.knock && r.policy.Burns; !t.turned && knock != t.knock {
		t.knock = knock
		r.others("", DoorIs{r.id, knock})
	}
	if r.policy.Unused > 0 && !t.used {
		t.expires = now.Add(kept.left)
	}
	if t.loaded {
		return
	}
	t.life, t.loaded, r.state = kept.life, true, open
	r.policy = policyOf(r.policy.Kind, kept.capacity)
	if t.used && r.policy.Burns { // its node died: those who were in it may come back
		t.settles = now.Add(r.policy.Rejoin)
	}
}

// refuseAll turns away all who stand at the door.
func (r *room) refuseAll(why ShutWhy) {
	for _, c := range r.tags.door {
		r.turned(c.who, why)
	}
	r.tags.door = nil
}

// forget closes the room without a word to the store, which has another opinion of it.
func (r *room) forget() {
	r.state, r.deadline, r.renew, r.seek = closed, time.Time{}, time.Time{}, time.Time{}
	r.do(closeRoom{})
}

// endIfEmpty ends the room when nobody is in it and nobody can come back into it.
func (r *room) endIfEmpty(now time.Time) {
	t := &r.tags
	if r.state != open || len(r.members) > 0 || !t.settles.IsZero() || !t.loaded {
		return
	}
	switch {
	case r.policy.Burns && t.used:
		t.ending = endBurn
		r.refuseAll(ShutBurnt)
	case r.policy.Burns:
		t.ending = endFree
	default:
		t.ending = endDrop
	}
	r.end(now)
}

// end closes the room. It is forgotten when the store has taken the end: until then nobody finds it
// again, or a burnt link would open once more.
func (r *room) end(now time.Time) {
	r.state, r.deadline, r.renew, r.seek = closed, time.Time{}, time.Time{}, time.Time{}
	r.tags.gaveUp = now.Add(giveUpEnd)
	r.do(endRoom{r.tags.ending})
}

// released takes the answer of the store to the end.
func (r *room) released(now time.Time, e released) {
	if e.err == nil || !now.Before(r.tags.gaveUp) {
		r.do(closeRoom{})
		return
	}
	r.deadline = now.Add(endAgain)
}

// comeBack takes back a member of a private room whose session was lost, or that does not know how the
// room stands. If the room was lost too, it is made anew, and waits for the others before newcomers.
func (r *room) comeBack(now time.Time, l Reenter) {
	if r.state == closed {
		r.gone(l)
		return
	}
	if !r.tags.loaded {
		r.remake(now, l)
	}
	if l.Life != r.tags.life {
		r.do(tell{l.From, Turned{r.id, ShutUnknown}})
		return
	}
	m := r.find(l.Member)
	if m == nil {
		if why, full := r.fullFor(Come{Device: l.Device}); full {
			r.do(tell{l.From, Turned{r.id, why}})
			return
		}
		r.members = append(r.members, member{pass: l.pass, away: true})
		m = &r.members[len(r.members)-1]
	}
	switch old := m.at; {
	case old == (Address{}) || old == l.From:
	case l.Turn < m.Turn: // the browser has a later session
		r.do(tell{l.From, Over{r.id, EndLeft}})
		return
	default:
		r.do(tell{old, Over{r.id, EndLeft}})
	}
	m.at, m.pass, m.sure, m.away, m.until = l.From, l.pass, spoke, false, time.Time{}
	m.Node = r.node
	m.returned = m.returned || !r.tags.settles.IsZero()
	r.welcome(now, m, reBack)
	r.others(m.Member, MemberIs{r.id, m.Member, MemberBack})
	r.count(now)
}

// gone answers somebody who comes back to a room that is closed here.
func (r *room) gone(l Reenter) {
	if r.moved != "" {
		r.do(tell{l.From, Moved{Address{r.moved, r.id}}})
		return
	}
	r.do(tell{l.From, Turned{r.id, ShutBurnt}})
}

// remake opens a room for the first who comes back.
func (r *room) remake(now time.Time, l Reenter) {
	r.policy = policyOf(l.Kind, l.Capacity)
	t := &r.tags
	t.life, t.loaded = l.Life, true
	t.knock, t.used = r.policy.Burns, true // until the store says otherwise
	t.settles = now.Add(r.policy.Rejoin)
	r.state = open
	if !t.asked {
		r.hold()
	}
}
