package simulate

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"parley/internal/history"
)

// phase is where a person stands.
type phase int

const (
	resting   phase = iota // no search and no call; -> searching when the pause is over
	searching              // find was sent; -> offered by matched, -> resting by expired
	offered                // -> talking by connected, -> searching by aborted
	talking                // -> resting by ended or leave
	leaving                // -> away when the last answers had time to arrive
	away                   // for good
)

const (
	mostTokens    = 128 // of avoid, in one find
	reportsReason = "sexual hate threat minor spam other"
)

// Person is one simulated visitor: a machine that decides and touches nothing. The same seed and
// the same events give the same effects.
type Person struct {
	run    string
	device string
	like   *Behaviour
	rnd    *rand.Rand
	link   link
	out    []Effect

	phase   phase
	choices choices
	place   string
	proof   string        // for the next find
	puzzle  string        // the one that is being solved
	match   string        // offered, or the one that the call came from
	wish    time.Duration // since when this person waits for a match; 0 once there was one
	arrived time.Duration // until the first welcome; 0 then
	call    *talk
	tokens  []token // of avoid, the newest last
	told    int     // how many there were
	owed    []outgoing

	actAt     time.Duration // the next thing that this person does by itself
	cutAt     time.Duration
	retryAt   time.Duration // a find that was refused is repeated
	confirmAt time.Duration // while offered
	lastRoom  string
	stops     bool
}

// token is one of avoid, and how many-th this person was told.
type token struct {
	n    int
	text string
}

// NewPerson makes somebody who has not arrived yet. Two with the same device are two windows of one
// browser.
func NewPerson(run, device string, like *Behaviour, rnd *rand.Rand) *Person {
	p := &Person{run: run, device: device, like: like, rnd: rnd, choices: like.choose(rnd)}
	p.link = link{device: deviceOf(run, device), rnd: rnd, out: p.do}
	return p
}

// device is what a browser says about itself.
type device struct{ token, digest, age string }

// kinds is how many common models there are: half of the devices are one of them, and look alike.
const kinds = 5

// deviceOf is the one with a name. Nobody knows it yet.
func deviceOf(run, name string) device {
	sum := func(text string) [sha256.Size]byte { return sha256.Sum256([]byte(run + " " + text)) }
	token, looks := sum(name), sum("looks of "+name)
	if looks[0] < 128 {
		looks = sum(fmt.Sprint("model ", looks[1]%kinds))
	}
	return device{token: base64.RawURLEncoding.EncodeToString(token[:]), digest: base64.RawURLEncoding.EncodeToString(looks[:])}
}

// Step changes the person by one event. The effects are valid until the next Step.
func (p *Person) Step(now time.Duration, e Event) []Effect {
	clear(p.out)
	p.out = p.out[:0]
	if p.phase == away {
		return nil
	}
	switch e := e.(type) {
	case Arrive:
		p.note(history.Event{Did: history.Came, Device: p.device})
		p.arrived, p.wish, p.link.wanted = now, now, now
		p.link.connect(now)
	case Opened:
		p.link.opened()
	case Refusal:
		p.link.refused(now, e.Code, e.After)
	case Received:
		if p.link.received(now, e.frame) {
			p.hear(now, e)
		}
	case Lost:
		if !p.link.closed(now, e.Code) {
			p.vanish(false)
		}
	case Tick:
		p.link.tick(now)
		p.tick(now)
	case Stop:
		p.stop(now)
	case Solved:
		p.solved(now, e)
	case SoundSays:
		p.saySound(now, e)
	case SoundCame:
		p.soundCame(e)
	case SoundRefused:
		p.soundRefused(e)
	}
	return p.out
}

