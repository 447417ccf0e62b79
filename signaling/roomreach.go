package signaling

import (
	"slices"
	"time"
)

// move leaves the room to another node. There it was made anew while this one seemed dead, or while
// the store could not say which of two it was.
func (r *room) move(now time.Time, to string) {
	if r.state != open || to == r.node {
		return
	}
	r.others("", Moved{Address{to, r.id}})
	for _, c := range r.tags.door {
		r.do(tell{c.who.From, Moved{Address{to, r.id}}})
	}
	r.moved, r.renew = to, time.Time{} // the call goes on
	r.close(now)
}

// fallen takes members whose node died as missing: they have some time to come back elsewhere.
func (r *room) fallen(now time.Time, node string) {
	if r.policy.private() {
		r.missing(now, node)
		r.leaveDoor(now, node)
		return
	}
	for i := range r.members {
		m := &r.members[i]
		if r.state != open || m.at.Node != node {
			continue
		}
		m.at, r.seek = Address{}, now.Add(seekEvery)
		r.socket(now, m.Member, PeerAway)
		patience := r.policy.Rejoin
		if m.sure < spoke {
			patience = r.policy.Arrive
		}
		if end := now.Add(patience); r.deadline.IsZero() || end.Before(r.deadline) {
			r.deadline = end
		}
	}
}

// torn asks members on a node whether they are still there; the answer makes good what was lost.
// If this node seemed dead to them, they have the room elsewhere by now.
func (r *room) torn(now time.Time, node string) {
	for _, m := range r.members {
		if r.state == open && m.at.Node == node {
			r.do(tell{m.at, Recheck{m.at, Address{r.node, r.id}, m.Member}})
			r.search(now)
		}
	}
	for _, c := range r.tags.door {
		if c.who.From.Node == node {
			r.do(tell{c.who.From, Recheck{c.who.From, Address{r.node, r.id}, c.who.Member}})
		}
	}
}

// search asks where the room is: it may have been made anew elsewhere.
func (r *room) search(now time.Time) {
	if r.policy.private() {
		r.renewIn(now, 0)
		return
	}
	r.do(seekHome{})
}

// look asks where the room is for as long as somebody is not here.
func (r *room) look(now time.Time) {
	r.seek = time.Time{}
	if slices.ContainsFunc(r.members, func(m member) bool { return m.away || m.at == (Address{}) }) {
		r.seek = now.Add(seekEvery)
		r.do(seekHome{claims: slices.ContainsFunc(r.members, func(m member) bool { return m.at == (Address{}) })})
	}
}

// regain looks for those who are still missing after one has come back.
func (r *room) regain(now time.Time) {
	if slices.ContainsFunc(r.members, func(m member) bool { return m.at == (Address{}) }) {
		r.seek = now.Add(seekEvery)
		return
	}
	r.calm()
	r.keep(now)
}

// heardOf notes a sign of life of a member.
func (r *room) heardOf(from Address, id string, s sure) {
	m := r.find(id)
	if m == nil || m.at != from || m.sure >= s {
		return
	}
	m.sure = s
	r.calm()
}

// relayed is a call as relays know it.
type relayed struct {
	name string // "" for a room that has never opened
	kind RoomKind
}

// relayed names the call to the relays. A private room is another one each time that its tag is used.
func (r *room) relayed() relayed {
	if r.policy.private() {
		return relayed{r.tags.life, r.policy.Kind}
	}
	return relayed{name: r.id}
}
