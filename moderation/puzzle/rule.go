package puzzle

import (
	"math"
	"sync"
	"time"
)

// Rule says which searches cost work.
type Rule struct {
	Fresh   int     // bits for a device that is new
	Crowded float64 // searches a second on the node, from which on everybody works
	Most    int     // bits, however many search
	Pays    int     // for how many searches of its session a solved puzzle pays
}

// Usual is the rule of a server in the open. A laptop solves 16 bits in a twentieth of a second and 20
// bits in one; an old phone needs ten times as long.
func Usual() Rule { return Rule{Fresh: 16, Crowded: 500, Most: 20, Pays: 8} }

// Bits returns how much work a search costs when so many begin each second; 0 for none. Each doubling
// beyond Crowded asks for one bit more, which is twice the work.
func (r Rule) Bits(fresh bool, rate float64) int {
	crowd := rate / r.Crowded
	switch {
	case crowd >= 1:
		return min(r.Most, r.Fresh+int(math.Log2(crowd)))
	case fresh:
		return r.Fresh
	}
	return 0
}

// Meter counts the searches of a node. Its zero value is ready. Safe for concurrent use.
type Meter struct {
	mu        sync.Mutex // guards the following
	second    int64      // that is being counted
	now, last int        // in it, and in the one before
}

// Count adds a search and returns how many a second began of late: the more of the last whole second
// and the present one, so that a sudden crowd shows at once and a short pause does not hide it.
func (m *Meter) Count(now time.Time) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch second := now.Unix(); second - m.second {
	case 0:
	case 1:
		m.second, m.last, m.now = second, m.now, 0
	default:
		m.second, m.last, m.now = second, 0, 0
	}
	m.now++
	return float64(max(m.now, m.last))
}
