package link_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/link"
	"parley/internal/vtest"
)

// BenchmarkLink carries messages of 1 KiB from node to node over a redis-server, and back: as many
// at a time as there are pairs. CPU is that of both nodes and of Redis together.
//
//	go test ./internal/link -run '^$' -bench Link
func BenchmarkLink(b *testing.B) {
	for _, pairs := range []int{1, 50, 500} {
		b.Run(fmt.Sprintf("pairs=%d", pairs), func(b *testing.B) { pingPong(b, pairs) })
	}
}

func pingPong(b *testing.B, pairs int) {
	server := vtest.StartRedis(b)
	direct := redis.NewClient(server)
	defer direct.Close()
	ctx, cancel := context.WithCancel(b.Context())
	var run sync.WaitGroup
	defer run.Wait()
	defer cancel()

	var links [2]*link.Link
	left, done := 0, make(chan struct{})
	for i := range links {
		me, other := name(byte('a'+i)), name(byte('a'+1-i))
		pubsub := *server
		pubsub.Protocol = 2
		links[i] = link.New(link.Config{
			Node: me, Client: redis.NewClient(server), PubSub: redis.NewClient(&pubsub),
			Alive: func(string) bool { return true },
			Reset: func(string) { b.Error("a reset") },
			Deliver: func(_ string, m []byte) {
				if i == 0 {
					if left--; left == 0 {
						close(done)
					}
					if left < pairs {
						return
					}
				}
				if !links[i].Send(other, "", m) {
					b.Error("refused")
				}
			},
		})
		run.Go(func() { _ = links[i].Run(ctx) })
	}
	for !links[0].Up() || !links[1].Up() {
		<-time.After(time.Millisecond)
	}
	left = max(b.N/2, 1) + pairs - 1
	used := cpu(b, direct)
	b.ResetTimer()
	for range pairs {
		links[0].Send(name('b'), "", make([]byte, 1024))
	}
	<-done
	b.StopTimer()
	messages := float64(2 * (max(b.N/2, 1) + pairs - 1))
	b.ReportMetric(messages/b.Elapsed().Seconds(), "msg/s")
	b.ReportMetric((cpu(b, direct)-used).Seconds()*1e6/messages, "CPU-s/M")
	if c := links[0].Counts(); c.Resets+c.Gaps+c.Refused > 0 {
		b.Errorf("%+v", c)
	}
}

// cpu is the time that this process and the server have used.
func cpu(b *testing.B, direct *redis.Client) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	total := time.Duration(u.Utime.Nano() + u.Stime.Nano())
	for line := range strings.Lines(direct.Info(b.Context(), "cpu").Val()) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if key == "used_cpu_user" || key == "used_cpu_sys" {
			s, err := strconv.ParseFloat(value, 64)
			if err != nil {
				b.Fatal(err)
			}
			total += time.Duration(s * float64(time.Second))
		}
	}
	return total
}
