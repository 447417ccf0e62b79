package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"parley/internal/keyring"
	"parley/matcher"
	"parley/moderation"
)

const (
	// known is how many devices have a record, each of three reports; one join of a hundred is theirs.
	known = 500
	// fresh is one of how many joins is by an install of the last 24 hours, whose digest is looked up too.
	fresh = 5
)

// bands compares pairing with a look at the band of each who joins to pairing without.
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
	var whole, look []round
	for range b.rounds {
		without, err := pairing(ctx, s, b, joinAndConfirm)
		if err != nil {
			return nil, err
		}
		wide, err := pairing(ctx, s, b, joinWide)
		if err != nil {
			return nil, err
		}
		with, err := pairing(ctx, s, b, func(c *crowd) work {
			cfg := moderation.Config{Redis: s.Client, Ring: keyring.New(), Epochs: epochs, Log: quiet()}
			failed := accuse(ctx, moderation.New(cfg))
			cfg.Redis = c.client
			return judged(c, moderation.New(cfg), failed)
		})
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(b.progress, "  %.1f µs a match with bands, %.1f with two bands and no look, %.1f without\n",
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
		figure{name: "bands: the same", unit: unit, baseline: "with bands and without the look"}.over(look),
	}, nil
}

// joinWide pairs people who may meet two bands, of which one is empty, as those who were never
// reported do.
func joinWide(c *crowd) work {
	return confirming(c, func(_ context.Context, rnd *rand.Rand) (matcher.Ticket, error) {
		t := person(rnd)
		_, t.Meets = moderation.Verdict{}.Stands()
		return t, nil
	})
}

// judged is joinAndConfirm after a look at the band.
func judged(c *crowd, desk *moderation.Desk, failed error) work {
	return confirming(c, func(ctx context.Context, rnd *rand.Rand) (matcher.Ticket, error) {
		t := person(rnd)
		if failed != nil {
			return t, failed
		}
		dev := moderation.Device{Token: digest("token " + t.ID), Digest: digest("digest " + t.ID[:2]), Fresh: rnd.IntN(fresh) == 0}
		if rnd.IntN(100) == 0 {
			dev.Token = digest(fmt.Sprint("reported ", rnd.IntN(known)))
		}
		verdict, err := desk.Admit(ctx, dev, time.Now())
		if err != nil {
			return t, err
		}
		band, meets := verdict.Stands()
		t.Band, t.Meets = int(band), meets
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
