package vtest_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/vtest"
)

// within gives one command a time.
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// TestFaultPassesOn: without a fault the proxy changes nothing, whatever the reply is made of.
func TestFaultPassesOn(t *testing.T) {
	direct := vtest.AdminOptions(vtest.StartRedis(t))
	for _, protocol := range []int{2, 3} {
		t.Run(fmt.Sprint(protocol), func(t *testing.T) {
			f := vtest.NewFault(t, direct)
			opts := f.Options()
			opts.Protocol = protocol
			rdb := redis.NewClient(opts)
			defer rdb.Close()
			ctx := within(t, 20*time.Second)
			long := strings.Repeat("\r\n$5\r\n\x00", 100_000)
			if err := rdb.Set(ctx, "long", long, 0).Err(); err != nil || rdb.Get(ctx, "long").Val() != long {
				t.Fatal("a long value did not survive", err)
			}
			if all, err := rdb.Command(ctx).Result(); err != nil || len(all) < 200 { // deeply nested
				t.Fatal(len(all), err)
			}
			if err := rdb.Get(ctx, "absent").Err(); err != redis.Nil { //nolint:errorlint // as it comes
				t.Fatal(err)
			}
			sub := rdb.Subscribe(ctx, "a", "b")
			defer sub.Close()
			for range 2 {
				if _, err := sub.Receive(ctx); err != nil {
					t.Fatal(err)
				}
			}
			cmds, err := rdb.Pipelined(ctx, func(p redis.Pipeliner) error {
				for i := range 500 {
					p.Publish(ctx, "b", i)
				}
				return nil
			})
			if err != nil || len(cmds) != 500 {
				t.Fatal(err)
			}
			for i := range 500 {
				m, err := sub.ReceiveMessage(ctx)
				if err != nil || m.Payload != fmt.Sprint(i) {
					t.Fatal(i, m, err)
				}
			}
		})
	}
}

// TestFaultListens: another process reaches the server over TCP, and closing ends it.
func TestFaultListens(t *testing.T) {
	addr := ""
	t.Run("open", func(t *testing.T) {
		f := vtest.NewFault(t, vtest.AdminOptions(vtest.StartRedis(t)))
		addr = f.Listen()
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte("PING\r\n")); err != nil {
			t.Fatal(err)
		}
		var p [7]byte
		if _, err := c.Read(p[:]); err != nil || string(p[:]) != "+PONG\r\n" {
			t.Fatalf("%q %v", p, err)
		}
		if n := f.Counts().Conns; n != 1 {
			t.Error(n, "connections")
		}
	})
	if c, err := net.Dial("tcp", addr); err == nil {
		c.Close()
		t.Error("the proxy outlived its test")
	}
}

func TestFaultDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, f := proxied(t)
		f.Delay(300 * time.Millisecond)
		start := time.Now()
		if err := rdb.Ping(within(t, time.Second)).Err(); err != nil || time.Since(start) != 600*time.Millisecond {
			t.Error(err, time.Since(start))
		}
		f.Heal()
		start = time.Now()
		if err := rdb.Ping(within(t, time.Second)).Err(); err != nil || time.Since(start) != 0 {
			t.Error(err, time.Since(start))
		}
	})
}

// proxied is a client of an embedded server, with an open connection through a proxy.
func proxied(t *testing.T) (*redis.Client, *vtest.Fault) {
	f := vtest.NewFault(t, vtest.NewRedis(t).Options())
	opts := f.Options()
	opts.PoolSize = 1
	opts.ReadTimeout = time.Minute
	rdb := redis.NewClient(opts)
	t.Cleanup(func() { rdb.Close() })
	if err := rdb.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	return rdb, f
}

// TestFaultHole: towards the server nothing is carried out, towards the client it is and nobody
// hears of it; healed, what was held flows on.
func TestFaultHole(t *testing.T) {
	for way, meanwhile := range map[vtest.Way]string{vtest.ToServer: "0", vtest.ToClient: "1", vtest.BothWays: "0"} {
		synctest.Test(t, func(t *testing.T) {
			server := vtest.NewRedis(t)
			f := vtest.NewFault(t, server.Options())
			rdb := redis.NewClient(f.Options())
			defer rdb.Close()
			ctx := t.Context()
			server.Set(ctx, "n", 0, 0)
			rdb.Ping(ctx)

			f.Hole(way)
			asked := make(chan error)
			go func() { asked <- rdb.Incr(within(t, 2*time.Second), "n").Err() }()
			time.Sleep(time.Second)
			if got := server.Get(ctx, "n").Val(); got != meanwhile {
				t.Errorf("way %d: n is %s, want %s", way, got, meanwhile)
			}
			f.Heal()
			if err := <-asked; err != nil || server.Get(ctx, "n").Val() != "1" {
				t.Errorf("way %d, healed: %v", way, err)
			}
		})
	}
}

