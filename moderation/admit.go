package moderation

import (
	"context"
	"encoding/binary"
	"slices"
	"strconv"
	"time"

	"parley/internal/keyring"
	"parley/moderation/score"
)

// Admit answers in which band a device searches now. It is asked at each find and takes one round
// trip to Redis, whatever there is of the device: the sum of its reports, or they themselves where
// one has run out or operators have changed what reports weigh; the calls of today of one that is
// restricted, which say whether it is on probation; the record of its kind of browser where its
// token was given up. Only what is to be kept of that takes a second one, which writes: a new band,
// from which a device comes down only by a margin, or a spell of cooldown that begins. Error:
// [ErrUnavailable]; the caller goes on with the band that it knew, for ten minutes, and then with
// [Clear].
func (d *Desk) Admit(ctx context.Context, dev Device, now time.Time) (Verdict, error) {
	live, _, err := d.keys(now)
	if err != nil {
		return Verdict{}, err
	}
	p := d.looked(live, dev, now)
	for range attempts {
		s, err := d.lookups.ask(ctx, &p)
		if err == nil && !s.hold(*d.policy.Load(), score.Hour(now.Unix())) {
			s, err = d.lookedInto(ctx, &p)
		}
		if err != nil {
			return Verdict{}, unavailable("look up band", err)
		}
		v, c := d.admit(s, now)
		if c.empty() {
			d.sumUpLater(s, now)
			return v, nil
		}
		done, err := d.apply(ctx, d.rdb, c)
		switch {
		case err != nil:
			return Verdict{}, unavailable("keep band", err)
		case done:
			return v, nil
		}
	}
	return Verdict{}, unavailable("keep band", errBusy)
}

// looked gives a device the names under which something may be that decides its band.
func (d *Desk) looked(live keyring.Live, dev Device, now time.Time) person {
	asked := dev
	if !dev.Fresh {
		asked.Digest = "" // it has no say
	}
	p := d.known(live, asked, now)
	if !dev.Fresh && dev.Digest != "" && !d.tokenOnly {
		p.aside = placesOf(live, ofDigest, dev.Digest)
	}
	d.bare.trim(&p, now)
	return p
}

// lookedInto reads every report on a device. It is for a node whose clock is so far behind or ahead
// that a sum does not hold.
func (d *Desk) lookedInto(ctx context.Context, p *person) (sight, error) {
	whole := *p
	whole.places, whole.aside = append(slices.Clone(p.places), p.aside...), nil
	sights, err := d.read(ctx, d.rdb, []question{{person: &whole}})
	if err != nil {
		return sight{}, err
	}
	return sights[0], nil
}

// admit judges what was seen, and says what is to be kept of that.
func (d *Desk) admit(s sight, now time.Time) (Verdict, *change) {
	policy, hour := *d.policy.Load(), score.Hour(now.Unix())
	c := newChange(policy, now)
	if len(s.token)+len(s.digest) == 0 {
		if len(s.marks)+len(s.damaged) == 0 {
			d.bare.note(s.person, now)
		}
		return Verdict{GaveUp: s.gaveUp()}, c
	}
	who := score.Subject{Token: whole(policy, hour, s.token), Digest: whole(policy, hour, s.digest), Fresh: s.Fresh}
	v, judged := d.judge(policy, hour, who)
	if judged.TokenChanged {
		keepBand(c, s.token[0], who.Token)
	}
	if judged.DigestChanged {
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
