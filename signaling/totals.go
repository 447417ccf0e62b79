package signaling

import (
	"sync/atomic"
	"time"

	"parley/internal/link"
)

// Totals is what a hub did since it started, and how it stands with the store and the other nodes, for
// whoever watches over it. It says nothing of anybody: how many, never who.
type Totals struct {
	Searches, Offers, Found, Expired int64      // begun; matches told; searches that led to a call; searches that nobody came to
	Puzzles, Reports                 int64      // searches that had to cost work first; reports taken
	Waits                            WaitCounts // of the searches in Found
	Refused                          map[ErrorCode]int64
	TurnedAway                       map[Rebuff]int64 // handshakes
	Unanswered                       int64            // questions that the store did not answer
	Garbled                          int64            // mail of other nodes that was not understood
	Backlog                          int64            // questions to the store that wait or are under way
	Nodes                            int64            // that are alive, this one included
	Mail                             link.Counts
	MailUp                           bool
}

// Rebuff says why a handshake was turned away.
type Rebuff string

// The reasons. What is no WebSocket at all is not counted.
const (
	RebuffOrigin Rebuff = "origin" // a page of another origin
	RebuffFull   Rebuff = "full"   // the node stops, or holds all that it may
	RebuffRush   Rebuff = "rush"   // too many at once
)

// Rebuffs returns every reason.
func Rebuffs() []Rebuff { return []Rebuff{RebuffOrigin, RebuffFull, RebuffRush} }

// waitSteps is how many bounds [WaitBounds] has.
const waitSteps = 9

// WaitBounds are the bounds between the classes of [WaitCounts].
func WaitBounds() [waitSteps]time.Duration {
	return [waitSteps]time.Duration{
		time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second,
		80 * time.Second, 160 * time.Second, 320 * time.Second,
	}
}

// WaitCounts is how long people waited, by class.
type WaitCounts struct {
	Counts [waitSteps + 1]int64 // those up to each bound and above the one before; the last: longer than all
	Sum    time.Duration
}

// waits is WaitCounts while it is being counted.
type waits struct {
	counts [waitSteps + 1]atomic.Int64
	sum    atomic.Int64
}

func (w *waits) add(d time.Duration) {
	d = max(d, 0)
	class := waitSteps
	for i, bound := range WaitBounds() {
		if d <= bound {
			class = i
			break
		}
	}
	w.counts[class].Add(1)
	w.sum.Add(int64(d))
}

func (w *waits) load() (all WaitCounts) {
	for i := range w.counts {
		all.Counts[i] = w.counts[i].Load()
	}
	all.Sum = time.Duration(w.sum.Load())
	return all
}

// totals is Totals while it is being counted.
type totals struct {
	searches, offers, found, expired, puzzles, reports atomic.Int64
	waits                                              waits
	refused                                            map[ErrorCode]*atomic.Int64 // all codes; never changes
	turned                                             map[Rebuff]*atomic.Int64    // all reasons; never changes
}

func newTotals() *totals {
	t := &totals{refused: make(map[ErrorCode]*atomic.Int64), turned: make(map[Rebuff]*atomic.Int64)}
	for _, code := range ErrorCodes() {
		t.refused[code] = new(atomic.Int64)
	}
	for _, why := range Rebuffs() {
		t.turned[why] = new(atomic.Int64)
	}
	return t
}

// moved counts a change of phase. Began is when the search began that the session has, zero for none.
func (t *totals) moved(from, to Phase, began time.Time) {
	switch {
	case from == Idle && to == Searching:
		t.searches.Add(1)
	case to == Offered:
		t.offers.Add(1)
	case to == InRoom && !began.IsZero():
		t.found.Add(1)
		t.waits.add(time.Since(began))
	}
}

// told counts a frame that a browser gets, if it is one of those that count.
func (t *totals) told(m ToBrowser) {
	switch m := m.(type) {
	case Refused:
		t.refused[m.Code].Add(1)
	case Expired:
		t.expired.Add(1)
	case Reported:
		t.reports.Add(1)
	default: // the others are not counted
	}
}

// Totals returns what was counted so far.
func (h *Hub) Totals() Totals {
	t := h.totals
	all := Totals{
		Searches: t.searches.Load(), Offers: t.offers.Load(), Found: t.found.Load(), Expired: t.expired.Load(),
		Puzzles: t.puzzles.Load(), Reports: t.reports.Load(), Waits: t.waits.load(),
		Refused: make(map[ErrorCode]int64), TurnedAway: make(map[Rebuff]int64),
		Unanswered: h.counts.failed.Load(), Garbled: h.counts.garbled.Load(),
		Backlog: h.jobs.left(), Nodes: int64(len(h.cfg.Queue.Living())),
		Mail: h.link.Counts(), MailUp: h.link.Up(),
	}
	for code, n := range t.refused {
		all.Refused[code] = n.Load()
	}
	for why, n := range t.turned {
		all.TurnedAway[why] = n.Load()
	}
	return all
}
