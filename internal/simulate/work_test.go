package simulate_test

import (
	"crypto/sha256"
	"strings"
	"testing"

	"parley/internal/simulate"
)

// work returns what the last step wants solved.
func (s *stage) work() (all []simulate.Work) {
	for _, e := range s.did {
		if w, ok := e.(simulate.Work); ok {
			all = append(all, w)
		}
	}
	return all
}

func TestWorksForASearch(t *testing.T) {
	s := enter(t, calm())
	s.step(simulate.Opened{})
	s.want(`"digest":"`, `"age":""}`)
	s.hears(welcomed)
	s.hears(`{"t":"puzzle","n":1,"of":1,"challenge":"abc","bits":9,"within_ms":120000}`)
	s.wantSilence()
	if all := s.work(); len(all) != 1 || all[0] != (simulate.Work{Challenge: "abc", Bits: 9}) {
		t.Fatalf("wants %v", all)
	}
	s.step(simulate.Solved{Proof: "xyz.1"}) // of another puzzle
	s.wantSilence()
	s.step(simulate.Solved{Proof: "abc.1"})
	s.want(`{"t":"find","c":2,`, `"proof":"abc.1"}`)
	s.step(simulate.Solved{Proof: "abc.1"}) // once
	s.wantSilence()
	s.hears(waits, 2)
	// Who comes back shows the ticket of its age, and in a new session works anew.
	s.step(simulate.Lost{Code: 1006})
	s.waits()
	s.step(simulate.Opened{})
	s.want(`"age":"ticket"}`)
	s.hears(`{"t":"welcome","token":"new","resumed":false,"c":0,"grace_ms":30000,"age":""}`)
	s.want(`"place":"here","proof":""}`)
	s.hears(`{"t":"puzzle","n":1,"of":1,"challenge":"def","bits":9,"within_ms":120000}`)
	if len(s.work()) != 1 {
		t.Error("does not work again")
	}
}

func TestGoesWhenHeld(t *testing.T) {
	s := enter(t, calm())
	s.step(simulate.Opened{})
	s.hears(welcomed)
	s.hears(`{"t":"held","n":1,"of":1,"until_ms":3600000,"reasons":["spam"]}`)
	if s.p.Searches() {
		t.Fatal("still searches")
	}
	for range 5 {
		if s.waits(); has[simulate.Gone](s) {
			return
		}
	}
	t.Error("does not go")
}

func TestSolve(t *testing.T) {
	proof := simulate.Solve(t.Context(), simulate.Work{Challenge: "abc", Bits: 11})
	sum := sha256.Sum256([]byte(proof))
	if !strings.HasPrefix(proof, "abc.") || sum[0] != 0 || sum[1] > 0b00011111 {
		t.Errorf("%q, of which the hash begins with %08b", proof, sum[:2])
	}
}
