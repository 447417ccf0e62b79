package simulate

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"parley/internal/history"
)

// Times of a connection, as in the page.
const (
	answerWithin = 10 * time.Second // from the beginning of the handshake to welcome
	silence      = 40 * time.Second // the server pings every 25 s
	ackWithin    = time.Second
	mostResent   = 5
)

// backoff is how long to wait before each try to connect, the last one again and again.
func backoff(attempt int) time.Duration {
	table := []int{0, 300, 1200, 2700, 4800, 7000}
	return time.Duration(table[min(attempt, len(table)-1)]) * time.Millisecond
}

// link is the connection of one person: one session over as many sockets as it takes. Like the
// person it decides and touches nothing. A zero time means never.
type link struct {
	device  device
	token   string
	numbers numbers
	rnd     *rand.Rand
	out     func(Effect)

	socket   bool // a socket is open, or being opened
	ready    bool // welcome came on it
	over     bool
	attempts int
	drain    time.Duration // the server asked to come back within
	wanted   time.Duration // since when the connection should be there
	since    time.Duration // of the present welcome

	connectAt, silentAt, ackAt time.Duration
	resend                     []resend
	resent                     map[uint64]int // by number of the envelope
	forgotten                  []uint64       // texts of which no session knows any more whether they went out
}

// resend is an envelope that the peer could not take.
type resend struct {
	at time.Duration
	outgoing
}

// connect asks for a socket.
func (l *link) connect(now time.Duration) {
	l.connectAt, l.socket = 0, true
	l.silentAt = now + answerWithin
	l.out(Dial{})
}

// opened says hello.
func (l *link) opened() {
	l.out(Note{history.Event{Did: "hello", Resumed: l.token != ""}})
	l.out(Write{hello(l.token, l.numbers.seen, l.device)})
}

// refused comes back later than the backoff when the server says so.
func (l *link) refused(now time.Duration, code string, after time.Duration) {
	l.out(Note{history.Event{Got: history.Refused, Code: code}})
	l.out(Count{"refused " + code})
	l.again(now, time.Duration(float64(after)*(1+l.rnd.Float64()/2)))
}

// closed answers the end of a socket that this side did not end. It returns false when the server
// says not to come back.
func (l *link) closed(now time.Duration, code int) bool {
	text := strconv.Itoa(code)
	l.out(Note{history.Event{Got: history.Closed, Code: text}})
	l.out(Count{"closed " + text})
	if code == 1009 || code >= 4500 && code <= 4999 {
		l.end()
		return false
	}
	l.again(now, 0)
	return true
}

// again connects once more, after a pause that grows, and not before least is over.
func (l *link) again(now, least time.Duration) {
	pause := time.Duration(float64(backoff(l.attempts)) * (0.7 + 0.6*l.rnd.Float64()))
	if l.drain > 0 {
		pause = time.Duration(float64(l.drain) * l.rnd.Float64())
	}
	l.attempts++
	l.drain = 0
	l.abandon()
	l.connectAt = max(now+max(pause, least), 1)
	if l.wanted == 0 {
		l.wanted = l.connectAt
	}
}

// cut drops the socket and comes back after away.
func (l *link) cut(now, away time.Duration) {
	l.out(Note{history.Event{Did: history.Cut}})
	l.out(HangUp{Abrupt: true})
	l.abandon()
	l.attempts = 1
	l.connectAt = now + away
	l.wanted = l.connectAt
}

// hangUp ends a socket that is of no use and tries another.
func (l *link) hangUp(now time.Duration) {
	l.out(Note{history.Event{Did: history.Cut}})
	l.out(HangUp{Abrupt: true})
	l.again(now, 0)
}

// absent tells whether the connection was not there at some time since at.
func (l *link) absent(at time.Duration) bool { return !l.ready || l.since > at }

func (l *link) abandon() {
	l.socket, l.ready = false, false
	l.silentAt, l.ackAt = 0, 0
}

func (l *link) end() {
	l.abandon()
	l.over, l.connectAt, l.resend = true, 0, nil
}

// send brings a frame to the server, now or after the next resume.
func (l *link) send(now time.Duration, o outgoing) {
	if l.over {
		return
	}
	if l.numbers.full() { // this session will never catch up
		l.token = ""
		l.numbers.reset()
		if l.ready {
			l.hangUp(now)
		}
	}
	k := l.numbers.number(o)
	if l.ready {
		l.write(k)
	}
}

