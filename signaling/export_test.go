package signaling

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/keyring"
	"parley/matcher"
	"parley/moderation"
)

// Tests step the pure machines as the hub does, and nothing else.

type (
	Ring    struct{ ring }
	Session struct{ *session }
	Room    struct{ *room }
	Pass    = pass
)

func (r *Ring) Push(now time.Time, kind string, size int) bool {
	return r.push(now, frame{kind: kind, tail: make([]byte, size)})
}

func (r *Ring) Fits(size int) bool { return r.fits(frame{tail: make([]byte, size)}.size()) }

func (r *Ring) Take() (kind string, n uint64, ok bool) {
	q, n, ok := r.take()
	return q.kind, n, ok
}

func (r *Ring) Ack(a uint64)                           { r.ack(a) }
func (r *Ring) Rewind(now time.Time, last uint64) bool { return r.rewind(now, last) }
func (r *Ring) Waiting() (time.Time, bool)             { return r.waiting() }
func (r *Ring) Load() (frames, bytes int)              { return len(r.frames), r.bytes }

const (
	RingCount = ringCount
	RingBytes = ringBytes
	RingSpare = ringSpare
)

func NewSession(now time.Time) Session { return NewSessionAt(now, Address{"node", "me"}) }

func NewSessionAt(now time.Time, at Address) Session {
	return Session{newSession(now, at, moderation.Device{Token: "device"}, "tag-of-me-12", newID)}
}

// Entry is what the session tells its room.
func (s Session) Entry() ToRoom { return s.entry() }

func (s Session) Phase() Phase { return s.phase }

// The events, for a world that is not the hub.
func Said(m FromBrowser) Event            { return said{m} }
func Finds(f Find) Event                  { return &find{msg: f} }
func Rejoins(p *Pass, at time.Time) Event { return rejoin{Rejoin{}, p, at} }
func Attached() Event                     { return attached{} }
func Detached() Event                     { return detached{} }
func Tick() Event                         { return tick{} }
func Offers(o matcher.Offer) Event {
	return offered{o}
}

func Joined(ticket string, r matcher.Result, err error) Event {
	return joined{ticket: ticket, entry: entry{asked: true}, result: r, meets: []int{0}, err: err}
}

func ConfirmedEvent(match string, r matcher.Confirmation, err error) Event {
	return confirmed{match, r, err}
}
func WentLive(match string) Event                      { return wentLive{match} }
func AbortedEvent(match string, why matcher.Why) Event { return aborted{match, why} }
func OpenedEvent(p Pass) Event                         { return Opened{pass: p} }

// Done is an effect in the words of a test: what, and about which ticket, match or room.
type Done struct {
	What  string // frame:<kind>, join, quit, confirm, abort, ask, enter, reenter, went, other
	About string
	Match string
}

// Tell puts effects in the words of a test.
func Tell(effects []Effect) (all []Done) {
	for _, e := range effects {
		switch e := e.(type) {
		case send:
			d := Done{What: "frame:" + e.frame.kind()}
			if m, ok := e.frame.(Aborted); ok {
				d.About = string(m.Why)
			}
			if m, ok := e.frame.(Refused); ok {
				d.About = string(m.Code)
			}
			all = append(all, d)
		case sendQueued:
			all = append(all, Done{What: "frame:queued"})
		case sendConnected:
			all = append(all, Done{What: "frame:connected", About: e.at.Room})
		case join:
			all = append(all, Done{What: "join", About: e.ticket.ID})
		case quit:
			all = append(all, Done{What: "quit", About: e.ticket})
		case confirm:
			all = append(all, Done{What: "confirm", About: e.ticket, Match: e.match})
		case abort:
			what := "abort"
			if e.ask {
				what = "ask"
			}
			all = append(all, Done{What: what, About: e.ticket, Match: e.match})
		case forward:
			all = append(all, Done{What: "frame:relay"})
		case post:
			what := "other"
			switch e.letter.(type) {
			case Enter:
				what = "enter"
			case Reenter:
				what = "reenter"
			case Went:
				what = "went"
			case *Say, Missing, Present, Want, Come, Admits, Turns, roomTick, kept, homeIs, held, released, fallen, torn:
			}
			all = append(all, Done{What: what, About: e.to.ID})
		case vanish:
			all = append(all, Done{What: "vanish"})
		case sendPuzzle:
			all = append(all, Done{What: "frame:puzzle"})
		case sendJoined:
			all = append(all, Done{What: "frame:joined", About: e.at.Room})
		case seekRoom:
			all = append(all, Done{What: "seek", About: e.wish.id})
		case hint, report, block, inquire, bounce, seekBack:
			all = append(all, Done{What: "other"})
		}
	}
	return all
}

