package simulate_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"parley/internal/history"
	"parley/internal/keyring"
	"parley/internal/simulate"
	"parley/matcher"
	"parley/moderation"
	"parley/signaling"
	"parley/web"
)

// relayless is a parley without a relay.
func relayless(string) signaling.Ice { return signaling.Ice{Servers: []signaling.IceServer{}} }

// startParley runs a real parley in this process, on a store in this process, and returns where it is.
func startParley(t *testing.T, relays func(call string) signaling.Ice) string {
	t.Helper()
	store := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{
		Addr: store.Addr(), MaxRetries: -1, ContextTimeoutEnabled: true, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
	public, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	operator, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	queue, ring := matcher.New(rdb, matcher.Config{Log: log}), keyring.New()
	origin := "http://" + public.Addr().String()
	hub := signaling.New(signaling.Config{
		Queue: queue, Desk: moderation.New(moderation.Config{Redis: rdb, Ring: ring, Epochs: keyring.NewEpochs(), Log: log}), Ring: ring, Origins: []string{origin}, Log: log, Redis: signaling.Redis{Client: rdb, PubSub: rdb},
		Ice: relays,
	})
	server, err := web.New(web.Config{Socket: hub, Ready: func(context.Context) error { return nil }, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for _, run := range []func(context.Context) error{
		queue.Run, hub.Run, func(ctx context.Context) error { return server.Serve(ctx, public, operator) },
	} {
		all.Go(func() {
			if err := run(ctx); err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		all.Wait()
		rdb.Close()
	})
	return origin
}

// busy are people who do everything within seconds.
func busy() simulate.Behaviour {
	return simulate.Behaviour{
		Talk: 1500 * time.Millisecond, Patience: 5 * time.Second, Next: 0.7, Skip: 0.1, Report: 0.1, Block: 0.05,
		Drop: 0.1, Vanish: 0.1, Ignore: 0.02, Languages: []string{"en", "es"},
	}
}

func target(t *testing.T, address string) []simulate.Target {
	t.Helper()
	at, err := simulate.ParseTarget(address)
	if err != nil {
		t.Fatal(err)
	}
	return []simulate.Target{at}
}

// TestRun lets some forty people do everything on a real parley. Nothing may be lost.
func TestRun(t *testing.T) {
	cfg := simulate.Config{
		Targets: target(t, startParley(t, relayless)), Rate: 40, People: 40, For: 7 * time.Second, Ramp: time.Second, Twins: 0.1,
		Seed: 7, Behaviour: busy(), Limits: simulate.Limits{MinCalls: 20},
	}
	var progress bytes.Buffer
	var file bytes.Buffer
	record := history.NewRecorder(&file)
	s, err := simulate.Run(t.Context(), cfg, &progress, record)
	if err = errors.Join(err, record.Close()); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := s.Print(&text); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s%s", &progress, &text)
	if len(s.Unmet()) > 0 || s.LeftOver > 0 {
		t.Error("see above")
	}
	found, err := history.Check(&file)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range found.Violations {
		t.Error(v)
	}
	if int64(found.People) != s.Arrived || int64(found.Calls) < s.Calls || found.Envelopes == 0 {
		t.Errorf("the history has %+v", found)
	}
}

// TestTwins: who comes with the device of somebody before may be a twin's twin; with all of them there
// is one device, and nobody meets anybody.
func TestTwins(t *testing.T) {
	cfg := simulate.Config{
		Targets: target(t, startParley(t, relayless)), Rate: 40, People: 20, For: 2 * time.Second, Twins: 1, Seed: 7, Behaviour: calm(),
	}
	var progress, file bytes.Buffer
	record := history.NewRecorder(&file)
	s, err := simulate.Run(t.Context(), cfg, &progress, record)
	if err = errors.Join(err, record.Close()); err != nil {
		t.Fatal(err)
	}
	if came := bytes.Count(file.Bytes(), []byte(`"device":"d0"`)); int64(came) != s.Arrived || came < 10 || s.Calls > 0 {
		t.Errorf("%d of %d came with one device, and there were %d calls", came, s.Arrived, s.Calls)
	}
}