func (l *link) write(k kept) { l.out(Write{k.stamp(k.c, l.tell())}) }

func (l *link) tell() uint64 {
	l.ackAt = 0
	return l.numbers.tell()
}

// received deals with everything in a frame that is the connection's own, and tells whether the
// frame is for the person.
func (l *link) received(now time.Duration, f frame) bool {
	h := f.common()
	if w, ok := f.(welcome); ok {
		l.welcome(now, w)
		return true
	}
	if !l.ready {
		l.out(Note{history.Event{Got: h.T}})
		l.out(Count{"frames before welcome"})
		return false
	}
	l.silentAt = now + silence
	if h.N > 0 {
		taken, gap := l.numbers.arrived(h.N)
		if gap {
			l.out(Count{"gap in the server's numbers"})
			l.hangUp(now)
		}
		if !taken {
			return false
		}
		l.acknowledge(now)
	}
	l.numbers.acknowledged(h.C)
	switch f := f.(type) {
	case drain:
		l.drain = max(time.Duration(f.WithinMS)*time.Millisecond, time.Millisecond)
		l.out(Note{history.Event{Got: h.T}})
		l.out(Count{h.T})
		return false
	case plain:
		if h.T == "ping" {
			l.out(Write{pong()})
			l.sayAck()
		}
		return h.T != "ping" && h.T != "ack"
	}
	return true
}

func (l *link) welcome(now time.Duration, w welcome) {
	l.out(Note{history.Event{Got: w.T, Resumed: w.Resumed}})
	asked := l.token != ""
	l.token, l.ready, l.attempts, l.since = w.Token, true, 0, now
	if w.Age != "" {
		l.device.age = w.Age
	}
	l.silentAt = now + silence
	switch {
	case w.Resumed:
		l.out(Took{Resume, now - l.wanted})
		l.numbers.acknowledged(w.C)
		for _, k := range l.numbers.unacked {
			l.write(k)
		}
	case asked:
		l.out(Count{"session forgotten"})
		l.forgotten = l.numbers.texts()
		fallthrough
	default:
		l.numbers.reset()
		l.resend = nil
	}
	l.wanted = 0
}

func (l *link) acknowledge(now time.Duration) {
	if l.numbers.ackDue() {
		l.sayAck()
	} else if l.ackAt == 0 {
		l.ackAt = now + ackWithin
	}
}

func (l *link) sayAck() {
	if l.ready && l.numbers.ackOpen() {
		l.out(Write{ack(l.tell())})
	}
	l.ackAt = 0
}

// busy sends an envelope again that the peer could not take, a second later for each time. It
// returns false when that was tried often enough.
func (l *link) busy(now time.Duration, o outgoing) bool {
	if l.resent == nil {
		l.resent = map[uint64]int{}
	}
	l.resent[o.seq]++
	times := l.resent[o.seq]
	if times > mostResent {
		return false
	}
	l.resend = append(l.resend, resend{now + time.Duration(times)*time.Second, o})
	return true
}

// forget lets go of the frames of a call that is over.
func (l *link) forget() {
	l.resend, l.resent, l.numbers.recent = nil, nil, nil
}

// tick does what time alone brings about.
func (l *link) tick(now time.Duration) {
	if due(l.connectAt, now) {
		l.connect(now)
	}
	if due(l.silentAt, now) {
		l.out(Count{fmt.Sprintf("silence of the server (welcome had come: %t)", l.ready)})
		l.hangUp(now)
	}
	if due(l.ackAt, now) {
		l.sayAck()
	}
	waiting := l.resend
	l.resend = nil
	for _, r := range waiting {
		if r.at > now {
			l.resend = append(l.resend, r)
			continue
		}
		l.send(now, r.outgoing)
	}
}

func (l *link) deadline() time.Duration {
	at := soonest(soonest(l.connectAt, l.silentAt), l.ackAt)
	for _, r := range l.resend {
		at = soonest(at, r.at)
	}
	return at
}

// due tells whether a time that is not never has come.
func due(at, now time.Duration) bool { return at > 0 && at <= now }

// soonest returns the earlier of two times, where 0 is never.
func soonest(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}
