//go:build unix

package moderation_test

import (
	"fmt"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/vtest"
	"parley/moderation"
)

// BenchmarkAdmit is band lookups of many at once, under six epochs, of fresh installs with a
// digest, the dearest there are: without a record, with two full ones, and restricted. cpu-us/op is
// the time that the processors spent in this process, for the round trip too; the last one is a
// round trip alone.
func BenchmarkAdmit(b *testing.B) {
	rdb := redis.NewClient(vtest.StartRedis(b))
	defer rdb.Close()
	cfg := config(rdb)
	now := sixEpochs(cfg.Epochs)
	d := moderation.New(cfg)
	dev := digestOf("x", bo)
	dev.Fresh = true
	lookup := func(dev moderation.Device, want moderation.Band) func(*testing.B) {
		return func(b *testing.B) {
			b.ReportAllocs()
			b.SetParallelism(32)
			defer costs(b)()
			b.RunParallel(func(each *testing.PB) {
				for each.Next() {
					if v, err := d.Admit(b.Context(), dev, now); err != nil || v.Band != want {
						b.Error(v, err)
						return
					}
				}
			})
		}
	}
	report := func(dev moderation.Device, first, n int) {
		for i := first; i < first+n; i++ {
			from := number(i)
			from.Net = fmt.Sprint(i)
			if _, err := d.Report(b.Context(), from, d.Handle("call", from, dev, now), moderation.Hate, now); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("no record", lookup(dev, moderation.Clear))
	if err := d.Begin(b.Context(), "call"); err != nil {
		b.Fatal(err)
	}
	report(dev, 0, moderation.MaxReports)
	b.Run("64 reports", lookup(dev, moderation.Cooldown))
	other := digestOf("y", ana)
	report(other, moderation.MaxReports, 4)
	b.Run("restricted", lookup(other, moderation.Restricted))
	b.Run("one MGET of twelve", func(b *testing.B) { // the round trip itself
		b.ReportAllocs()
		b.SetParallelism(32)
		defer costs(b)()
		keys := slices.Repeat([]string{"parley:{d}:record:AAAAAAAAAAAAAAAA"}, 12)
		b.RunParallel(func(each *testing.PB) {
			for each.Next() {
				if err := rdb.MGet(b.Context(), keys...).Err(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

// costs reports what the processors spent in this process until the returned function is called.
func costs(b *testing.B) func() {
	began := spent(b)
	return func() { b.ReportMetric(float64((spent(b)-began).Microseconds())/float64(b.N), "cpu-us/op") }
}

func spent(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
