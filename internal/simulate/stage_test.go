package simulate_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"parley/internal/history"
	"parley/internal/simulate"
)

// calm are people who do nothing that they are not told to.
func calm() simulate.Behaviour {
	return simulate.Behaviour{
		Talk: time.Hour, Patience: time.Hour, Next: 1, Languages: []string{"en"}, Interests: []string{"music"},
	}
}

// stage is one person and what it did in the last step.
type stage struct {
	t     *testing.T
	p     *simulate.Person
	now   time.Duration
	did   []simulate.Effect
	noted []history.Event // all that stands in the history
	sees  map[string]int  // counts
	took  map[simulate.Measure][]time.Duration
}

func enter(t *testing.T, like simulate.Behaviour) *stage { return enterAs(t, like, 1) }

func enterAs(t *testing.T, like simulate.Behaviour, seed uint64) *stage {
	s := &stage{t: t, p: simulate.NewPerson("run", "d1", &like, rand.New(rand.NewPCG(seed, 2))), now: time.Second, sees: map[string]int{}, took: make(map[simulate.Measure][]time.Duration)}
	s.step(simulate.Arrive{})
	return s
}

func (s *stage) step(e simulate.Event) {
	s.did = append([]simulate.Effect(nil), s.p.Step(s.now, e)...)
	for _, e := range s.did {
		if c, ok := e.(simulate.Count); ok {
			s.sees[c.What]++
		}
		if n, ok := e.(simulate.Note); ok {
			s.noted = append(s.noted, n.Event)
		}
		if m, ok := e.(simulate.Took); ok {
			s.took[m.What] = append(s.took[m.What], m.Time)
		}
	}
}

// hears gives the person a frame of the server.
func (s *stage) hears(format string, args ...any) {
	s.t.Helper()
	f, err := simulate.Frame(s.now, fmt.Appendf(nil, format, args...))
	if err != nil {
		s.t.Fatal(err)
	}
	s.step(f)
}

// waits lets time pass to the person's next deadline, and returns how long that was.
func (s *stage) waits() time.Duration {
	s.t.Helper()
	at := s.p.Deadline()
	if at == 0 {
		s.t.Fatal("the person waits for nothing")
	}
	passed := max(0, at-s.now)
	s.now += passed
	s.step(simulate.Tick{})
	return passed
}

// writes returns the frames that were written in the last step.
func (s *stage) writes() string {
	var all []string
	for _, e := range s.did {
		if w, ok := e.(simulate.Write); ok {
			all = append(all, string(w.Frame))
		}
	}
	return strings.Join(all, "\n")
}

// has tells whether the last step had an effect of this kind.
func has[T simulate.Effect](s *stage) bool {
	for _, e := range s.did {
		if _, ok := e.(T); ok {
			return true
		}
	}
	return false
}

func (s *stage) want(parts ...string) {
	s.t.Helper()
	for _, part := range parts {
		if !strings.Contains(s.writes(), part) {
			s.t.Fatalf("wrote\n%s\nwithout %s", s.writes(), part)
		}
	}
}

func (s *stage) wantSilence() {
	s.t.Helper()
	if s.writes() != "" {
		s.t.Fatalf("wrote %s", s.writes())
	}
}

const (
	welcomed = `{"t":"welcome","token":"tok","resumed":false,"c":0,"grace_ms":30000,"age":"ticket"}`
	waits    = `{"t":"queued","n":%d,"place":"here","since_ms":0,"widens_ms":1,"steps":[],"wait":null,"waiting":null}`
	offer    = `{"t":"matched","n":%d,"match":"m1","role":"offer","shared":[],"language":"en","within_ms":4000}`
	begins   = `{"t":"connected","n":%d,"room":"r1","me":"ana","peer":"bo","role":"offer","ice":{"servers":[],"ttl_ms":1},` +
		`"handle":"h1","avoid":"a1","pass":"p1","shared":[],"language":"en"}`
)

// searches brings the person into the queue.
func searches(t *testing.T, like simulate.Behaviour) *stage {
	s := enter(t, like)
	s.step(simulate.Opened{})
	s.hears(welcomed)
	s.hears(waits, 1)
	return s
}

// talks brings the person into a call.
func talks(t *testing.T, like simulate.Behaviour) *stage {
	s := searches(t, like)
	s.hears(offer, 2)
	s.hears(begins, 3)
	return s
}
