package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/keyring"
	"parley/matcher"
	"parley/moderation"
)

const (
	// known is how many devices have a record, each of three reports; one join of a hundred is theirs.
	known = 500
	// fresh is one of how many visitors has an install of the last 24 hours, whose digest is looked
	// up too.
	fresh = 5
	// searches is how often a visitor searches; the node that knows them asks for less from the
	// second time on.
	searches = 5
	// visitors is how many are there at a time.
	visitors = 2000
)

// bands compares pairing with a look at the band of each who joins to pairing without. The same
// people come at the same pace to all that is compared, and each is looked up; where that is not to
// be counted another Redis answers. Else the baseline would come faster, so that its Redis would be
// woken less often for each match.
func bands(ctx context.Context, b bench) (figures []figure, err error) {
	s, err := startStore(ctx)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	epochs := keyring.NewEpochs()
	for week := 5; week > 0; week-- { // an installation that has run for long
		epochs.Live(time.Now().Add(time.Duration(-week) * keyring.Week))
	}
	aside, err := startStore(ctx) // takes the looks whose cost is not to be counted
	if err != nil {
		return nil, err
	}
	defer aside.stop()
	apart, err := aside.AutoPipeline()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, apart.Close()) }()
	desk := func(in redis.UniversalClient) *moderation.Desk {
		return moderation.New(moderation.Config{Redis: in, Ring: keyring.New(), Epochs: epochs, Log: quiet()})
	}
	failed := accuse(ctx, desk(aside.Client))
	var whole, look []round
	b.spell /= 2
	for range turns * b.rounds {
		without, err := pairing(ctx, s, b, func(c *crowd) work { return judged(c, desk(apart), failed, oneBand) })
		if err != nil {
			return nil, err
		}
		wide, err := pairing(ctx, s, b, func(c *crowd) work { return judged(c, desk(apart), failed, itsBands) })
		if err != nil {
			return nil, err
		}
		with, err := pairing(ctx, s, b, func(c *crowd) work {
			return judged(c, desk(c.client), accuse(ctx, desk(s.Client)), itsBands)
		})
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(b.progress, "  %.1f µs a match with bands, %.1f with the look elsewhere, %.1f with one band too\n",
			1e6/with.perCPUSecond(), 1e6/wide.perCPUSecond(), 1e6/without.perCPUSecond())
		whole = append(whole, round{1e6 / with.perCPUSecond(), 1e6 / without.perCPUSecond()})
		look = append(look, round{1e6 / with.perCPUSecond(), 1e6 / wide.perCPUSecond()})
	}
	const unit = "Redis µs"
	return []figure{
		figure{
			name: fmt.Sprintf("bands: a match, both looked up under %d epochs", len(epochs.Live(time.Now()))), unit: unit,
			baseline: "without bands", limit: ratioAtMost(1.15),
		}.over(whole),
		figure{name: "bands: the same", unit: unit, baseline: "with bands and the look elsewhere"}.over(look),
	}, nil
}

// itsBands are those that a device may meet by what was found; oneBand is the same for all, as if
// there were none.
func itsBands(v moderation.Verdict) (band int, meets []int) {
	in, meets := v.Stands()
	return int(in), meets
}

func oneBand(moderation.Verdict) (band int, meets []int) { return 0, []int{0} }

// judged is joinAndConfirm after a look at the band.
func judged(c *crowd, desk *moderation.Desk, failed error, stands func(moderation.Verdict) (int, []int)) work {
	var joins atomic.Int64
	return confirming(c, func(ctx context.Context, rnd *rand.Rand) (matcher.Ticket, error) {
		t := person(rnd)
		if failed != nil {
			return t, failed
		}
		n := joins.Add(1)
		who := n%visitors + n/(visitors*searches)*visitors
		dev := moderation.Device{Token: digest(fmt.Sprint("token ", who)), Digest: digest(fmt.Sprint("digest ", who%4096)), Fresh: who%fresh == 0}
		if rnd.IntN(100) == 0 {
			dev.Token = digest(fmt.Sprint("reported ", rnd.IntN(known)))
		}
		verdict, err := desk.Admit(ctx, dev, time.Now())
		if err != nil {
			return t, err
		}
		t.Band, t.Meets = stands(verdict)
		return t, nil
	})
}

// accuse gives known devices a record.
func accuse(ctx context.Context, desk *moderation.Desk) error {
	for i := range 3 * known {
		call := fmt.Sprint("call", i)
		from := moderation.Device{Token: digest(fmt.Sprint("reporter ", i)), Net: fmt.Sprint("net", i%3)}
		to := moderation.Device{Token: digest(fmt.Sprint("reported ", i%known)), Digest: digest(fmt.Sprint("digest ", i%known))}
		err := desk.Begin(ctx, call)
		_, reported := desk.Report(ctx, from, desk.Handle(call, from, to, time.Now()), moderation.Spam, time.Now())
		if err := errors.Join(err, reported); err != nil {
			return err
		}
	}
	return nil
}

// digest is what a browser makes of a text.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
