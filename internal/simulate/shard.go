package simulate

import (
	"container/heap"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// inbox is how many messages may wait for a shard. When it is full readers wait, and with them the
// server: the lag that is measured says so.
const inbox = 4096

// walker is a person with a socket.
type walker struct {
	*Person
	name   string
	number int
	dials  int
	gen    int           // of the present socket; what older ones say is dropped
	conn   *socket       // nil while there is none
	giveUp func()        // ends the handshake that is under way, if one is
	at     time.Duration // when the next tick is due, 0 for never
	index  int           // in the heap, -1 outside
	wire   *wire         // nil without sound
	calls  bool          // as it was counted last
	looks  bool
}

// letter is a message to a shard.
type letter struct {
	to   *walker // nil for all
	gen  int
	at   time.Duration // when it was posted
	conn *socket
	what Event
}

// shard is the loop that owns a part of the people. It alone steps them and writes to their sockets;
// one goroutine for each socket reads.
type shard struct {
	crowd   *crowd
	tally   *tally
	in      chan letter
	people  map[*walker]bool
	timers  timers
	readers sync.WaitGroup
	done    chan struct{} // closed when nobody reads in any more
}

func newShard(c *crowd) *shard {
	return &shard{crowd: c, tally: newTally(), in: make(chan letter, inbox), people: map[*walker]bool{}, done: make(chan struct{})}
}

// loop runs until ctx ends. Then every socket is closed, and the readers are waited for.
func (s *shard) loop(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(s.untilNext())
		select {
		case <-ctx.Done():
			close(s.done)
			for w := range s.people {
				if w.conn != nil {
					w.conn.close()
				}
			}
			s.readers.Wait()
			return
		case l := <-s.in:
			s.deliver(ctx, l)
		case <-timer.C:
			s.tick(ctx)
		}
	}
}

func (s *shard) untilNext() time.Duration {
	if len(s.timers) == 0 {
		return time.Hour
	}
	return max(0, s.timers[0].at-s.crowd.now())
}

// tick steps everybody whose time has come.
func (s *shard) tick(ctx context.Context) {
	now := s.crowd.now()
	for len(s.timers) > 0 && s.timers[0].at <= now {
		w := s.timers[0]
		s.tally.took(Lag, now-w.at)
		s.step(ctx, w, now, Tick{})
	}
}

func (s *shard) deliver(ctx context.Context, l letter) {
	now := s.crowd.now()
	if l.to == nil {
		for w := range s.people {
			s.step(ctx, w, now, l.what)
		}
		return
	}
	switch e := l.what.(type) {
	case Arrive:
		s.people[l.to], l.to.giveUp = true, func() {}
		now = l.at // the loop is open: lateness counts
	case Opened:
		if l.gen != l.to.gen {
			l.conn.close() // given up meanwhile
			return
		}
		l.to.conn = l.conn
	case Lost, Refusal:
		if l.gen == l.to.gen {
			l.to.conn = nil
		}
	case Received:
		s.tally.took(Lag, now-e.At)
		s.crowd.tellFrame(e.frame)
	case SoundSays, SoundCame, SoundRefused, Solved:
		l.gen = l.to.gen // neither sound nor work depends on the socket
	case Tick, Stop:
	}
	if l.gen == l.to.gen {
		s.step(ctx, l.to, now, l.what)
	}
}

// step steps one person and does what it wants.
func (s *shard) step(ctx context.Context, w *walker, now time.Duration, e Event) {
	if !s.people[w] {
		return
	}
	for _, effect := range w.Step(now, e) {
		s.carryOut(ctx, w, now, effect)
	}
	recount(&s.crowd.calls, &w.calls, w.InCall())
	recount(&s.crowd.looks, &w.looks, w.Searches())
	if s.people[w] {
		s.schedule(w, now)
	}
}

// recount keeps a count of people right when one of them changes.
func recount(count *atomic.Int64, was *bool, is bool) {
	switch {
	case is && !*was:
		count.Add(1)
	case !is && *was:
		count.Add(-1)
	}
	*was = is
}

