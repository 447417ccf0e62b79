package retention

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Census is what one walk over a Redis found: how much there is of each class, and what breaks the
// catalogue's promise.
type Census struct {
	When    time.Time // it ended
	Took    time.Duration
	Keys    int
	Classes []Tally // one for each item of the catalogue, in its order
	Faults  []Fault // the first maxFaults
	Faulty  int     // how many there were
}

// Tally counts the records of one class.
type Tally struct {
	Class   Class
	Records int
	Bytes   int64         // as [Item.Size] measures them
	Largest int64         // of one record
	Oldest  time.Duration // no record was written longer ago
	Last    time.Duration // until the last of them expires, if nothing renews it
}

// maxFaults is how many faults a census keeps. A Redis that is shared with other programs has any
// number.
const maxFaults = 1000

// CountPace is how many keys a second [Count] looks at unless told otherwise: a million within a
// minute.
const CountPace = 18_000

// Count walks every key of rdb, at most pace a second of each server, and reads only. A record
// counts as written its declared lifetime before it expires, so its age is never told too young.
func Count(ctx context.Context, rdb redis.UniversalClient, pace int) (Census, error) {
	return count(ctx, &walker{rdb: rdb, pace: pace})
}

// count is Count with a walker that is made.
func count(ctx context.Context, w *walker) (Census, error) {
	began := time.Now()
	c := Census{Classes: make([]Tally, len(catalogue()))}
	for i := range c.Classes {
		c.Classes[i].Class = Class(i)
	}
	w.see = c.add
	err := w.walk(ctx)
	c.When = time.Now()
	c.Took = c.When.Sub(began)
	return c, err
}

// add counts one key.
func (c *Census) add(s sight) {
	c.Keys++
	if says := s.fault(); says != "" {
		c.Faulty++
		if len(c.Faults) < maxFaults {
			c.Faults = append(c.Faults, Fault{s.key, says})
		}
	}
	if s.item == nil {
		return
	}
	t := &c.Classes[s.item.Class]
	t.Records++
	t.Bytes += s.size
	t.Largest = max(t.Largest, s.size)
	if s.item.TTL > 0 && s.left >= 0 {
		t.Oldest = max(t.Oldest, s.item.TTL-s.left)
		t.Last = max(t.Last, s.left)
	}
}

// Floor is the number below which nobody is told how many records there are, nor how old.
const Floor = 10

// Public is a number of records as anybody may know it: in tens, and above a thousand by its first two
// digits, so that one more or less does not show.
func Public(n int) string {
	switch {
	case n == 0:
		return "none"
	case n < Floor:
		return fmt.Sprintf("fewer than %d", Floor)
	}
	return "about " + thousands(rounded(n))
}

// rounded is a number of which [Public] says the same as of n: the least one.
func rounded(n int) int {
	if n < Floor {
		return min(n, 1)
	}
	step := int(math.Pow10(max(1, len(fmt.Sprint(n))-2)))
	return n / step * step
}

// thousands writes 1234567 as 1,234,567.
func thousands(n int) string {
	digits := fmt.Sprint(n)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// Span says how long something takes, in the two largest units that matter.
func Span(d time.Duration) string {
	units := []struct {
		of   time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}}
	for i, unit := range units {
		if d < unit.of {
			continue
		}
		says := plural(int(d/unit.of), unit.name)
		if rest := d % unit.of; i+1 < len(units) && rest >= units[i+1].of {
			says += " " + plural(int(rest/units[i+1].of), units[i+1].name)
		}
		return says
	}
	return "less than a second"
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
