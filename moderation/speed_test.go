package moderation_test

import (
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/keyring"
	"parley/internal/vtest"
	"parley/moderation"
)

// BenchmarkAdmit is a band lookup under six epochs of a fresh install with a digest, the dearest there
// is, without and with a full record. The last one is the round trip alone.
func BenchmarkAdmit(b *testing.B) {
	rdb := redis.NewClient(vtest.StartRedis(b))
	defer rdb.Close()
	cfg := config(rdb)
	now := sixEpochs(cfg.Epochs)
	d := moderation.New(cfg)
	dev := digestOf("x", bo)
	dev.Fresh = true
	b.Run("without a record", func(b *testing.B) {
		for b.Loop() {
			if _, err := d.Admit(b.Context(), dev, now); err != nil {
				b.Fatal(err)
			}
		}
	})
	if err := d.Begin(b.Context(), "call"); err != nil {
		b.Fatal(err)
	}
	for i := range moderation.MaxReports {
		if _, err := d.Report(b.Context(), number(i), d.Handle("call", number(i), dev, now), moderation.Hate, now); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("with 64 reports", func(b *testing.B) {
		for b.Loop() {
			if _, err := d.Admit(b.Context(), dev, now); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("one MGET of twelve", func(b *testing.B) { // the round trip itself
		keys := slices.Repeat([]string{"parley:{d}:record:AAAAAAAAAAAAAAAA"}, 12)
		for b.Loop() {
			if err := rdb.MGet(b.Context(), keys...).Err(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// sixEpochs fills a ring, and returns a time at which it has six keys.
func sixEpochs(epochs *keyring.Epochs) time.Time {
	now := start().Add(3 * 24 * time.Hour)
	for week := 6; week >= 0; week-- {
		epochs.Live(now.Add(time.Duration(-week) * keyring.Week))
	}
	return now
}
