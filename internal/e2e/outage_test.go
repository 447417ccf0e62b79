package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"parley/internal/keyring"
	"parley/internal/store"
	"parley/matcher"
	"parley/moderation"
	"parley/signaling"
	"parley/turn"
	"parley/web"
)

// rooms is parley put together inside the test, so that one part can be stopped alone.
type rooms struct {
	URL   string
	ring  *keyring.Ring
	weeks *keyring.Epochs
	where netip.AddrPort // of the relay; kept when it comes back

	ahead atomic.Int64 // what the relays' clock is ahead of ours, in nanoseconds

	mu    sync.Mutex // guards the following fields
	relay *turn.Server
	other *turn.Server // as of a second node, if there is one
	urls  []string     // what browsers are told instead of the relay's own, if any
}

// assemble starts every part on loopback with a real Redis; it ends with the test.
func assemble(t testing.TB) *rooms {
	t.Helper()
	r := &rooms{ring: keyring.New(), weeks: keyring.NewEpochs()}
	r.startRelay(t)
	url, _ := startStore(t)
	where, err := store.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	rdb, mail := where.Open(), where.Listener()
	log := slog.New(slog.DiscardHandler)
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	operator, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	origin := fmt.Sprintf("http://localhost:%d", listener.Addr().(*net.TCPAddr).Port)
	r.URL = origin + "/"
	queue := matcher.New(rdb, matcher.Config{Log: log})
	hub := signaling.New(signaling.Config{
		Queue: queue, Desk: moderation.New(moderation.Config{Redis: rdb, Ring: r.ring, Epochs: r.weeks, Log: log}), Ring: r.ring, Redis: signaling.Redis{Client: rdb, PubSub: mail},
		Ice: r.ice, Open: r.open, Others: signaling.OtherRelays{End: r.end}, Origins: []string{origin}, Log: log,
	})
	server, err := web.New(web.Config{
		Socket: hub, Ready: func(context.Context) error { return nil }, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var parts sync.WaitGroup
	for _, run := range []func(context.Context) error{
		queue.Run, hub.Run,
		func(ctx context.Context) error { return server.Serve(ctx, listener, operator) },
	} {
		parts.Go(func() {
			if err := run(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, http.ErrServerClosed) {
				t.Errorf("a part ended: %v", err)
			}
		})
	}
	t.Cleanup(func() {
		stop()
		parts.Wait()
		r.stopRelay(t)
		_, _ = rdb.Close(), mail.Close()
	})
	return r
}

func (r *rooms) ice(call string) signaling.Ice {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.relay.Credential(call)
	if r.urls != nil {
		c.URLs = r.urls
	}
	all := []signaling.IceServer{{URLs: c.URLs, Username: c.Username, Credential: c.Password}}
	if r.other != nil {
		o := r.other.Credential(call)
		all = append(all, signaling.IceServer{URLs: o.URLs, Username: o.Username, Credential: o.Password})
	}
	return signaling.Ice{Servers: all, TTLMS: c.TTL.Milliseconds()}
}

// open is ice for a private room.
func (r *rooms) open(room string) signaling.Ice {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.relay.CredentialOf(turn.Open, room)
	return signaling.Ice{Servers: []signaling.IceServer{{URLs: c.URLs, Username: c.Username, Credential: c.Password}}, TTLMS: c.TTL.Milliseconds()}
}

func (r *rooms) end(call string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.relay.End(call)
}

func (r *rooms) startRelay(t testing.TB) {
	t.Helper()
	if !r.where.IsValid() {
		r.where = netip.MustParseAddrPort("127.0.0.1:0")
	}
	relay := r.newRelay(t, r.where)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.relay, r.where = relay, relay.Addr()
}

func (r *rooms) newRelay(t testing.TB, at netip.AddrPort) *turn.Server {
	t.Helper()
	relay, err := turn.Start(turn.Config{
		Listen: at, Secret: r.ring.Derive("relay credentials"), Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return time.Now().Add(time.Duration(r.ahead.Load())) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return relay
}

// another starts a second relay at an address of its own, as a second node would; it ends with the
// test.
func (r *rooms) another(t testing.TB) {
	t.Helper()
	other := r.newRelay(t, netip.MustParseAddrPort("127.0.0.2:0"))
	t.Cleanup(func() {
		if err := other.Close(); err != nil {
			t.Error(err)
		}
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.other = other
	other.Meet([]string{r.relay.Announcement()})
	r.relay.Meet([]string{other.Announcement()})
}

func (r *rooms) stopRelay(t testing.TB) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.relay.Close(); err != nil {
		t.Error(err)
	}
}

// TestBrowserRelayStopped: the relay is gone for a second and comes back without its allocations;
// audio is back within ten seconds, nothing of the call is lost.
func TestBrowserRelayStopped(t *testing.T) {
	browser := chromium(t)
	house := assemble(t)
	ana, bo := pair(t, browser, house.URL)
	ana.hears(bo.hz, 10*time.Second)
	bo.hears(ana.hz, 10*time.Second)
	before := ana.sas()

	house.stopRelay(t)
	js[bool](ana, `new Promise((done) => setTimeout(() => done(true), 1000))`)
	house.startRelay(t)
	back := time.Now()
	if !js[bool](ana, `seen.until(12000, () => seen.screens.includes('reconnecting'))`) {
		t.Fatal("the outage was not noticed\n" + ana.diary())
	}
	ana.reaches("live", 10*time.Second)
	bo.reaches("live", 10*time.Second)
	ana.hears(bo.hz, 10*time.Second)
	bo.hears(ana.hz, 10*time.Second)
	t.Logf("audio was back %v after the relay", time.Since(back).Round(10*time.Millisecond))
	if took := time.Since(back); took > 10*time.Second {
		t.Errorf("audio came back after %v, want at most 10 s", took)
	}
	// Somebody may be comparing it: the string stays, also on a connection that was built anew.
	if a, b := ana.sas(), bo.sas(); a != b || a != before {
		t.Errorf("authentication strings %q and %q, it was %q", a, b, before)
	}
	ana.keptItsAddress()
	bo.keptItsAddress()
}