// Hold makes the session of a token keep whatever comes, as when somebody else is at its mailbox.
func (h *Hub) Hold(token string) (release func()) {
	cl, _ := h.bus.clients.get(token[idLength : 2*idLength])
	hold := func(busy bool) {
		cl.mu.Lock()
		defer cl.mu.Unlock()
		if cl.busy = busy; !busy {
			cl.postLocked(tick{})
		}
	}
	hold(true)
	return func() { hold(false) }
}

// Burden gives the lane of a session n jobs that end when free is closed.
func (h *Hub) Burden(token string, n int, free <-chan struct{}) {
	cl, _ := h.bus.clients.get(token[idLength : 2*idLength])
	for range n {
		h.jobs.add(&cl.lane, func(context.Context) { <-free })
	}
}

const (
	MailboxLength = mailboxLength
	LaneMost      = laneMost
)

// Met tells whether the session says, as it comes back to its room, that it has heard the peer.
func Met(effects []Effect) bool {
	return slices.ContainsFunc(effects, func(e Effect) bool {
		p, is := e.(post)
		l, back := p.letter.(Reenter)
		return is && back && l.Met
	})
}

// RoomAt is where the session's room is.
func (s Session) RoomAt() Address { return s.call.room }

// NewRoom returns a room with its passes told by Passes.
func NewRoom(at Address) Room { return Room{newRoom(at, Stranger())} }

// Passes steps the room and returns the passes that it tells.
func (r Room) Passes(now time.Time, l ToRoom) (all []Pass) {
	for _, e := range r.Step(now, l) {
		if t, ok := told(e); ok {
			if o, ok := t.letter.(Opened); ok {
				all = append(all, o.pass)
			}
		}
	}
	return all
}

// Reenters is the letter of a rejoin. Alone is the same of one who has heard nothing of the peer.
func Reenters(from Address, p Pass) Reenter { return Reenter{From: from, pass: p, Met: true} }

func Alone(from Address, p Pass) Reenter { return Reenter{From: from, pass: p} }

// ScanRelay and DecodeStrictly are the two ways to read a frame.
func ScanRelay(frame []byte) (*Relay, bool)               { return scanRelay(frame) }
func DecodeStrictly(frame []byte) (FromBrowser, error)    { return decodeStrictly(frame) }
func NewRelay(c, a uint64, to string, tail []byte) *Relay { return &Relay{numbered{c, a}, to, tail} }

// Kinds are all frames of the server.
func Kinds() []string {
	var kinds []string
	for _, m := range []ToBrowser{
		Welcome{},
		Puzzle{},
		Held{},
		Queued{},
		Cancelled{},
		Expired{},
		Matched{},
		Aborted{},
		Connected{},
		Peer{},
		Ended{},
		FreshRelays{},
		Reported{},
		Blocked{},
		Standing{},
		Erased{},
		Review{},
		ReviewAnswer{},
		Refused{},
		Acked{},
		Ping{},
		Notice{},
		Drain{},
		AtDoor{},
		Shut{},
		JoinedRoom{},
		Member{},
		Knock{},
		Door{},
	} {
		kinds = append(kinds, m.kind())
	}
	return append(kinds, "relay")
}

// Admission is the queue before the door.
type Admission struct{ admission }

func NewAdmission(now time.Time) *Admission {
	return &Admission{admission{turns: newBucket(now, admitRate, admitBurst)}}
}

// Enter waits as a handshake does.
func (a *Admission) Enter(ctx context.Context) bool {
	_, ok := a.enter(ctx, nil)
	return ok
}

func (a *Admission) Ask(now time.Time) (time.Duration, bool) { return a.ask(now) }

// Valve says what the link of a hub takes: everything, only what is small, one letter more, or
// nothing.
type Valve struct{ most, left atomic.Int64 }

// Valve puts one before the link; before the hub runs.
func (h *Hub) Valve() *Valve {
	v := new(Valve)
	v.Open()
	h.bus.far = func(to, by string, b []byte) bool {
		return int64(len(b)) < v.most.Load() && v.left.Add(-1) >= 0 && h.send(to, by, b)
	}
	return v
}

func (v *Valve) Open() {
	v.most.Store(math.MaxInt64)
	v.left.Store(math.MaxInt64)
}
func (v *Valve) Last()  { v.left.Store(1) }
func (v *Valve) Clog()  { v.most.Store(4096) }
func (v *Valve) Close() { v.most.Store(0) }

// Seals are the keys of one node with the others.
type Seals struct{ *seals }

