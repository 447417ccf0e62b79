package simulate

// Bounds of a session's numbers, as in the page.
const (
	ackAfter = 8
	mostKept = 512
	// recall is how many sent frames an error can still name. The page has 64; thousands of people
	// in one process need the memory.
	recall = 16
)

// kept is a frame with its number.
type kept struct {
	c uint64
	outgoing
}

// numbers make every frame arrive exactly once and in order, although sockets come and go.
type numbers struct {
	sent, seen, told uint64
	unacked          []kept
	recent           []kept // the newest, acknowledged or not
}

// reset forgets everything: another session begins.
func (s *numbers) reset() { *s = numbers{} }

func (s *numbers) full() bool { return len(s.unacked) >= mostKept }

// number gives a frame its number and keeps it until the server has it.
func (s *numbers) number(o outgoing) kept {
	s.sent++
	k := kept{s.sent, o}
	s.unacked = append(s.unacked, k)
	if len(s.recent) == recall {
		copy(s.recent, s.recent[1:])
		s.recent = s.recent[:recall-1]
	}
	s.recent = append(s.recent, k)
	return k
}

// acknowledged lets go of what the server has.
func (s *numbers) acknowledged(c uint64) {
	i := 0
	for i < len(s.unacked) && s.unacked[i].c <= c {
		i++
	}
	if i > 0 {
		s.unacked = append(s.unacked[:0:0], s.unacked[i:]...)
	}
}

// arrived decides about a frame numbered n: taken, or else a repetition or a gap.
func (s *numbers) arrived(n uint64) (taken, gap bool) {
	switch {
	case n <= s.seen:
		return false, false
	case n > s.seen+1:
		return false, true
	}
	s.seen = n
	return true, false
}

func (s *numbers) ackDue() bool  { return s.seen-s.told >= ackAfter }
func (s *numbers) ackOpen() bool { return s.seen > s.told }

// tell returns the number to acknowledge and takes it as told.
func (s *numbers) tell() uint64 {
	s.told = s.seen
	return s.seen
}

// texts returns the numbers of the recent texts.
func (s *numbers) texts() []uint64 {
	var all []uint64
	for _, k := range s.recent {
		if k.k > 0 {
			all = append(all, k.k)
		}
	}
	return all
}

// frame returns the frame numbered c, if it is recent.
func (s *numbers) frame(c uint64) (outgoing, bool) {
	for _, k := range s.recent {
		if k.c == c {
			return k.outgoing, true
		}
	}
	return outgoing{}, false
}
