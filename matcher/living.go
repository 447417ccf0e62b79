package matcher

import (
	"slices"
	"sync"
	"time"

	"parley/retention"
)

// living knows which nodes hold a lease, as the last beat told.
type living struct {
	mu     sync.Mutex // guards the following
	nodes  []string   // sorted
	beaten time.Time  // when the last beat was sent
	anew   time.Time  // since when this node holds its lease again after a gap; zero if there was none
	lapses int        // such gaps, and outages of the store
}

// beat notes the answer to a beat that was sent at a time, {'renewed' or 'anew', living nodes...}.
func (l *living) beat(sent time.Time, answer []string) {
	renewed, nodes := answer[0] == "renewed", answer[1:]
	slices.Sort(nodes)
	l.mu.Lock()
	defer l.mu.Unlock()
	if !renewed && !l.beaten.IsZero() {
		l.anew = sent
		l.lapses++
	}
	l.nodes, l.beaten = nodes, sent
}

// met notes a node that was alive a moment ago, by a match with one of its tickets: it may have
// begun since the last beat.
func (l *living) met(node string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at, known := slices.BinarySearch(l.nodes, node); !known {
		l.nodes = slices.Insert(slices.Clone(l.nodes), at, node)
	}
}

// count returns how many nodes there are, this one included.
func (l *living) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(1, len(l.nodes))
}

// renewed returns how long ago the last beat was sent that reached the store.
func (l *living) renewed() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Since(l.beaten)
}

// back notes that the store answers again.
func (l *living) back() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lapses++
}

// Lapses returns how often the store was away, or this node held no lease for a while. Its tickets
// may have been forgotten then, or dropped as those of a dead node, so each is to be joined again.
func (q *Queue) Lapses() int {
	l := &q.living
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lapses
}

// Alive says whether a node held its lease at the last beat of this one, or was met since. This node
// itself always does. An outage of the store is no death: when the last beat is older than a lease,
// and for the length of a lease after the store is back or has lost its data, everybody counts as
// alive; those who live have beaten by then. A node that begins believes its first beat.
func (q *Queue) Alive(node string) bool {
	if node == q.cfg.Node {
		return true
	}
	l := &q.living
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Sub(l.beaten) > retention.LeaseTime || now.Sub(l.anew) <= retention.LeaseTime {
		return true
	}
	_, holds := slices.BinarySearch(l.nodes, node)
	return holds
}

// Living returns the names of the nodes that held a lease at the last beat, sorted.
func (q *Queue) Living() []string {
	l := &q.living
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.nodes)
}
