package matcher_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"parley/matcher"
)

// scenario is a drawn history: who there is, and what happens.
type scenario struct {
	People []person
	Ops    []op
}

type person struct {
	Device    int
	Languages []string
	Interests []string
	Strict    bool
	Band      int
	Avoid     []int
}

type deed string

const (
	find    deed = "find"    // a new search
	throng  deed = "throng"  // some new searches in one call
	back    deed = "back"    // a new search with a kept place
	again   deed = "again"   // join repeated, wanted or as a late duplicate
	leave   deed = "leave"   // cancel
	confirm deed = "confirm" // by a ticket in its own match
	foreign deed = "foreign" // by a ticket in somebody else's match
	abort   deed = "abort"
	pass    deed = "pass"
	silence deed = "silence" // a node dies
	fade    deed = "fade"    // the node of one side of a new match dies, and its lease runs out
	sweep   deed = "sweep"
)

// op is one deed; the numbers choose among what there is, modulo.
type op struct {
	Deed deed
	A, B int
	Span time.Duration
}

// ages are how long ago kept places were taken.
var ages = []time.Duration{second, 3 * second, 30 * second, 595 * second, 598 * second, 600 * second, 700 * second}

const (
	manyNodes   = 3
	manyDevices = 6
)

// meets has bands that want to meet one that does not want them.
func meets(band int) []int { return [][]int{{0, 1, 2}, {1, 0}, {2}}[band] }

func device(n int) string { return strings.Repeat(string(rune('a'+n)), 12) }

func scenarios() *rapid.Generator[scenario] {
	people := rapid.Custom(func(t *rapid.T) person {
		return person{
			Device:    rapid.IntRange(0, manyDevices-1).Draw(t, "device"),
			Languages: rapid.SampledFrom([][]string{{"en"}, {"en"}, {"en", "de"}, {"de", "en"}, {"de"}}).Draw(t, "languages"),
			Interests: rapid.SampledFrom([][]string{{}, {"music"}, {"film"}, {"music", "film"}, {"film", "books", "music"}}).Draw(t, "interests"),
			Strict:    rapid.IntRange(0, 4).Draw(t, "strict") == 0,
			Band:      rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "band"),
			Avoid:     rapid.SliceOfN(rapid.IntRange(0, manyDevices-1), 0, 2).Draw(t, "avoid"),
		}
	})
	deeds := rapid.SampledFrom([]deed{find, find, find, throng, back, again, again, again, leave, confirm, confirm, confirm, foreign, abort, pass, pass, pass, silence, fade, sweep})
	ops := rapid.Custom(func(t *rapid.T) op {
		return op{
			Deed: deeds.Draw(t, "deed"), A: rapid.IntRange(0, 99).Draw(t, "a"), B: rapid.IntRange(0, 99).Draw(t, "b"),
			Span: rapid.SampledFrom([]time.Duration{time.Microsecond, second / 10, second, 2 * second, 4 * second}).Draw(t, "span"),
		}
	})
	return rapid.Custom(func(t *rapid.T) scenario {
		return scenario{rapid.SliceOfN(people, 3, 9).Draw(t, "people"), rapid.SliceOfN(ops, 30, 80).Draw(t, "ops")}
	})
}

// play runs a history and returns the first difference from the model or broken invariant.
func play(ctx context.Context, e engine, s scenario, broken mutant) error {
	w, err := newWorld(ctx, e, manyNodes, broken)
	if err != nil {
		return err
	}
	for i, o := range s.Ops {
		if err := w.do(s.People, o); err != nil {
			return fmt.Errorf("op %d %+v: %w", i, o, err)
		}
		if err := w.heard(); err != nil {
			return fmt.Errorf("after op %d %+v: %w", i, o, err)
		}
	}
	if err := w.pools(); err != nil {
		return err
	}
	return w.audit()
}