// Deadline is when the person wants its next tick; 0 for never.
func (p *Person) Deadline() time.Duration {
	if p.phase == away {
		return 0
	}
	at := soonest(p.link.deadline(), soonest(p.actAt, p.retryAt))
	if p.phase == offered {
		at = soonest(at, p.confirmAt)
	}
	if p.link.ready {
		at = soonest(at, p.cutAt)
	}
	if p.call != nil {
		at = soonest(at, p.call.deadline())
	}
	return at
}

// InCall tells whether this person is in a call.
func (p *Person) InCall() bool { return p.call != nil }

// Searches tells whether this person waits for somebody.
func (p *Person) Searches() bool { return p.phase == searching || p.phase == offered }

func (p *Person) do(e Effect)                     { p.out = append(p.out, e) }
func (p *Person) note(e history.Event)            { p.do(Note{e}) }
func (p *Person) count(what string)               { p.do(Count{what}) }
func (p *Person) took(m Measure, d time.Duration) { p.do(Took{m, d}) }

func (p *Person) send(now time.Duration, o outgoing, e history.Event) {
	e.Did = o.kind
	p.note(e)
	p.link.send(now, o)
}

// hear answers a frame of the server.
func (p *Person) hear(now time.Duration, e Received) {
	switch f := e.frame.(type) {
	case welcome:
		p.welcome(now, f)
	case puzzle:
		p.puzzled(f)
	case held:
		p.held(now, f)
	case queued:
		p.queued(now, f)
	case matched:
		p.matched(now, f)
	case because:
		p.because(now, f)
	case connected:
		p.connected(now, f)
	case relayed:
		p.relayed(now, e.At, f)
	case peerIs:
		p.note(history.Event{Got: f.T, Why: f.State, Room: p.room()})
		p.peerIs(now, f.State)
	case avoided:
		p.avoided(f)
	case refusal:
		p.refused(now, f)
	case notice:
		p.note(history.Event{Got: f.T, Code: f.Code})
		p.count("notice " + f.Code)
	case relays:
		p.note(history.Event{Got: f.T})
		p.moveSound(f.Ice)
	case plain:
		p.plain(now, f)
	}
}

// plain answers cancelled and expired.
func (p *Person) plain(now time.Duration, f plain) {
	p.note(history.Event{Got: f.T})
	p.count(f.T)
	if f.T == "expired" && p.Searches() {
		p.rest(now, pauseAfterPeer)
	}
}

func (p *Person) welcome(now time.Duration, f welcome) {
	if p.arrived > 0 {
		p.took(Hello, now-p.arrived)
		p.arrived = 0
		p.search(now)
		return
	}
	if f.Resumed {
		return
	}
	for _, o := range p.owed {
		p.link.send(now, o)
	}
	switch {
	case p.phase == talking:
		p.call.reset, p.call.back = true, true
		p.call.refused = append(p.call.refused, p.link.forgotten...)
		p.send(now, with("rejoin", "pass", p.call.pass), history.Event{Room: p.call.room})
	case p.Searches():
		p.find(now)
	}
}

// search begins to look for somebody.
func (p *Person) search(now time.Duration) {
	if p.wish == 0 {
		p.wish = now
	}
	p.place = ""
	p.count("searches")
	p.find(now)
	p.actAt = now + around(p.rnd, p.like.Patience)
	p.planCut(now, 10*time.Second)
}

// planCut decides whether the socket is dropped within the next while.
func (p *Person) planCut(now, within time.Duration) {
	p.cutAt = 0
	if chance(p.rnd, p.like.Drop) {
		p.cutAt = now + time.Duration(p.rnd.Float64()*float64(within))
	}
}

// find asks the server to search, at the place that it told before if there is one.
func (p *Person) find(now time.Duration) {
	c := p.choices
	c.Place, c.Proof, c.Avoid = p.place, p.proof, []string{}
	var shown []int
	for _, t := range p.tokens {
		c.Avoid = append(c.Avoid, t.text)
		shown = append(shown, t.n)
	}
	o, err := find(c)
	if err != nil {
		p.count("find could not be written")
		return
	}
	p.phase, p.match, p.retryAt, p.proof, p.puzzle = searching, "", 0, "", ""
	p.send(now, o, history.Event{Place: p.place != "", Avoid: shown})
}

