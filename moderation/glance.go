package moderation

import (
	"context"
	"time"

	"parley/moderation/score"
)

// hold lets the records whose reports were left unread be judged by the sum of these. It answers
// false when one of the sums does not hold.
func (s sight) hold(p score.Policy, hour int64) bool {
	for _, r := range s.all() {
		if r.brief && !r.Brief(p, hour) {
			return false
		}
	}
	return true
}

// tiredAtOnce is how many devices may wait for the sum of their reports. Beyond it one is made when
// its device is met again.
const tiredAtOnce = 256

// sumUpLater has the sum of the reports on a device made anew where one is gone, or weighed by other
// numbers. [Desk.Run] does it, so that nobody waits: the sum only saves work.
func (d *Desk) sumUpLater(s sight, now time.Time) {
	p, hour := *d.policy.Load(), score.Hour(now.Unix())
	if !tired(p, hour, s.token) && !tired(p, hour, s.digest) {
		return
	}
	select {
	case d.tired <- s.person:
	default:
	}
}

// tired tells whether a record has no sum that holds and could have one.
func tired(p score.Policy, hour int64, parts []*stored) bool {
	if len(parts) != 1 || parts[0].brief || parts[0].given || !parts[0].Alive(p, hour) {
		return false
	}
	head := score.Record{Sum: parts[0].Sum}
	return !head.Brief(p, hour)
}

// sumUp makes the sums of one device anew. When others change the records at the same time, they do.
func (d *Desk) sumUp(ctx context.Context, who *person) error {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	s, err := d.lookedInto(ctx, who)
	if err != nil {
		return err
	}
	now := time.Now()
	p, hour := *d.policy.Load(), score.Hour(now.Unix())
	c := newChange(p, now)
	for _, parts := range [][]*stored{s.token, s.digest} {
		if tired(p, hour, parts) {
			c.touch(parts[0])
		}
	}
	if c.empty() {
		return nil
	}
	_, err = d.apply(ctx, d.rdb, c)
	return err
}
