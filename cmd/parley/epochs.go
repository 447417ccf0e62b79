package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/keyring"
	"parley/migrations"
)

// openEpochs reads the weekly keys. The embedded store forgets on exit, and so are its keys
// forgotten.
func openEpochs(cfg config, log *slog.Logger) (*keyring.Epochs, error) {
	if cfg.Redis.IsEmbedded() {
		return keyring.NewEpochs(), nil
	}
	epochs, err := keyring.LoadEpochs(cfg.EpochKeys, time.Now(), log)
	if err != nil {
		return nil, fmt.Errorf("epoch-keys: %w", err)
	}
	return epochs, nil
}

// weekCheck is how the data is held against the keys at hand.
type weekCheck func(context.Context, redis.UniversalClient, []migrations.Week, time.Time) error

// weeks makes sure that the records in Redis were made under the keys at hand.
func (p parts) weeks(ctx context.Context, check weekCheck) error {
	now := time.Now()
	return check(ctx, p.memory.rdb, weeksOf(p.epochs.Live(now)), now)
}

// weeksAgain does so when the keys have changed, and when Redis comes back.
func (p parts) weeksAgain(ctx context.Context) {
	if lost := new(migrations.WeeksError); errors.As(p.weeks(ctx, migrations.Weeks), &lost) {
		p.log.LogAttrs(ctx, slog.LevelError, "another node has other epoch keys: give all the same file, or reports are split between them")
	}
}

// openWeeks does so at the start, and tends the keys from then on.
func openWeeks(ctx context.Context, h *house, cfg config, p parts) error {
	lost, check := new(migrations.WeeksError), migrations.Weeks
	if cfg.EpochKeysNew {
		check = migrations.NewWeeks
	}
	switch err := p.weeks(ctx, check); {
	case errors.As(err, &lost):
		return fmt.Errorf("redis: %w than %s: bring that file back, or share it with the parley that made it; if it is lost, "+
			"start once with --epoch-keys-new=true: reports kept under those keys then count for nobody, whom they restricted is clear at once, "+
			"and they run out within 30 days", err, cfg.EpochKeys)
	case err != nil:
		return fmt.Errorf("redis: %w", err)
	}
	if cfg.EpochKeysNew {
		p.log.LogAttrs(ctx, slog.LevelWarn, "epoch-keys-new is set: reports under other epoch keys, if there are any, count for nobody; leave it out from now on")
	}
	h.run(ctx, "epoch keys", func(ctx context.Context) error {
		return p.epochs.Run(ctx, func(ctx context.Context, _ keyring.Live) { p.weeksAgain(ctx) })
	})
	return nil
}

// weeksOf says of keys what the data may know.
func weeksOf(live keyring.Live) []migrations.Week {
	all := make([]migrations.Week, len(live))
	for i, e := range live {
		all[i] = migrations.Week{Number: e.Week, Fingerprint: e.Fingerprint(), Due: e.Due()}
	}
	return all
}
