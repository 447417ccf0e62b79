package signaling

import (
	"time"

	"parley/moderation/puzzle"
)

// work is what a session was asked to do for its searches, and did.
type work struct {
	made uint32 // puzzles, which are numbered from 1
	open bool   // the last of them counts: it was not solved yet
	paid int    // searches that need no more work
}

// pays tells whether a search may go on. If not, it has asked the browser for work.
func (s *session) pays(e *find) bool {
	w := &s.work
	if s.gaveUp {
		e.zeros = e.asNew
	}
	solved := w.open && e.solves == w.made
	if solved {
		w.open, w.paid = false, e.pays
	}
	switch {
	case e.zeros == 0:
		return true
	case w.paid > 0:
		w.paid--
		return true
	case e.msg.Proof != "":
		s.refuse(e.msg.C, BadProof, "the proof solves nothing that was asked of this session, or too late: a new puzzle follows")
	}
	s.demand(e.msg.C, e.zeros)
	return false
}

// demand asks for work in answer to the find numbered of.
func (s *session) demand(of uint64, zeros int) {
	s.work.made++
	s.work.open = true
	s.do(sendPuzzle{of: of, number: s.work.made, zeros: zeros})
}

// puzzleOf makes the frame of a puzzle.
func (cl *client) puzzleOf(now time.Time, e sendPuzzle) Puzzle {
	return Puzzle{
		Of: e.of, Challenge: cl.hub.press.Make(cl.self.ID, e.number, e.zeros, now), Bits: e.zeros,
		WithinMS: puzzle.Within.Milliseconds(),
	}
}
