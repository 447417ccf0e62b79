package simulate_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"parley/internal/simulate"
)

// duo is two people in a call, with a server in between that does to envelopes what a test wants.
type duo struct {
	sides [2]*stage
	n     [2]int // of the frames that a side was sent
	now   time.Duration
	// mail is what arrives for an envelope: normally itself.
	mail func(from int, e envelope) []envelope
}

type envelope struct {
	T   string `json:"t"`
	C   int    `json:"c"`
	To  string `json:"to"`
	Seq uint64 `json:"seq"`
	Box string `json:"box"`
}

func newDuo(t *testing.T) *duo { return newDuoOf(t, func(*simulate.Behaviour) {}) }

// newDuoOf is of people who are calm but for something.
func newDuoOf(t *testing.T, but func(*simulate.Behaviour)) *duo {
	return newDuoBy(t, but, func(_ int, e envelope) []envelope { return []envelope{e} })
}

// newDuoBy is of people whose envelopes meet with something from the first on.
func newDuoBy(t *testing.T, but func(*simulate.Behaviour), mail func(from int, e envelope) []envelope) *duo {
	like := calm()
	but(&like)
	d := &duo{mail: mail, now: time.Second, n: [2]int{3, 3}}
	for i := range d.sides {
		s := enterAs(t, like, uint64(i))
		s.step(simulate.Opened{})
		s.hears(welcomed)
		s.hears(waits, 1)
		s.hears(offer, 2)
		d.sides[i] = s
	}
	connect := []string{
		begins,
		strings.NewReplacer(`"me":"ana","peer":"bo","role":"offer"`, `"me":"bo","peer":"ana","role":"answer"`).Replace(begins),
	}
	var first [2]string
	for i, s := range d.sides {
		s.hears(connect[i], 3)
		first[i] = s.writes()
	}
	d.carry(0, first[0])
	d.carry(1, first[1])
	return d
}

// carry takes what a side wrote to the other.
func (d *duo) carry(from int, written string) {
	to := 1 - from
	for line := range strings.SplitSeq(written, "\n") {
		var e envelope
		if json.Unmarshal([]byte(line), &e) != nil || e.T != "relay" {
			continue
		}
		for _, e := range d.mail(from, e) {
			d.n[to]++
			me := map[int]string{0: "ana", 1: "bo"}[from]
			d.sides[to].now = max(d.sides[to].now, d.sides[from].now)
			d.sides[to].hears(`{"t":"relay","n":%d,"from":%q,"seq":%d,"box":%q}`, d.n[to], me, e.Seq, e.Box)
			d.carry(to, d.sides[to].writes())
		}
	}
}

// talk lets time pass on both sides.
func (d *duo) talk(until time.Duration) {
	for {
		i := 0
		if a, b := d.sides[0].p.Deadline(), d.sides[1].p.Deadline(); b < a {
			i = 1
		}
		if d.sides[i].p.Deadline() > until {
			return
		}
		d.sides[i].waits()
		if has[simulate.HangUp](d.sides[i]) { // nobody pings here
			return
		}
		d.carry(i, d.sides[i].writes())
	}
}

func (d *duo) sum(what string) int { return d.sides[0].sees[what] + d.sides[1].sees[what] }

func TestTalk(t *testing.T) {
	d := newDuo(t)
	d.talk(30 * time.Second)
	sent, got := d.sum("envelopes sent"), d.sum("envelopes received")
	if sent != got || sent < 22 || sent > 60 {
		t.Errorf("%d sent, %d received; a page says some forty in a minute", sent, got)
	}
	for _, bad := range []string{"envelopes with a gap in front", "envelopes doubled", "envelopes altered", "envelopes out of order", "envelopes of others", "envelopes that do not open"} {
		if d.sum(bad) > 0 {
			t.Errorf("%s: %d", bad, d.sum(bad))
		}
	}
}

// TestTalkNotices breaks one envelope of a call and looks what the receiver says.
func TestTalkNotices(t *testing.T) {
	var held []envelope
	for name, c := range map[string]struct {
		mail func(e envelope) []envelope
		want map[string]int
	}{
		"lost":     {func(envelope) []envelope { return nil }, map[string]int{"envelopes with a gap in front": 1, "envelopes lost": 1}},
		"doubled":  {func(e envelope) []envelope { return []envelope{e, e} }, map[string]int{"envelopes that do not open": 1}},
		"altered":  {func(e envelope) []envelope { e.Box = e.Box[:60] + "AAAA" + e.Box[64:]; return []envelope{e} }, map[string]int{"envelopes that do not open": 1}},
		"numbered": {func(e envelope) []envelope { e.Seq += 7; return []envelope{e} }, map[string]int{"envelopes that do not open": 1}},
		"late":     {func(e envelope) []envelope { held = append(held, e); return nil }, map[string]int{"envelopes out of order": 1, "envelopes with a gap in front": 1, "envelopes lost": 0}},
	} {
		t.Run(name, func(t *testing.T) {
			d, count := newDuo(t), 0
			held = nil
			d.mail = func(from int, e envelope) []envelope {
				if from != 0 {
					return []envelope{e}
				}
				if count++; count == 4 {
					return c.mail(e)
				}
				if count == 5 && len(held) > 0 {
					return append([]envelope{e}, held...)
				}
				return []envelope{e}
			}
			d.talk(30 * time.Second)
			d.sides[1].now = 31 * time.Second
			d.sides[1].step(simulate.Stop{})
			for what, n := range c.want {
				if d.sides[1].sees[what] != n {
					t.Errorf("%s: %d, want %d", what, d.sides[1].sees[what], n)
				}
			}
			if d.sides[0].sees["envelopes that do not open"] > 0 {
				t.Error("the other direction suffers too")
			}
		})
	}
}

