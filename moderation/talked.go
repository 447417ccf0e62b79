package moderation

import (
	"context"
	"log/slog"
	"time"

	"parley/moderation/score"
	"parley/retention"
)

const (
	// talksAtOnce is how many calls may have ended and not yet been taken up.
	talksAtOnce = 1024
	// talksKept is how many ended calls wait until they cannot be reported any more. Beyond it, and
	// beyond talksAtOnce, a call counts for nobody: neither as clean nor in a window.
	talksKept = 1 << 16
	// settled is how long after its end a call counts as clean if nobody reported it: the time that a
	// report takes is added to the time that there is for one.
	settled = retention.ReportWindow + 30*time.Second
	// lookEvery is how often calls are looked for that have settled.
	lookEvery = 15 * time.Second
	// storeTime is how long Redis may take for some calls.
	storeTime = 2 * time.Second
)

// talk is a call that ended.
type talk struct {
	call   string
	a, b   Device
	length time.Duration
	ended  time.Time
}

// Talked notes that a call between a and b has ended after length. The node that carried the call
// says so, once. It returns at once; [Desk.Run] does the work. When more calls end than can be
// counted, the newest count for nobody, which makes no score better or worse than one call would.
func (d *Desk) Talked(call string, a, b Device, length time.Duration) {
	select {
	case d.ended <- talk{call, a, b, length, time.Now()}:
	default:
	}
}

// Run counts the calls that ended here until ctx ends: at once in the windows of both sides and
// among the calls of the hour, and as clean when nobody can report them any more. What waits then
// is lost with the process.
func (d *Desk) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var waiting []talk // the first ended first
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case t := <-d.ended:
			some := d.more(t)
			d.counted(ctx, "calls of today", d.count(ctx, some))
			d.counted(ctx, "calls of the hour", d.tally(ctx, some))
			waiting = append(waiting, some[:min(len(some), talksKept-len(waiting))]...)
		case who := <-d.tired:
			d.counted(ctx, "sums of reports", d.sumUp(ctx, who))
		case now := <-tick.C:
			n := 0
			for n < len(waiting) && now.Sub(waiting[n].ended) >= settled {
				n++
			}
			d.expose(ctx, waiting[:n], now)
			waiting = append(waiting[:0:0], waiting[n:]...)
		}
	}
}

// more returns t and what has ended meanwhile, as many as one script should count.
func (d *Desk) more(t talk) []talk {
	some := []talk{t}
	for len(some) < together {
		select {
		case t := <-d.ended:
			some = append(some, t)
		default:
			return some
		}
	}
	return some
}

// counted tells the log that something was not counted or summed up. It is not tried again: it may
// have been done.
func (d *Desk) counted(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		d.log.LogAttrs(ctx, slog.LevelDebug, "something was not counted", slog.String("where", what))
	}
}

// count adds calls to the windows of those who took part, and to those of the hour.
func (d *Desk) count(ctx context.Context, all []talk) error {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	p := *d.policy.Load()
	var keys []string
	args := []any{retention.Window.TTL().Milliseconds()}
	for _, t := range all {
		live, _, err := d.keys(t.ended)
		if err != nil {
			return err
		}
		finished := 0
		if t.length.Seconds() >= p.Short {
			finished = 1
		}
		for _, dev := range []Device{t.a, t.b} {
			who := person{Device: dev, live: live}
			keys = append(keys, retention.Window.Key(who.windowOf(t.ended)), retention.Window.Key(who.windowOf(t.ended.Add(-24*time.Hour))))
			args = append(args, finished)
		}
	}
	return d.scripts.talked.Run(ctx, d.rdb, keys, args...).Err()
}

// expose counts calls as clean for those who have a record, some at a time.
func (d *Desk) expose(ctx context.Context, all []talk, now time.Time) {
	for len(all) > 0 && ctx.Err() == nil {
		n := min(len(all), together/4)
		d.counted(ctx, "clean calls", d.clean(ctx, all[:n], now))
		all = all[n:]
	}
}

// clean counts some calls. Most devices have no record, and then reading is all.
func (d *Desk) clean(ctx context.Context, all []talk, now time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	live, _, err := d.keys(now)
	if err != nil {
		return err
	}
	var questions []question
	for _, t := range all {
		a, b := d.known(live, t.a, now), d.known(live, t.b, now)
		questions = append(questions, question{person: &a}, question{person: &b})
	}
	sights, err := d.read(ctx, d.rdb, questions)
	if err != nil {
		return err
	}
	for i, s := range sights {
		peer := sights[i^1].Device // the two sides of a call stand side by side
		if err := d.cleanFor(ctx, questions[i], s, peer, all[i/2]); err != nil {
			return err
		}
	}
	return nil
}

// cleanFor counts a call for one side.
func (d *Desk) cleanFor(ctx context.Context, q question, s sight, peer Device, t talk) error {
	p := *d.policy.Load()
	for range attempts {
		c := s.after(p, peer, t)
		if c.empty() {
			return nil
		}
		done, err := d.apply(ctx, d.rdb, c)
		if err != nil || done {
			return err
		}
		again, err := d.read(ctx, d.rdb, []question{q})
		if err != nil {
			return err
		}
		s = again[0]
	}
	return errBusy
}

// after says what a call changes in the newest records of one side.
func (s sight) after(p score.Policy, peer Device, t talk) *change {
	c := newChange(p, t.ended)
	for _, parts := range [][]*stored{s.token, s.digest} {
		if len(parts) == 0 {
			continue
		}
		clean, seen := parts[0].exposed(p, s.person, peer, t), parts[0].sawOwner(p, s.person, t)
		if clean || seen {
			c.touch(parts[0])
		}
	}
	return c
}

// sawOwner notes an install that is not fresh in the record of its digest.
func (r *stored) sawOwner(p score.Policy, self *person, t talk) bool {
	hour := score.Hour(t.ended.Unix())
	if r.kind != ofDigest || self.Fresh || !r.Alive(p, hour) {
		return false
	}
	who, older := self.seenAs(r.week, ofDigest, self.Token)
	return r.Saw(p, hour, who, older...)
}

// exposed counts a call in one record and tells whether that changed it.
func (r *stored) exposed(p score.Policy, self *person, peer Device, t talk) bool {
	who, older := self.seenAs(r.week, r.kind, peer.Token)
	return r.Exposed(p, score.Exposure{
		At: score.Hour(t.ended.Unix()), Seconds: t.length.Seconds(), Peer: who, Older: older,
		Fresh: peer.Fresh, SameNet: self.Net != "" && self.Net == peer.Net,
	})
}