// schedule notes when a person wants its next tick. What could not be done earlier is due now.
func (s *shard) schedule(w *walker, now time.Duration) {
	if w.at = w.Deadline(); w.at > 0 {
		w.at = max(w.at, now)
	}
	switch {
	case w.at == 0 && w.index >= 0:
		heap.Remove(&s.timers, w.index)
	case w.at > 0 && w.index >= 0:
		heap.Fix(&s.timers, w.index)
	case w.at > 0:
		heap.Push(&s.timers, w)
	}
}

func (s *shard) carryOut(ctx context.Context, w *walker, now time.Duration, effect Effect) {
	switch e := effect.(type) {
	case Dial:
		w.gen++
		w.dials++
		target := s.crowd.cfg.Targets[(w.number+w.dials)%len(s.crowd.cfg.Targets)]
		gen := w.gen
		ctx, giveUp := context.WithCancel(ctx)
		w.giveUp = giveUp
		s.readers.Go(func() {
			defer giveUp()
			s.attend(ctx, w, gen, target)
		})
	case Write:
		if w.conn != nil {
			w.conn.write(e.Frame)
		}
	case Work:
		s.readers.Go(func() {
			if proof := s.crowd.solve(ctx, e); proof != "" {
				s.post(letter{to: w, what: Solved{proof}})
			}
		})
	case HangUp:
		w.gen++
		w.giveUp()
		if w.conn != nil && e.Abrupt {
			w.conn.cut()
		} else if w.conn != nil {
			w.conn.hangUp()
		}
		w.conn = nil
	case Note:
		e.At, e.Who = now.Microseconds(), w.name
		s.crowd.note(e.Event)
	case Took:
		s.tally.took(e.What, e.Time)
	case Count:
		s.tally.count(e.What)
	case Secret:
		s.crowd.tell(e.Kind, e.Text)
	case SoundOn:
		s.soundOn(ctx, w, e)
	case SoundHear:
		s.soundHear(w, e)
	case SoundOff:
		w.soundOff()
	case Gone:
		s.remove(w)
	}
}

func (s *shard) remove(w *walker) {
	delete(s.people, w)
	if w.index >= 0 {
		heap.Remove(&s.timers, w.index)
	}
	s.crowd.present.Add(-1)
}

// attend opens a socket and reads it until its end.
func (s *shard) attend(ctx context.Context, w *walker, gen int, t Target) {
	d := s.crowd.door
	conn, err := d.dial(ctx, t, w.number)
	if err != nil {
		r := Refusal{Code: "unreachable"}
		if refused := new(refusedError); errors.As(err, &refused) {
			r = Refusal{Code: status(refused.status), After: refused.after}
		}
		s.post(letter{to: w, gen: gen, what: r})
		return
	}
	if !s.post(letter{to: w, gen: gen, conn: conn, what: Opened{}}) {
		conn.close() // the run is over
		return
	}
	code, err := d.read(conn, func(f frame) bool {
		return s.post(letter{to: w, gen: gen, what: Received{s.crowd.now(), f}})
	})
	if err != nil {
		s.tally.count("frames not understood")
		s.crowd.complain(err)
	}
	conn.close()
	s.post(letter{to: w, gen: gen, what: Lost{code}})
}

// post hands a letter to the loop, if it still runs.
func (s *shard) post(l letter) bool {
	select {
	case s.in <- l:
		return true
	case <-s.done:
		return false
	}
}

// timers is the heap of everybody who waits for a tick.
type timers []*walker

// Len is for the heap.
func (t timers) Len() int { return len(t) }

// Less is for the heap.
func (t timers) Less(i, j int) bool { return t[i].at < t[j].at }

// Swap is for the heap.
func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].index, t[j].index = i, j
}

// Push is for the heap.
func (t *timers) Push(x any) {
	w := x.(*walker)
	w.index = len(*t)
	*t = append(*t, w)
}

// Pop is for the heap.
func (t *timers) Pop() any {
	old := *t
	w := old[len(old)-1]
	old[len(old)-1] = nil
	*t = old[:len(old)-1]
	w.index = -1
	return w
}