// TestFaultHoleTakesNewConnections: they are accepted and find nobody.
func TestFaultHoleTakesNewConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, f := proxied(t)
		f.Cut()
		rdb.Ping(t.Context()) // finds its connection closed
		f.Hole(vtest.BothWays)
		start := time.Now()
		if err := rdb.Ping(within(t, 2*time.Second)).Err(); err == nil || time.Since(start) < 2*time.Second {
			t.Error(err, time.Since(start))
		}
		f.Heal()
		if err := rdb.Ping(within(t, 2*time.Second)).Err(); err != nil {
			t.Error(err)
		}
	})
}

// TestFaultDrops: the command was carried out, once for each dropped reply, and other commands are
// not disturbed.
func TestFaultDrops(t *testing.T) {
	for _, loss := range []vtest.Loss{vtest.CloseAfter, vtest.StallAfter, vtest.TearAfter} {
		synctest.Test(t, func(t *testing.T) {
			rdb, f := proxied(t)
			f.DropReplies(3, loss, "incr")
			for range 3 {
				start := time.Now()
				err := rdb.Incr(within(t, time.Second), "n").Err()
				if waited := time.Since(start); err == nil || (waited == time.Second) != (loss == vtest.StallAfter) {
					t.Errorf("loss %d: %v after %v", loss, err, waited)
				}
				if err := rdb.Ping(within(t, time.Second)).Err(); err != nil {
					t.Errorf("loss %d, another command: %v", loss, err)
				}
			}
			if n, err := rdb.Incr(within(t, time.Second), "n").Result(); err != nil || n != 4 {
				t.Errorf("loss %d: n is %d, %v", loss, n, err)
			}
			if n := f.Counts().Dropped; n != 3 {
				t.Errorf("loss %d: %d dropped", loss, n)
			}
		})
	}
}

// TestFaultDropsAmongMany: in a pipeline the reply to that one command is lost, and what follows
// with it; what came before arrives. The command was carried out, those after it perhaps.
func TestFaultDropsAmongMany(t *testing.T) {
	rdb := redis.NewClient(vtest.AdminOptions(vtest.StartRedis(t)))
	defer rdb.Close()
	f := vtest.NewFault(t, rdb.Options())
	f.DropReplies(1, vtest.CloseAfter, "decr")
	c, err := net.Dial("tcp", f.Listen())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("INCR a\r\nDECR b\r\nINCR c\r\n")); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); err != nil || string(got) != ":1\r\n" {
		t.Errorf("%q %v", got, err)
	}
	ctx := within(t, 10*time.Second)
	if got := rdb.MGet(ctx, "a", "b").Val(); fmt.Sprint(got) != "[1 -1]" {
		t.Error("not carried out:", got)
	}
}

func TestFaultCutAndRefuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb, f := proxied(t)
		f.Refuse()
		if err := rdb.Ping(t.Context()).Err(); err != nil {
			t.Error("an existing connection was refused", err)
		}
		f.Cut()
		for range 2 { // the first finds its connection closed, the second makes one
			if err := rdb.Ping(within(t, time.Second)).Err(); err == nil {
				t.Error("the server is down and answers")
			}
		}
		f.Heal()
		if err := rdb.Ping(within(t, time.Second)).Err(); err != nil {
			t.Error(err)
		}
		if n := f.Counts(); n.Cut != 1 || n.Refused == 0 {
			t.Errorf("%+v", n)
		}
	})
}

// TestFaultStrand: a subscription goes dead without a sign, and one made later is sound.
func TestFaultStrand(t *testing.T) {
	rdb := redis.NewClient(vtest.AdminOptions(vtest.StartRedis(t)))
	defer rdb.Close()
	f := vtest.NewFault(t, rdb.Options())
	through := redis.NewClient(f.Options())
	defer through.Close()
	ctx := within(t, 10*time.Second)
	subscribe := func() *redis.PubSub {
		sub := through.Subscribe(ctx, "a")
		if _, err := sub.Receive(ctx); err != nil {
			t.Fatal(err)
		}
		return sub
	}
	old := subscribe()
	defer old.Close()
	f.Strand()
	f.Heal()
	sound := subscribe()
	defer sound.Close()
	if n, err := rdb.Publish(ctx, "a", "x").Result(); err != nil || n != 2 {
		t.Fatal("the server knows of", n, err)
	}
	if m, err := sound.ReceiveMessage(ctx); err != nil || m.Payload != "x" {
		t.Error(m, err)
	}
	if m, err := old.ReceiveTimeout(ctx, 100*time.Millisecond); err == nil {
		t.Error("the stranded subscription heard", m)
	}
}