// TestTalkBeforeTheKey: the history shows an envelope when it comes, also one that overtook its
// key, and once more only if it does not open.
func TestTalkBeforeTheKey(t *testing.T) {
	for name, c := range map[string]struct {
		breaks func(*envelope)
		want   string
		opened int
	}{
		"good": {func(*envelope) {}, "2 1", 2},
		"bad":  {func(e *envelope) { e.Box = e.Box[:60] + "AAAA" + e.Box[64:] }, "2 1 2bad", 1},
	} {
		t.Run(name, func(t *testing.T) {
			var key envelope
			d := newDuoBy(t, func(*simulate.Behaviour) {}, func(from int, e envelope) []envelope {
				switch {
				case from == 0 && e.Seq == 1:
					key = e
					return nil
				case from == 0 && e.Seq == 2:
					c.breaks(&e)
					return []envelope{e, key}
				}
				return []envelope{e}
			})
			var got []string
			for _, e := range d.sides[1].noted {
				if e.Got == "relay" {
					got = append(got, fmt.Sprint(e.Seq, e.Why))
				}
			}
			if came := strings.Join(got, " "); came != c.want || d.sides[1].sees["envelopes received"] != c.opened {
				t.Errorf("the history says %s, want %s; %v", came, c.want, d.sides[1].sees)
			}
		})
	}
}

// TestTalkAfterReset forgives a gap that the server has announced.
func TestTalkAfterReset(t *testing.T) {
	d, drop := newDuo(t), false
	d.mail = func(from int, e envelope) []envelope {
		if from == 0 && drop {
			return nil
		}
		return []envelope{e}
	}
	d.talk(5 * time.Second)
	drop = true
	d.talk(15 * time.Second)
	drop = false
	d.n[1]++
	d.sides[1].hears(`{"t":"peer","n":%d,"state":"away"}`, d.n[1])
	d.n[1]++
	d.sides[1].hears(`{"t":"peer","n":%d,"state":"back"}`, d.n[1])
	d.talk(30 * time.Second)
	d.sides[1].step(simulate.Stop{})
	if n := d.sides[1].sees["envelopes lost"] + d.sides[1].sees["envelopes with a gap in front"]; n > 0 {
		t.Errorf("%d complaints about what was announced", n)
	}
	if d.sides[1].sees["envelopes received"] == 0 {
		t.Error(fmt.Sprint(d.sides[1].sees))
	}
}

// TestTalkGivenUp: what the server refused again and again is no loss, for the sender knows of it.
func TestTalkGivenUp(t *testing.T) {
	d := newDuo(t)
	d.mail = func(from int, e envelope) []envelope {
		if from == 0 && e.Seq == 4 {
			d.n[0]++
			d.sides[0].hears(`{"t":"error","n":%d,"of":%d,"code":"peer_busy","text":"wait"}`, d.n[0], e.C)
			return nil
		}
		return []envelope{e}
	}
	d.talk(38 * time.Second)
	d.sides[1].step(simulate.Stop{})
	if d.sides[0].sees["envelopes given up"] != 1 || d.sides[1].sees["envelopes with a gap in front"] != 1 || d.sides[1].sees["envelopes lost"] != 0 {
		t.Errorf("%v, %v", d.sides[0].sees, d.sides[1].sees)
	}
}

// TestTalkOnTheWayBack: until the call is rejoined nothing is said, for the server would refuse it.
func TestTalkOnTheWayBack(t *testing.T) {
	d := newDuo(t)
	d.talk(3 * time.Second)
	s := d.sides[0]
	s.step(simulate.Lost{Code: 1006})
	s.waits()
	s.step(simulate.Opened{})
	s.hears(welcomed)
	for until := s.now + 20*time.Second; s.p.Deadline() < until; {
		if s.waits(); strings.Contains(s.writes(), `"t":"relay"`) {
			t.Fatalf("said %s", s.writes())
		}
	}
	s.now += 20 * time.Second // words have become due
	s.hears(begins, 1)
	if !s.p.InCall() || s.sees["calls rejoined"] != 1 {
		t.Fatal(s.sees)
	}
	s.step(simulate.Tick{})
	s.want(`"t":"relay"`)
}

// TestTalkForgotten: what a session knew that was lost with its node is no loss, for its browser was
// told so.
func TestTalkForgotten(t *testing.T) {
	d := newDuo(t)
	d.talk(3 * time.Second)
	s, peer := d.sides[0], d.sides[1]
	s.step(simulate.Lost{Code: 1006})
	s.waits()
	s.now += 8 * time.Second
	s.step(simulate.Tick{}) // says what no session takes
	s.step(simulate.Opened{})
	s.hears(welcomed)
	s.hears(begins, 1)
	d.n[0], peer.now = 1, s.now
	d.talk(40 * time.Second)
	peer.step(simulate.Stop{})
	if peer.sees["envelopes with a gap in front"] != 1 || peer.sees["envelopes lost"] != 0 {
		t.Error(peer.sees)
	}
}
