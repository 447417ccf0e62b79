package moderation

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/moderation/score"
	"parley/retention"
)

// attempts is how often a change is tried anew when another node was faster.
const attempts = 5

// change is what write.lua is to do.
type change struct {
	keys   []string
	places map[string]int
	checks []any
	acts   []any
	nCheck int
	policy score.Policy // by which the reports of what is stored are summed up
	now    time.Time
}

// newChange begins a change at a time.
func newChange(p score.Policy, now time.Time) *change {
	return &change{places: map[string]int{}, policy: p, now: now}
}

// at returns the place of a key in KEYS.
func (c *change) at(key string) int {
	if n, there := c.places[key]; there {
		return n
	}
	c.keys = append(c.keys, key)
	c.places[key] = len(c.keys)
	return len(c.keys)
}

// check demands that a key begins with a revision still; empty when it must not exist.
func (c *change) check(key, revision string) {
	c.nCheck++
	c.checks = append(c.checks, c.at(key), revision)
}

func (c *change) set(key, value string, ttl time.Duration) {
	c.acts = append(c.acts, "set", c.at(key), value, ttl.Milliseconds())
}
func (c *change) del(key string)       { c.acts = append(c.acts, "del", c.at(key)) }
func (c *change) move(from, to string) { c.acts = append(c.acts, "move", c.at(from), c.at(to)) }

// within lets a key live no longer than another.
func (c *change) within(key, other string) {
	c.acts = append(c.acts, "within", c.at(key), c.at(other))
}

// again writes what is there already, for WAIT: in Valkey it speaks only of what its own connection
// wrote, and not of what that found.
func (c *change) again(p *person) {
	for _, key := range []string{p.today, p.yesterday} {
		c.acts = append(c.acts, "again", c.at(retention.Window.Key(key)))
	}
}

func (c *change) count(p *person, field string) {
	c.acts = append(c.acts, "count", c.at(retention.Window.Key(p.today)), c.at(retention.Window.Key(p.yesterday)), field, retention.Window.TTL().Milliseconds())
}

func (c *change) empty() bool { return len(c.acts) == 0 }

// apply makes the change; false when somebody has changed what it rests on.
func (d *Desk) apply(ctx context.Context, rdb redis.Scripter, c *change) (done bool, err error) {
	args := append([]any{c.nCheck}, c.checks...)
	return d.scripts.write.Run(ctx, rdb, c.keys, append(args, c.acts...)...).Bool()
}

// touch stores a record again where it lies, for as long as it has to live.
func (c *change) touch(s *stored) { c.keep(s, 0) }

// keep stores a record with its reports and their sum; lasts is for how long, and 0 for as long as it
// has.
func (c *change) keep(s *stored, lasts time.Duration) {
	record, sum := s.texts(c.policy, score.Hour(c.now.Unix()))
	c.check(s.key(), s.revision)
	c.set(s.key(), record, lasts)
	if s.brief { // the reports are as they were
		c.set(s.sumKey(), sum, 0)
		return
	}
	c.rest(s)
	holds := time.Unix(s.Sum.Until(), 0).Sub(c.now)
	if sum == "" || holds < time.Millisecond {
		c.del(s.sumKey())
		return
	}
	c.set(s.sumKey(), sum, holds)
	for _, e := range s.Events { // clocks of nodes differ, that of Redis decides
		if e.At <= s.Events[0].At+clocksDiffer {
			c.within(s.sumKey(), s.slot(e.Slot))
		}
	}
}

// clocksDiffer is by how much the times of reports may be in another order than they were made, in
// seconds.
const clocksDiffer = 2 * 3600

// rest brings the reports of a record that was read at s to what is in it now: those that are new
// or altered are set, those that are gone deleted.
func (c *change) rest(s *stored) {
	kept := map[uint8]bool{}
	for _, e := range s.Events {
		kept[e.Slot] = true
		was, there := s.bytes[e.Slot]
		switch {
		case there && was == text(e):
		case there && pairOf(was) == e.Pair:
			c.set(s.slot(e.Slot), text(e), 0)
		default:
			c.set(s.slot(e.Slot), text(e), retention.ReportTime)
		}
	}
	for slot := range s.bytes {
		if !kept[slot] {
			c.del(s.slot(slot))
		}
	}
}

// drop deletes a record that was read at s. The mark that its token was given up, if it has one, lies
// in its place again, for as long as it has to live.
func (c *change) drop(s *stored) {
	c.check(s.key(), s.revision)
	c.del(s.key())
	c.del(s.sumKey())
	if s.given {
		c.move(s.slot(markSlot), s.key())
	}
}

// pairOf reads of which pair a report is.
func pairOf(text string) score.ID {
	e, err := score.ParseEvent([]byte(text))
	if err != nil {
		return score.ID{}
	}
	return e.Pair
}
