package moderation

import (
	"context"
	"encoding/binary"
	"strconv"
	"time"

	"parley/moderation/score"
)

// Admit answers in which band a device searches now. It is asked at each find and takes one round
// trip to Redis: a record says itself what its reports come to. It takes a second one when this
// node meets for the first time a restricted device, whose calls of today say whether it is on
// probation, or one whose token was given up; when a report has run out since the record was
// written, or operators have changed what reports weigh, so that the reports must be read; and one
// when what was found must be kept: a new band, from which a device comes down only by a margin, or
// a spell of cooldown that begins. Error: [ErrUnavailable]; the caller goes on with the band that
// it knew, for ten minutes, and then with [Clear].
func (d *Desk) Admit(ctx context.Context, dev Device, now time.Time) (Verdict, error) {
	live, _, err := d.keys(now)
	if err != nil {
		return Verdict{}, err
	}
	asked := dev
	if !asked.Fresh {
		asked.Digest = "" // it has no say
	}
	p := d.known(live, asked, now)
	for range attempts {
		v, done, err := d.glance(ctx, &p, now)
		if err == nil && !done {
			v, done, err = d.admitInFull(ctx, &p, now)
		}
		switch {
		case err != nil:
			return Verdict{}, unavailable("look up band", err)
		case p.Fresh && !asked.Fresh: // its token was given up, so that the digest has a say
			asked = dev
			asked.Fresh = true
			p = d.known(live, asked, now)
		case done:
			return v, nil
		}
	}
	return Verdict{}, unavailable("keep band", errBusy)
}

// admitInFull reads all reports on a device, and keeps what was found. It answers false when that was
// changed by others meanwhile, or when its token turns out to be given up, which makes it fresh.
func (d *Desk) admitInFull(ctx context.Context, p *person, now time.Time) (v Verdict, done bool, err error) {
	fresh := p.Fresh
	sights, err := d.read(ctx, d.rdb, []question{{person: p}})
	if err != nil {
		return Verdict{}, false, err
	}
	v, c := d.admit(sights[0], now)
	d.had.note(p, sights[0].way(v.Band))
	if p.Fresh != fresh {
		return Verdict{}, false, nil
	}
	if c.empty() {
		return v, true, nil
	}
	done, err = d.apply(ctx, d.rdb, c)
	return v, done, err
}

// admit judges what was seen, and says what is to be kept of that.
func (d *Desk) admit(s sight, now time.Time) (Verdict, *change) {
	policy, hour := *d.policy.Load(), score.Hour(now.Unix())
	c := newChange(policy, hour)
	if len(s.token)+len(s.digest) == 0 {
		return Verdict{GaveUp: s.gaveUp()}, c
	}
	who := score.Subject{Token: whole(policy, hour, s.token), Digest: whole(policy, hour, s.digest), Fresh: s.Fresh}
	v, judged := d.judge(policy, hour, who)
	if judged.TokenChanged || stale(policy, hour, s.token) {
		keepBand(c, s.token[0], who.Token)
	}
	if judged.DigestChanged || stale(policy, hour, s.digest) {
		keepBand(c, s.digest[0], who.Digest)
	}
	v.GaveUp = s.gaveUp()
	v.Probation = v.Band == Restricted && policy.OnProbation(d.draw(s.Token, s.window.Calls, now))
	return v, c
}

// judge tells what a device may do, but for probation.
func (d *Desk) judge(p score.Policy, hour int64, who score.Subject) (Verdict, score.Verdict) {
	token, digest := again(who.Token), again(who.Digest) // judging touches them
	judged := score.Judge(p, hour, who)
	v := Verdict{Band: judged.Band, Score: judged.Score}
	if v.Band == Clear {
		return v, judged
	}
	for _, g := range grounds(p, hour, score.Subject{Token: token, Digest: digest, Fresh: who.Fresh}, v.Band) {
		v.Reasons = append(v.Reasons, g.Reason)
	}
	if v.Band == Cooldown {
		v.Until = time.Unix(judged.Until, 0)
	}
	return v, judged
}

func again(r *score.Record) *score.Record {
	if r == nil {
		return nil
	}
	c := *r
	return &c
}

// keepBand stores what Judge changed in a record that may have been joined from several.
func keepBand(c *change, s *stored, judged *score.Record) {
	s.Band, s.SpellEnd, s.Spells = judged.Band, judged.SpellEnd, judged.Spells
	c.touch(s)
}

// draw is a number that nobody can choose: it changes with the calls that the device has had today,
// so that searching again does not draw anew.
func (d *Desk) draw(token string, calls int, now time.Time) uint64 {
	day := strconv.FormatInt(now.Unix()/86400, 10)
	return binary.BigEndian.Uint64(d.ring.Mark("probation", token, day, strconv.Itoa(calls)))
}

// grounds returns what counts against a device: the reports on its token, and those on its digest
// when only these bring it where it is.
func grounds(p score.Policy, hour int64, who score.Subject, band Band) []score.Count {
	all := who.Token.Grounds(p, hour)
	if score.Judge(p, hour, score.Subject{Token: who.Token, Fresh: who.Fresh}).Band < band {
		for _, g := range who.Digest.Grounds(p, hour) {
			all = addCount(all, g)
		}
	}
	return all
}

func addCount(all []score.Count, g score.Count) []score.Count {
	for i := range all {
		if all[i].Reason == g.Reason {
			all[i].Reports += g.Reports
			return all
		}
	}
	return append(all, g)
}
