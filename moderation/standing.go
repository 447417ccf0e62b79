package moderation

import (
	"context"
	"slices"
	"time"

	"parley/moderation/score"
	"parley/retention"
)

// Standing is what a device is told about itself, at its own wish.
type Standing struct {
	Band Band
	// Until is when a cooldown ends; zero otherwise.
	Until time.Time
	// Reasons says how many reports of each reason count; nobody learns whose or when.
	Reasons []ReasonCount
	// Expires is when the last record of the device is gone; zero when there is none.
	Expires time.Time
	// Records says that anything is stored: Own, Alike or GaveUp.
	Records bool
	// Own says that there is a record of the token.
	Own bool
	// Alike says that there is one of the digest, which many devices share. Erasing leaves that.
	Alike bool
	// GaveUp says that there is the mark which erasing leaves.
	GaveUp bool
	// Reviewed says that a review was asked for and not yet answered.
	Reviewed bool
}

// ReasonCount is how many reports of one reason there are.
type ReasonCount struct {
	Reason Reason
	Count  int
}

// Standing answers what is stored about a device, and in which band it would search now. It changes
// nothing. Error: [ErrUnavailable].
func (d *Desk) Standing(ctx context.Context, dev Device, now time.Time) (Standing, error) {
	s, err := d.look(ctx, dev, now)
	if err != nil {
		return Standing{}, err
	}
	p, hour := *d.policy.Load(), score.Hour(now.Unix())
	who := score.Subject{Token: whole(p, hour, s.token), Digest: whole(p, hour, s.digest), Fresh: s.Fresh}
	v := score.Judge(p, hour, score.Subject{Token: again(who.Token), Digest: again(who.Digest), Fresh: s.Fresh})
	at := Standing{Band: v.Band, Own: len(s.token) > 0, Alike: len(s.digest) > 0, GaveUp: s.gaveUp()}
	at.Records = at.Own || at.Alike || at.GaveUp
	if v.Band == Cooldown {
		at.Until = time.Unix(v.Until, 0)
	}
	for _, g := range grounds(p, hour, who, v.Band) {
		at.Reasons = append(at.Reasons, ReasonCount{g.Reason, g.Reports})
	}
	var left time.Duration
	code := ""
	for _, r := range append(s.all(), s.marks...) {
		left = max(left, r.left)
		if r.review != noReview() {
			code = r.review
		}
	}
	if at.Records {
		at.Expires = now.Add(left)
	}
	if code != "" {
		state, err := d.reviewState(ctx, code)
		if err != nil {
			return Standing{}, err
		}
		at.Reviewed = state == Open
	}
	return at, nil
}

// look reads one device by itself.
func (d *Desk) look(ctx context.Context, dev Device, now time.Time) (sight, error) {
	live, _, err := d.keys(now)
	if err != nil {
		return sight{}, err
	}
	p := d.known(live, dev, now)
	sights, err := d.read(ctx, d.rdb, []question{{person: &p}})
	if err != nil {
		return sight{}, unavailable("look up records", err)
	}
	return sights[0], nil
}

// all returns every record of a device, that of its token first.
func (s sight) all() []*stored { return append(append([]*stored(nil), s.token...), s.digest...) }

// Erase deletes all that is stored about the token of a device: its record with the reports, the
// counters of its own reports, a review that it asked for. If there was anything it leaves a mark, in
// the place of the record and for as long as a report would have lived, that this token was given up:
// whoever goes on with it is fresh, or erasing would be a way to lose the reports and keep the age.
// What is stored about the digest stays. It is about many devices, and no one of them may take it from
// the others. Erase may be repeated. Error: [ErrUnavailable].
func (d *Desk) Erase(ctx context.Context, dev Device) error {
	now := time.Now()
	live, current, err := d.keys(now)
	if err != nil {
		return err
	}
	p := d.known(live, Device{Token: dev.Token}, now)
	here := slices.IndexFunc(p.places, func(at place) bool { return at.week == current.Week })
	var keys []string
	for _, at := range p.places {
		keys = append(keys, at.key())
	}
	for _, at := range p.places {
		keys = append(keys, at.sumKey())
		for n := range uint8(score.MaxEvents) {
			keys = append(keys, at.slot(n))
		}
	}
	keys = append(keys, retention.Window.Key(p.today), retention.Window.Key(p.yesterday))
	args := []any{len(p.places), retention.Review.Format(), here + 1, newMark(), retention.MarkTime.Milliseconds()}
	if err := d.scripts.erase.Run(ctx, d.rdb, keys, args...).Err(); err != nil {
		return unavailable("erase", err)
	}
	return nil
}
