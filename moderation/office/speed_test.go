package office_test

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/vtest"
	"parley/moderation/office"
	"parley/moderation/score"
)

// BenchmarkPreview reads 100,000 records from a redis-server, judges each by two policies and prints
// how long that takes, beside the baseline of only fetching the same keys in the same run:
//
//	go test ./moderation/office -run '^$' -bench Preview -benchtime 5x
func BenchmarkPreview(b *testing.B) {
	const records = 100_000
	server := vtest.StartServer(b)
	rdb := server.Client()
	now := time.Now()
	reports := populate(b, rdb, records, now)
	w := worldOf(rdb, b.TempDir())
	strict, err := score.Preset("strict")
	if err != nil {
		b.Fatal(err)
	}
	b.Run("bare", func(b *testing.B) {
		defer cpu(b, rdb)()
		for b.Loop() {
			if n := fetchAll(b, rdb); n != records+reports {
				b.Fatalf("%d keys of %d", n, records+reports)
			}
		}
	})
	b.Run("preview", func(b *testing.B) {
		defer cpu(b, rdb)()
		for b.Loop() {
			p, _, err := w.another().Preview(b.Context(), strict, now)
			if n, _, _ := p.Bands.Moves(); err != nil || n != records {
				b.Fatal(n, err)
			}
		}
	})
	warm := w.another()
	if _, _, err := warm.Preview(b.Context(), strict, now); err != nil {
		b.Fatal(err)
	}
	b.Run("dragged", func(b *testing.B) {
		defer cpu(b, rdb)()
		for b.Loop() {
			if _, _, err := warm.Preview(b.Context(), strict, now); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Logf("%d records with %d reports", records, reports)
}

// populate writes records as moderation lays them: revision, kind, slots, name of a review, and then
// what the codec of score writes. It returns how many reports they have.
func populate(b *testing.B, rdb *redis.Client, records int, now time.Time) int {
	b.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	reports := 0
	for first := 0; first < records; first += 1000 {
		_, err := rdb.Pipelined(b.Context(), func(p redis.Pipeliner) error {
			for i := first; i < first+1000; i++ {
				r := generated(random, now.Unix())
				reports += len(r.Events)
				vtest.LayRecord(b.Context(), p, fmt.Sprintf("%016d", i), &r)
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return reports
}

// generated is a record with one to twelve reports, few more often, and its clean days.
func generated(random *rand.Rand, now int64) score.Record {
	var r score.Record
	for n := range min(12, 1+int(random.ExpFloat64()*2.5)) {
		e := score.Event{
			At: score.Hour(now - random.Int64N(29*24*3600)), Reason: score.Reasons()[random.IntN(6)], Slot: uint8(n),
			Factors: score.Factors{Rate: float32(1 / (1 + random.ExpFloat64())), New: random.IntN(4) == 0},
		}
		binary.BigEndian.PutUint64(e.Pair[:], random.Uint64())
		binary.BigEndian.PutUint64(e.Net[:], random.Uint64N(5000))
		r.Events = append(r.Events, e)
	}
	for day := range random.Int64N(20) {
		r.Clean = append(r.Clean, score.Day{Day: now/86400 - 20 + day, Count: 1 + random.IntN(8), Sum: 40_000, Squares: 2_000_000_000})
	}
	for range random.IntN(8) {
		var s score.Seen
		binary.BigEndian.PutUint64(s.Who[:], random.Uint64())
		s.At = score.Hour(now - random.Int64N(24*3600))
		r.Peers = append(r.Peers, s)
	}
	return r
}

// fetchAll is the least that a preview can cost: every key is found and its value brought here.
func fetchAll(b *testing.B, rdb *redis.Client) int {
	b.Helper()
	n := 0
	for cursor, first := uint64(0), true; first || cursor != 0; first = false {
		keys, next, err := rdb.Scan(b.Context(), cursor, "*", 5000).Result()
		if err != nil {
			b.Fatal(err)
		}
		if cursor = next; len(keys) == 0 {
			continue
		}
		values, err := rdb.MGet(b.Context(), keys...).Result()
		if err != nil {
			b.Fatal(err)
		}
		n += len(values)
	}
	return n
}

// BenchmarkCompare judges 10,000 records by two policies.
func BenchmarkCompare(b *testing.B) {
	random, now := rand.New(rand.NewPCG(1, 2)), time.Now().Unix()
	all := make([]office.Case, 10_000)
	for i := range all {
		all[i].Record = generated(random, now)
		slices.SortFunc(all[i].Events, func(a, b score.Event) int { return cmp.Compare(a.At, b.At) })
	}
	balanced, err := score.Preset("balanced")
	if err != nil {
		b.Fatal(err)
	}
	strict, err := score.Preset("strict")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		office.Compare(now, balanced, strict, all)
	}
}

// cpu reports how much processor time of ours and of Redis one operation takes, which a busy machine
// does not change as much as the time by the clock.
func cpu(b *testing.B, rdb *redis.Client) (report func()) {
	b.Helper()
	own, theirs := ownTime(b), redisTime(b, rdb)
	return func() {
		b.ReportMetric((ownTime(b)-own)*1000/float64(b.N), "own-cpu-ms/op")
		b.ReportMetric((redisTime(b, rdb)-theirs)*1000/float64(b.N), "redis-cpu-ms/op")
	}
}

func ownTime(b *testing.B) float64 {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func redisTime(b *testing.B, rdb *redis.Client) float64 {
	b.Helper()
	sum := 0.0
	for line := range strings.Lines(rdb.Info(b.Context(), "cpu").Val()) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if name == "used_cpu_sys" || name == "used_cpu_user" {
			seconds, err := strconv.ParseFloat(value, 64)
			if err != nil {
				b.Fatal(err)
			}
			sum += seconds
		}
	}
	return sum
}