func NewSeals(ring *keyring.Ring, node string) *Seals { return &Seals{newSeals(ring, node)} }

// Close seals mail in a packet behind others in a buffer.
func (s *Seals) Close(to string, mail []byte) (sealed []byte) {
	before := []byte("before")
	packet := append(slices.Concat(before, []byte("the head of the packet 24"[:sealHead]), make([]byte, 8)), mail...)
	return s.seal(to, packet, len(before))[len(before):]
}

func (s *Seals) Open(from string, sealed []byte) ([]byte, bool) {
	return s.open(from, bytes.Clone(sealed))
}

// Known is the last band of a session.
type Known struct{ known }

func NewKnown(v moderation.Verdict, at time.Time) *Known { return &Known{known{v, at}} }

func (k *Known) Counts(now time.Time) moderation.Verdict { return k.counts(now) }

// NobodyKnown is what a session goes on with that has heard of no band.
func NobodyKnown(now time.Time) moderation.Verdict { return (*known)(nil).counts(now) }

// Budgets are those of a hub.
type Budgets struct{ budgets }

func NewBudgets(rdb redis.UniversalClient, ring *keyring.Ring, l Limits) Budgets {
	return Budgets{newBudgets(rdb, ring, l)}
}

// Take counts a search. It returns how long to wait, and what is said then.
func (b Budgets) Take(ctx context.Context, now time.Time, d moderation.Device) (wait time.Duration, says string) {
	s := b.take(ctx, now, d)
	return s.wait, s.says()
}

// Talk is what a room says of a call that has ended.
type Talk struct {
	A, B   moderation.Device
	Length time.Duration
}

// Talks steps the room and returns the calls that ended with that.
func (r Room) Talks(now time.Time, l ToRoom) (all []Talk) {
	for _, e := range r.Step(now, l) {
		if e, ok := e.(endCall); ok {
			all = append(all, Talk{e.a, e.b, e.length})
		}
	}
	return all
}

// HomeIs is the answer to which node carries a room.
func HomeIs(node string) ToRoom { return homeIs{node} }

// Tells steps the room and returns who is told something.
func (r Room) Tells(now time.Time, l ToRoom) (all []Address) {
	for _, e := range r.Step(now, l) {
		if t, ok := told(e); ok {
			all = append(all, t.to)
		}
	}
	return all
}

// Torn is the event that letters from or to a node were lost.
func Torn(node string) Event { return torn{node} }

// told is what an effect tells somebody, if it does.
func told(e roomEffect) (tell, bool) {
	if f, furnished := e.(furnish); furnished {
		return f.tell, true
	}
	t, ok := e.(tell)
	return t, ok
}

// Named steps the room and returns the nodes whose relays each letter names.
func (r Room) Named(now time.Time, l ToRoom) (all [][]string) {
	for _, e := range r.Step(now, l) {
		if f, ok := e.(furnish); ok {
			all = append(all, f.nodes)
		}
	}
	return all
}

// Letters steps the room and returns what it tells to whom, in order, for example "bo Failed".
func (r Room) Letters(now time.Time, l ToRoom) (all []string) {
	for _, e := range r.Step(now, l) {
		if t, ok := told(e); ok {
			e = t
		}
		switch e := e.(type) {
		case tell:
			word := strings.TrimPrefix(fmt.Sprintf("%T", e.letter), "signaling.")
			if over, is := e.letter.(Over); is {
				word += " " + string(over.Why)
			}
			if peer, is := e.letter.(PeerIs); is {
				word += " " + string(peer.State)
			}
			all = append(all, e.to.ID+" "+word)
		case closeRoom:
			all = append(all, "forgotten")
		case furnish, keepCall, endCall, seekHome, holdRoom, endRoom:
		}
	}
	return all
}

// Seeks steps the room and returns how it asks where it is carried: "looks", or "claims" it.
func (r Room) Seeks(now time.Time, l ToRoom) (all []string) {
	for _, e := range r.Step(now, l) {
		switch e, is := e.(seekHome); {
		case is && e.claims:
			all = append(all, "claims")
		case is:
			all = append(all, "looks")
		}
	}
	return all
}

// RoomTick is the event that a room's deadline has come.
func RoomTick() ToRoom { return roomTick{} }

// Fell is the event that a node died.
func Fell(node string) ToRoom { return fallen{node} }

// WaitClass returns the class in which a wait is counted.
func WaitClass(d time.Duration) int {
	w := waits{}
	w.add(d)
	for i, n := range w.load().Counts {
		if n == 1 {
			return i
		}
	}
	return -1
}
