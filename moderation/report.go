package moderation

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/keyring"
	"parley/moderation/score"
	"parley/retention"
)

// MaxReports is how many reports on one device are kept.
const MaxReports = score.MaxEvents

// errBusy says that other nodes changed the same records again and again.
var errBusy = errors.New("others changed the same records at the same time")

// Report stores that reporter reports whoever handle names. There is one report of a pair in 30
// days: a further one changes nothing, not even the reason, and before is true unless it is for the
// same call: a repeat answers like the first. Where Redis has replicas one of them has the report
// too, or the answer is [ErrUnavailable]: a primary that is replaced takes what it alone had with
// it. Errors: [ErrHandle], [ErrReason], [ErrUnavailable].
func (d *Desk) Report(ctx context.Context, reporter Device, handle string, reason Reason, now time.Time) (before bool, err error) {
	if !slices.Contains(Reasons(), reason) {
		return false, ErrReason
	}
	m, err := d.open(reporter, handle, now)
	if err != nil {
		return false, err
	}
	// The call lives in another slot of a cluster than the reports, so one script cannot touch both.
	// A call whose ten minutes end between the two steps is reported in time all the same.
	over, err := d.over(ctx, m.call)
	if err != nil {
		return false, err
	}
	live, current, err := d.keys(now)
	if err != nil {
		return false, err
	}
	c := complaint{
		current: current, reason: reason, over: over >= 0, length: now.Sub(m.began) - max(0, over),
		reporter: d.known(live, reporter, now), target: d.known(live, m.target, now), now: now,
		mark: base64.RawURLEncoding.EncodeToString(d.ring.Mark("report mark", m.call, reporter.Token, m.target.Token)[:6]),
	}
	conn, err := d.connect(ctx)
	if err != nil {
		return false, unavailable("store report", err)
	}
	defer func() { _ = conn.Close() }() // it goes back to the pool
	if before, err = d.keep(ctx, conn, c); err != nil {
		d.moved(ctx, err)
		return false, unavailable("store report", err)
	}
	return before, nil
}

// over returns how long ago a call ended; negative while it runs. Error: [ErrHandle] when it is
// unknown, or ended longer ago than it can be reported.
func (d *Desk) over(ctx context.Context, call string) (time.Duration, error) {
	key := retention.Call.Key(call)
	pipe := d.rdb.Pipeline()
	state, left := pipe.Get(ctx, key), pipe.PTTL(ctx, key)
	switch _, err := pipe.Exec(ctx); {
	case errors.Is(err, redis.Nil):
		return 0, ErrHandle
	case err != nil:
		return 0, unavailable("look up call", err)
	case state.Val() != "ended":
		return -1, nil
	}
	return max(0, retention.ReportWindow-left.Val()), nil
}

// complaint is a report on its way.
type complaint struct {
	reporter, target person
	current          keyring.Epoch
	reason           Reason
	over             bool          // the call has ended
	length           time.Duration // of the call, so far
	mark             string        // of both and the call
	now              time.Time
}

// keep stores a complaint, and returns once a replica has what it found or wrote. WAIT speaks of
// what came before it on its own connection, so all of it takes one.
func (d *Desk) keep(ctx context.Context, conn *redis.Conn, c complaint) (before bool, err error) {
	for range attempts {
		sights, err := d.read(ctx, conn, []question{
			{person: &c.target}, {person: &c.reporter, window: true, mark: c.mark},
		})
		if err != nil {
			return false, err
		}
		what, before := d.weigh(c, sights[0], sights[1])
		done, err := d.apply(ctx, conn, what)
		if err != nil {
			return false, err
		}
		if done {
			return before, d.settle(ctx, conn)
		}
	}
	return false, errBusy
}

// weigh says what a complaint changes.
func (d *Desk) weigh(c complaint, target, reporter sight) (what *change, before bool) {
	p, hour := *d.policy.Load(), score.Hour(c.now.Unix())
	if reporter.reported { // a repeat: what it changes was changed in one step with this mark
		what = newChange(p, c.now)
		what.again(&c.reporter)
		return what, false
	}
	said := score.Event{At: hour, Reason: c.reason, Factors: score.Weigh(p, hour, score.Testimony{
		Window:   c.windowBefore(p, hour, reporter),
		Seconds:  c.length.Seconds(),
		Reporter: bandOf(p, hour, reporter),
		SameNet:  c.reporter.Net != "" && c.reporter.Net == c.target.Net,
	})}
	what = newChange(p, c.now)
	known := d.accuse(what, c, said, ofToken, target)
	if c.target.Digest != "" {
		d.accuse(what, c, said, ofDigest, target)
	}
	what.count(&c.reporter, c.mark)
	return what, known
}

// windowBefore is the reporter's window as it was before this call, which it may hold already. The
// calls of a token that was given up give it no credit.
func (c complaint) windowBefore(p score.Policy, hour int64, reporter sight) score.Window {
	w := reporter.window
	w.Start = hour
	if reporter.gaveUp() {
		w.Calls, w.Finished = 0, 0
		return w
	}
	if c.over {
		w.Calls = max(0, w.Calls-1)
		if c.length.Seconds() >= p.Short {
			w.Finished = max(0, w.Finished-1)
		}
	}
	return w
}