func (w *world) do(people []person, o op) error {
	n := w.nodes[o.B%len(w.nodes)]
	switch o.Deed {
	case find, back:
		if !w.model.alive(n.Node()) {
			return nil
		}
		t := people[o.A%len(people)].ticket(len(w.tickets))
		if o.Deed == back {
			t.Arrived = w.model.now.Add(-ages[o.A%len(ages)])
		}
		return w.join(n, t)
	case throng:
		if !w.model.alive(n.Node()) {
			return nil
		}
		var tickets []matcher.Ticket
		for i := range 3 {
			tickets = append(tickets, people[(o.A+i)%len(people)].ticket(len(w.tickets)+i))
		}
		return w.joinTogether(n, tickets)
	case confirm, abort, foreign, fade:
		return w.answer(o)
	case pass:
		return w.pass(o.Span)
	case silence:
		w.nodes[1+o.B%(len(w.nodes)-1)].silent = true // the first one lives on
		return nil
	case sweep:
		return n.Sweep(w.ctx)
	case again, leave: // below
	}
	if len(w.tickets) == 0 {
		return nil
	}
	s := w.model.tickets[w.tickets[o.A%len(w.tickets)]]
	if queue := w.waiting(); o.Deed == again && o.B%2 == 0 && len(queue) > 0 {
		s = queue[o.A%len(queue)]
	}
	switch {
	case o.Deed == leave && (s.state != waits || w.model.alive(s.node)):
		return w.leave(s.ID) // who waits on a dead node is forgotten some time or other
	case o.Deed == again && w.model.alive(s.node):
		t := s.Ticket
		if o.B%3 == 0 {
			t.Arrived = s.arrived // as an owner repeats it
		}
		return w.join(w.node(s.node), t)
	}
	return nil
}

// waiting returns who waits, in the order in which they came.
func (w *world) waiting() []*search {
	var all []*search
	for _, id := range w.tickets {
		if s := w.model.tickets[id]; s.state == waits {
			all = append(all, s)
		}
	}
	return all
}

// answer lets one side of one of the newest matches answer, or a stranger. Of a dead node none does.
func (w *world) answer(o op) error {
	if len(w.pairs) == 0 {
		return nil
	}
	p := w.pairs[len(w.pairs)-1-o.A%min(3, len(w.pairs))]
	s := p.sides[o.B%2]
	if o.Deed == fade {
		if n := w.node(s.node); n != w.nodes[0] {
			n.silent = true
		}
		return w.pass(4 * second)
	}
	if o.Deed == foreign {
		s = w.model.tickets[w.tickets[o.B%len(w.tickets)]]
	}
	switch {
	case s.node == "" || !w.model.alive(s.node):
		return nil
	case o.Deed == abort:
		return w.abort(p, s)
	}
	return w.confirm(p, s)
}

func (p person) ticket(n int) matcher.Ticket {
	t := matcher.Ticket{
		ID: fmt.Sprintf("T%021d", n), Device: device(p.Device), Languages: p.Languages, Interests: p.Interests,
		Strict: p.Strict, Band: p.Band, Meets: meets(p.Band),
	}
	for _, d := range p.Avoid {
		t.Avoid = append(t.Avoid, device(d))
	}
	return t
}

// classics are histories that chance seldom finds.
func classics() []scenario {
	music := person{Device: 1, Languages: []string{"en"}, Interests: []string{"music"}}
	film := person{Device: 3, Languages: []string{"en"}, Interests: []string{"film"}}
	return []scenario{
		// Two who have nothing in common ripen while nobody else comes, are paired by a repeat, and
		// one of them leaves the call that the other confirmed last.
		{[]person{music, film}, []op{
			{Deed: find},
			{Deed: find, A: 1, B: 1},
			{Deed: pass, Span: 2 * second},
			{Deed: again},
			{Deed: confirm},
			{Deed: confirm, B: 1},
			{Deed: abort},
			{Deed: leave},
		}},
		// Who ripens first repeats before the other has ripened.
		{[]person{music, film}, []op{
			{Deed: find}, {Deed: pass, Span: second}, {Deed: find, A: 1, B: 1}, {Deed: pass, Span: second}, {Deed: again},
		}},
	}
}

// sound is the queue as it is.
var sound mutant

// TestModel compares random histories with the reference model, on both engines.
func TestModel(t *testing.T) {
	t.Parallel()
	engines(t, modelHolds)
}

func modelHolds(t *testing.T, e engine) {
	for _, history := range classics() {
		if err := play(t.Context(), e, history, sound); err != nil {
			t.Error(err)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		if err := play(t.Context(), e, scenarios().Draw(rt, "scenario"), sound); err != nil {
			rt.Fatal(err)
		}
	})
}
