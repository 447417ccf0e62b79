package moderation

import (
	"context"
	"encoding/binary"
	"strconv"
	"time"

	"parley/moderation/score"
)

// Admit answers in which band a device searches now. It is asked at each find and takes one round trip
// to Redis; a second one only when what was found must be kept: a new band, from which a device comes
// down only by a margin, or a spell of cooldown that begins. Error: [ErrUnavailable]; the caller goes
// on with the band that it knew, for ten minutes, and then with [Clear].
func (d *Desk) Admit(ctx context.Context, dev Device, now time.Time) (Verdict, error) {
	live, _, err := d.keys(now)
	if err != nil {
		return Verdict{}, err
	}
	p := d.known(live, dev, now)
	for range attempts {
		s, err := d.lookups.ask(ctx, question{person: &p})
		if err != nil {
			return Verdict{}, unavailable("look up band", err)
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

// admit judges what was seen, and says what is to be kept of that.
func (d *Desk) admit(s sight, now time.Time) (Verdict, *change) {
	policy, hour, c := *d.policy.Load(), score.Hour(now.Unix()), newChange()
	if len(s.token)+len(s.digest) == 0 {
		return Verdict{}, c
	}
	token, digest := whole(policy, hour, s.token), whole(policy, hour, s.digest)
	judged := score.Judge(policy, hour, score.Subject{Token: token, Digest: digest, Fresh: s.Fresh})
	if judged.TokenChanged {
		keepBand(c, s.token[0], token)
	}
	switch saw := d.saw(s, policy, hour); {
	case judged.DigestChanged:
		keepBand(c, s.digest[0], digest)
	case saw:
		c.touch(s.digest[0])
	}
	v := Verdict{Band: judged.Band, Score: judged.Score}
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

// saw notes an install that is not fresh with its digest, where that has a record.
func (d *Desk) saw(s sight, policy score.Policy, hour int64) bool {
	if s.Fresh || len(s.digest) == 0 || !s.digest[0].Alive(policy, hour) {
		return false
	}
	r := s.digest[0]
	who, older := s.seenAs(r.week, ofDigest, s.Token)
	return r.Saw(policy, hour, who, older...)
}

// draw is a number that nobody can choose: it changes with the calls that the device has had today, so
// that searching again does not draw anew.
func (d *Desk) draw(s sight, now time.Time) uint64 {
	day := strconv.FormatInt(now.Unix()/86400, 10)
	return binary.BigEndian.Uint64(d.ring.Mark("probation", s.Token, day, strconv.Itoa(s.window.Calls)))
}

// grounds returns what counts against a device: the reports on its token, and those on its digest when
// only these bring it where it is.
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
