package replay_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"parley/moderation/replay"
	"parley/moderation/score"
)

// The people of TestPopulation. All of it is assumption: read differences between rules, not the
// numbers themselves.
const (
	people       = 1500
	days         = 45
	slots        = 6     // of a day, in each of which somebody may have one call
	abusers      = 0.03  // share of people who abuse in every second call
	badDay       = 0.004 // share of an ordinary person's calls that are abusive all the same; half have none
	victimsSay   = 0.35  // share of abusive calls that are reported
	falseReport  = 0.002 // share of proper calls that are reported by ordinary people
	falseAccuser = 0.02  // share of people who report one in ten
	commonPhones = 0.4   // share of people whose digest is one of ten
	evaders      = 0.5   // share of abusers who clear their storage when they are restricted
)

// person is somebody who talks.
type person struct {
	inst, fp, net int
	born          int // when the install was first seen, Unix seconds
	abuse, accuse float64
	active        float64
	evades        bool
	restricted    bool // ever
}

func (p *person) json(now int) string {
	return fmt.Sprintf(`{"inst":"%016x","fp":"%016x","net":"%016x","new":%t}`, p.inst, p.fp, p.net, now-p.born < 86400)
}

// rule judges people.
type rule interface {
	band(now int, p *person) string
	report(now int, target, reporter *person, reason string)
	end(now int, a, b *person)
}

// free judges nobody.
type free struct{}

func (free) band(int, *person) string             { return "clear" }
func (free) report(int, *person, *person, string) {}
func (free) end(int, *person, *person)            {}

// count restricts a digest after 3 reports in 30 days and bans it after 5.
type count struct {
	free
	reports map[int][]int
}

func (c count) band(now int, p *person) string {
	n := 0
	for _, at := range c.reports[p.fp] {
		if now-at < 30*86400 {
			n++
		}
	}
	switch {
	case n >= 5:
		return "cooldown"
	case n >= 3:
		return "restricted"
	}
	return "clear"
}

func (c count) report(now int, target, _ *person, _ string) {
	c.reports[target.fp] = append(c.reports[target.fp], now)
}

// scored asks a replay.
type scored struct {
	t *testing.T
	r *replay.Replay
}

func (s scored) ask(format string, args ...any) string {
	got := answer(s.r, fmt.Sprintf(format, args...))
	if !strings.HasPrefix(got, `{"ok":true`) {
		s.t.Fatal(got)
	}
	return got
}

func (s scored) band(now int, p *person) string {
	got := s.ask(`{"op":"band","t":%d,"d":%s}`, now, p.json(now))
	_, band, _ := strings.Cut(got, `"band":"`)
	band, _, _ = strings.Cut(band, `"`)
	return band
}

func (s scored) report(now int, target, reporter *person, reason string) {
	s.ask(`{"op":"report","t":%d,"target":%s,"reporter":%s,"reason":%q,"sec":60}`, now, target.json(now), reporter.json(now), reason)
}

func (s scored) end(now int, a, b *person) {
	s.ask(`{"op":"end","t":%d,"a":%s,"b":%s,"sec":300}`, now, a.json(now), b.json(now))
}

// town is a population under a rule.
type town struct {
	rule
	rng    *rand.Rand
	all    []*person
	names  int // given out so far
	calls  int
	abused int // calls in which a persistent abuser met somebody else and abused
}

func newTown(r rule) *town {
	w := &town{rule: r, rng: rand.New(rand.NewPCG(7, 9))}
	for i := range people {
		p := &person{inst: i, fp: 1000 + i, net: 1000 + i, active: 0.1 + 0.5*w.rng.Float64(), accuse: falseReport}
		switch x := w.rng.Float64(); {
		case x < abusers:
			p.abuse, p.evades = 0.5, w.rng.Float64() < evaders
		case x < 0.5:
			p.abuse = badDay
		}
		if w.rng.Float64() < commonPhones {
			p.fp = w.rng.IntN(10)
		}
		if w.rng.Float64() < 0.1 {
			p.net = w.rng.IntN(20)
		}
		if w.rng.Float64() < falseAccuser {
			p.accuse = 0.1
		}
		w.all = append(w.all, p)
	}
	w.names = people
	return w
}

// live lets them talk.
func (w *town) live() {
	for slot := range days * slots {
		now := 1_800_000_000 + slot*86400/slots
		var open, pool []*person
		for _, p := range w.all {
			if w.rng.Float64() >= p.active {
				continue
			}
			switch w.band(now, p) {
			case "cooldown":
				w.stop(now, p)
			case "restricted":
				w.stop(now, p)
				if w.rng.Float64() < 0.25 {
					open = append(open, p)
				} else {
					pool = append(pool, p)
				}
			default:
				open = append(open, p)
			}
		}
		w.pair(now, open)
		w.pair(now, pool)
	}
}

// stop notes that p was held back; some come back as somebody else.
func (w *town) stop(now int, p *person) {
	p.restricted = true
	if p.evades {
		p.inst, p.born = w.names, now
		w.names++
	}
}

func (w *town) pair(now int, pool []*person) {
	w.rng.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
	for i := 1; i < len(pool); i += 2 {
		a, b := pool[i-1], pool[i]
		w.meet(now, a, b)
		w.meet(now, b, a)
		w.end(now, a, b)
		w.calls++
	}
}

// meet is one side of a call: what a does, and whether b reports it.
func (w *town) meet(now int, a, b *person) {
	abuse, say, why := w.rng.Float64() < a.abuse, w.rng.Float64(), w.rng.IntN(4)
	reasons := []string{"other", "spam", "other", "hate"}
	if abuse && a.abuse > badDay && b.abuse <= badDay {
		w.abused++
	}
	switch {
	case abuse && say < victimsSay:
		w.report(now, a, b, []string{"sexual", "hate", "sexual", "threat"}[why])
	case !abuse && say < b.accuse:
		w.report(now, a, b, reasons[why])
	}
}

// wrongly is the share of those who never abuse that were restricted.
func (w *town) wrongly() float64 {
	all, wrong := 0, 0
	for _, p := range w.all {
		if p.abuse == 0 {
			all++
			if p.restricted {
				wrong++
			}
		}
	}
	return float64(wrong) / float64(all)
}

// TestPopulation lets the same people live under no rule, under counting reports on a digest, and
// under the score. Counting restricts a large part of those who did nothing; the score hardly
// anybody, and still takes away a good part of the abuse.
func TestPopulation(t *testing.T) {
	off := newTown(free{})
	counted := newTown(count{reports: map[int][]int{}})
	judged := newTown(scored{t, replay.New(policy(t), score.Policy.Check)})
	abuse := map[*town]float64{}
	for name, w := range map[string]*town{"no rule": off, "3/5 on digest": counted, "balanced": judged} {
		w.live()
		abuse[w] = float64(w.abused) / float64(w.calls)
		t.Logf("%-14s %6d calls, %.2f %% abusive by persistent abusers, %.2f %% of those who never abuse ever restricted",
			name, w.calls, 100*abuse[w], 100*w.wrongly())
	}
	if judged.wrongly() > 0.02 {
		t.Error("the score restricts too many who did nothing")
	}
	if counted.wrongly() < 0.2 {
		t.Error("counting restricts fewer than it is known to: the people are not those meant")
	}
	if abuse[judged] > 0.8*abuse[off] {
		t.Error("the score takes away too little")
	}
}