// puzzled begins to work for a search.
func (p *Person) puzzled(f puzzle) {
	p.note(history.Event{Got: f.T})
	p.count(f.T)
	if p.Searches() {
		p.puzzle = f.Challenge
		p.do(Work{Challenge: f.Challenge, Bits: f.Bits})
	}
}

// solved searches again, unless something else was begun meanwhile.
func (p *Person) solved(now time.Duration, e Solved) {
	if p.phase == searching && p.puzzle != "" && strings.HasPrefix(e.Proof, p.puzzle) {
		p.proof = e.Proof
		p.find(now)
	}
}

// held goes away: nobody waits for hours.
func (p *Person) held(now time.Duration, f held) {
	p.note(history.Event{Got: f.T})
	p.count(f.T)
	if p.Searches() {
		p.bye(now)
	}
}

func (p *Person) queued(now time.Duration, f queued) {
	p.note(history.Event{Got: f.T, SinceMS: f.SinceMS})
	if !p.Searches() {
		if p.phase == resting {
			p.send(now, bare("cancel"), history.Event{})
		}
		return
	}
	p.phase, p.match, p.place = searching, "", f.Place
}

func (p *Person) matched(now time.Duration, f matched) {
	p.note(history.Event{Got: f.T, Match: f.Match})
	p.count("matches")
	if !p.Searches() {
		p.send(now, with("decline", "match", f.Match), history.Event{Match: f.Match})
		return
	}
	if p.wish > 0 {
		p.took(Match, now-p.wish)
		p.wish = 0
	}
	p.phase, p.match = offered, f.Match
	p.confirmAt = 0
	switch {
	case chance(p.rnd, p.like.Ignore):
	case p.like.Hesitate > 0:
		p.confirmAt = now + hesitates(p.rnd, p.like.Hesitate)
	default:
		p.confirm(now)
	}
}

func (p *Person) confirm(now time.Duration) {
	p.confirmAt = 0
	p.send(now, with("confirm", "match", p.match), history.Event{Match: p.match})
}

// because answers aborted and ended.
func (p *Person) because(now time.Duration, f because) {
	p.count(f.T + " " + f.Why)
	if f.T == "ended" {
		p.ended(now, f)
		return
	}
	if p.call != nil { // to which nobody came
		p.note(history.Event{Got: f.T, Why: f.Why, Room: p.room()})
		p.hangUp()
		p.wish, p.actAt = now, now+around(p.rnd, p.like.Patience)
		p.phase, p.match = searching, ""
		return
	}
	p.note(history.Event{Got: f.T, Why: f.Why, Match: p.match})
	switch {
	case !p.Searches():
	case f.Why == "late":
		p.find(now)
	default:
		p.phase, p.match = searching, ""
	}
}

func (p *Person) avoided(f avoided) {
	p.note(history.Event{Got: f.T, Token: p.avoid(f.Avoid)})
	p.count(f.T)
	kind := map[string]string{"reported": "report", "blocked": "block"}[f.T]
	for i, o := range p.owed {
		if o.kind == kind {
			p.owed = append(p.owed[:i:i], p.owed[i+1:]...)
			return
		}
	}
}

// avoid remembers a token for find, and returns its number.
func (p *Person) avoid(text string) int {
	p.told++
	p.tokens = append(p.tokens, token{p.told, text})
	if len(p.tokens) > mostTokens {
		p.tokens = append(p.tokens[:0:0], p.tokens[1:]...)
	}
	return p.told
}

// rest waits before the next search.
func (p *Person) rest(now, pause time.Duration) {
	p.phase, p.match, p.cutAt, p.retryAt = resting, "", 0, 0
	p.actAt = max(now+pause, 1)
	p.wish = p.actAt
}
