package moderation

import (
	"context"
	"encoding/binary"
	"strconv"
	"time"

	"parley/moderation/score"
)

// Admit answers in which band a device searches now. It is asked at each find and takes one round
// trip to Redis. It takes a second one when this node meets a device with a record for the first time,
// a further one when its token was given up, and one when what was found must be kept: a new band,
// from which a device comes down only by a margin, or a spell of cooldown that begins. Error:
// [ErrUnavailable]; the caller goes on with the band that it knew, for ten minutes, and then with
// [Clear].
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
		s, err := d.see(ctx, &p)
		if err != nil {
			return Verdict{}, unavailable("look up band", err)
		}
		if p.Fresh && !asked.Fresh { // its token was given up, so that the digest has a say
			asked = dev
			asked.Fresh = true
			p = d.known(live, asked, now)
			continue
		}
		v, c := d.admit(s, now)
		if c.empty() {
			return v, nil
		}
		done, err := d.apply(ctx, d.rdb, c)
		if err != nil {
			return Verdict{}, unavailable("keep band", err)
		}
		if done {
			return v, nil
		}
	}
	return Verdict{}, unavailable("keep band", errBusy)
}

// see reads what is kept about a device, which for most is nothing.
func (d *Desk) see(ctx context.Context, p *person) (sight, error) {
	if !d.had.has(p) {
		recorded, err := d.lookups.ask(ctx, p)
		if err != nil || !recorded {
			return sight{person: p}, err
		}
	}
	sights, err := d.read(ctx, d.rdb, []question{{person: p}})
	if err != nil {
		return sight{}, err
	}
	d.had.note(p, len(sights[0].all())+len(sights[0].marks) > 0)
	return sights[0], nil
}

// admit judges what was seen, and says what is to be kept of that.
func (d *Desk) admit(s sight, now time.Time) (Verdict, *change) {
	policy, hour, c := *d.policy.Load(), score.Hour(now.Unix()), newChange()
	if len(s.token)+len(s.digest) == 0 {
		return Verdict{GaveUp: s.gaveUp()}, c
	}
	token, digest := whole(policy, hour, s.token), whole(policy, hour, s.digest)
	judged := score.Judge(policy, hour, score.Subject{Token: token, Digest: digest, Fresh: s.Fresh})
	if judged.TokenChanged {
		keepBand(c, s.token[0], token)
	}
	if judged.DigestChanged {
		keepBand(c, s.digest[0], digest)
	}
	v := Verdict{Band: judged.Band, Score: judged.Score, GaveUp: s.gaveUp()}
	if v.Band == Clear {
		return v, c
	}
	for _, g := range grounds(policy, hour, s, v.Band) {
		v.Reasons = append(v.Reasons, g.Reason)
	}
	if v.Band == Cooldown {
		v.Until = time.Unix(judged.Until, 0)
	}
	v.Probation = v.Band == Restricted && policy.OnProbation(d.draw(s, now))
	return v, c
}

// keepBand stores what Judge changed in a record that may have been joined from several.
func keepBand(c *change, s *stored, judged *score.Record) {
	s.Band, s.SpellEnd, s.Spells = judged.Band, judged.SpellEnd, judged.Spells
	c.touch(s)
}

// draw is a number that nobody can choose: it changes with the calls that the device has had today,
// so that searching again does not draw anew.
func (d *Desk) draw(s sight, now time.Time) uint64 {
	day := strconv.FormatInt(now.Unix()/86400, 10)
	return binary.BigEndian.Uint64(d.ring.Mark("probation", s.Token, day, strconv.Itoa(s.window.Calls)))
}

// grounds returns what counts against a device: the reports on its token, and those on its digest
// when only these bring it where it is.
func grounds(p score.Policy, hour int64, s sight, band Band) []score.Count {
	token := whole(p, hour, s.token)
	all := token.Grounds(p, hour)
	if score.Judge(p, hour, score.Subject{Token: token, Fresh: s.Fresh}).Band < band {
		for _, g := range whole(p, hour, s.digest).Grounds(p, hour) {
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
