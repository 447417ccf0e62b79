package moderation

import (
	"context"
	"strconv"
	"time"

	"parley/moderation/score"
	"parley/retention"
)

// glance judges a device by its records alone, which say what their reports come to. It answers
// false when that is not enough, so that the reports must be read.
func (d *Desk) glance(ctx context.Context, p *person, now time.Time) (v Verdict, enough bool, err error) {
	d.bare.trim(p, now)
	var held []any
	how, n := d.had.way(p), 0
	switch how {
	case inFull:
		return Verdict{}, false, nil
	case calls:
		held, n, err = d.withCalls(ctx, p)
	case alone:
		held, err = d.lookups.ask(ctx, p)
	}
	if err != nil {
		return Verdict{}, false, err
	}
	policy, hour := *d.policy.Load(), score.Hour(now.Unix())
	who, ok := briefly(policy, hour, p, held)
	if !ok {
		return Verdict{}, false, nil
	}
	if who.Token == nil && who.Digest == nil {
		d.forgo(p, how)
		d.bare.note(p)
		return Verdict{}, true, nil
	}
	v, judged := d.judge(policy, hour, who)
	if judged.TokenChanged || judged.DigestChanged {
		return Verdict{}, false, nil
	}
	if v.Band != Restricted {
		d.forgo(p, how)
		return v, true, nil
	}
	if how != calls {
		d.had.note(p, calls)
		if _, n, err = d.withCalls(ctx, p); err != nil {
			return Verdict{}, false, err
		}
	}
	v.Probation = policy.OnProbation(d.draw(p.Token, n, now))
	return v, true, nil
}

// forgo notes that a look at the records is enough again.
func (d *Desk) forgo(p *person, how way) {
	if how != alone {
		d.had.note(p, alone)
	}
}

// withCalls reads the records of one device and how many calls it had today, in one round trip.
func (d *Desk) withCalls(ctx context.Context, p *person) (held []any, n int, err error) {
	keys := make([]string, len(p.places))
	for i, at := range p.places {
		keys[i] = at.key()
	}
	pipe := d.rdb.Pipeline()
	records := pipe.MGet(ctx, keys...)
	before := pipe.HMGet(ctx, retention.Window.Key(p.yesterday), "calls")
	there := pipe.Exists(ctx, retention.Window.Key(p.yesterday))
	today := pipe.HMGet(ctx, retention.Window.Key(p.today), "calls")
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, 0, err
	}
	last := today.Val()
	if there.Val() == 1 {
		last = before.Val()
	}
	if text, is := last[0].(string); is {
		n, _ = strconv.Atoi(text) // Redis counts it
	}
	return records.Val(), n, nil
}

// briefly makes of the records of a device, without their reports, what is to be judged. It answers
// false when their sums do not hold, or something lies there that must be read in full.
func briefly(p score.Policy, hour int64, self *person, held []any) (who score.Subject, ok bool) {
	who.Fresh = self.Fresh
	for i, at := range self.places {
		blob, there := held[i].(string)
		if !there {
			continue
		}
		mine := &who.Token
		if at.kind == ofDigest {
			mine = &who.Digest
		}
		if len(blob) < recordAt || kind(blob[revisionSize]) != at.kind || *mine != nil {
			return who, false
		}
		r, _, err := score.ParseRecord([]byte(blob[recordAt:]))
		if err != nil || !r.Brief(p, hour) {
			return who, false
		}
		*mine = r
	}
	return who, true
}

// way tells how a device is looked up next time, of which all has been read.
func (s sight) way(band Band) way {
	switch {
	case s.gaveUp() || len(s.token) > 1 || len(s.digest) > 1:
		return inFull
	case band == Restricted:
		return calls
	}
	return alone
}

// stale tells whether a record is to be written again because the sum in it does not hold.
func stale(p score.Policy, hour int64, parts []*stored) bool {
	if len(parts) != 1 || parts[0].given || !parts[0].Alive(p, hour) {
		return false
	}
	head := score.Record{Sum: parts[0].Sum}
	return !head.Brief(p, hour)
}