// bandOf looks at a device without touching it.
func bandOf(p score.Policy, hour int64, s sight) Band {
	return score.Judge(p, hour, score.Subject{Token: whole(p, hour, s.token), Digest: whole(p, hour, s.digest), Fresh: s.Fresh}).Band
}

// accuse adds a report to the record of the target's token or digest. It answers true when this
// pair is there already.
func (d *Desk) accuse(what *change, c complaint, said score.Event, k kind, target sight) (known bool) {
	p, parts := *d.policy.Load(), target.of(k)
	r := c.gather(what, p, said.At, k, target)
	now, older := aliases(r.week, k, &c.target, c.reporter.Device)
	said.Pair, said.Net = now.Pair, now.Net
	pairs := []score.ID{now.Pair}
	for _, a := range older {
		pairs = append(pairs, a.Pair)
	}
	known = slices.ContainsFunc(r.Events, func(e score.Event) bool { return slices.Contains(pairs, e.Pair) })
	r.Add(p, said, older...)
	r.spare()
	r.meets(c.reporter.Token, &c.target, k, said.At)
	if k == ofDigest && !c.target.Fresh {
		who, older := c.target.seenAs(r.week, k, c.target.Token)
		r.Saw(p, said.At, who, older...)
	}
	lasts := retention.Record.TTL()
	if known {
		lasts = r.rest(parts)
	}
	what.keep(r, lasts)
	return known
}

// gather returns the record under the newest epoch, with all that lies under older ones moved
// there.
func (c complaint) gather(what *change, p score.Policy, hour int64, k kind, target sight) *stored {
	week, parts := c.current.Week, target.of(k)
	for _, s := range parts {
		week = max(week, s.week) // of a node whose clock is ahead
	}
	i := slices.IndexFunc(parts, func(s *stored) bool { return s.week == week })
	if i >= 0 && len(parts) == 1 {
		return parts[0]
	}
	r := &stored{review: noReview(), bytes: map[uint8]string{}}
	if i >= 0 {
		r = parts[i]
	} else {
		at := slices.IndexFunc(c.target.places, func(p place) bool { return p.kind == k && p.week == week })
		r.place = c.target.places[at]
		r.displaces(what, target.marks)
		r.replaces(what, target.damaged)
	}
	if len(parts) == 0 {
		return r
	}
	r.Record = r.settled(*whole(p, hour, parts))
	for _, s := range parts {
		if s != r {
			r.take(what, s)
		}
	}
	return r
}

// displaces makes room for a record where the mark of a token lies that was given up. The mark
// moves to a slot, with the time that it has to live.
func (r *stored) displaces(what *change, marks []*stored) {
	for _, m := range marks {
		if m.mark == r.mark {
			r.given, r.revision = true, m.revision
			what.move(m.key(), r.slot(markSlot))
		}
	}
}

// replaces begins anew where something lies that parley did not write: nothing of it counts, and
// left there it would keep every further report away until it expires. What may be left of its
// reports goes.
func (r *stored) replaces(what *change, damaged []*stored) {
	for _, s := range damaged {
		if s.mark != r.mark {
			continue
		}
		r.given, r.revision = s.given, s.revision
		for n := range uint8(score.MaxEvents) {
			if n != markSlot || !s.given {
				what.del(s.slot(n))
			}
		}
	}
}

// take moves the reports of s to the slots that they have in r, and deletes what is left of s.
func (r *stored) take(what *change, s *stored) {
	to := map[string]uint8{}
	for _, e := range r.Events {
		to[text(e)] = e.Slot
	}
	what.drop(s)
	for slot, report := range s.bytes {
		if n, stays := to[report]; stays && r.bytes[n] == "" {
			what.move(s.slot(slot), r.slot(n))
			r.bytes[n] = report
		} else {
			what.del(s.slot(slot))
		}
	}
	if s.review != noReview() {
		r.review = s.review
	}
}

// rest returns how long a record lives that no report was added to: 0, as long as it has, unless it
// was moved here.
func (r *stored) rest(parts []*stored) time.Duration {
	var left time.Duration
	if r.left == 0 { // it was not there
		for _, s := range parts {
			left = max(left, s.left)
		}
	}
	return left
}

// meets remembers that the reporter was met, so that this call, and another with the same within a
// day, never counts as clean.
func (r *stored) meets(reporter string, target *person, k kind, hour int64) {
	who, older := target.seenAs(r.week, k, reporter)
	r.Peers = slices.DeleteFunc(slices.Clone(r.Peers), func(s score.Seen) bool { return s.Who == who || slices.Contains(older, s.Who) })
	if len(r.Peers) >= score.MaxPeers {
		r.Peers = slices.Delete(r.Peers, 0, 1)
	}
	r.Peers = append(r.Peers, score.Seen{Who: who, At: hour})
}
