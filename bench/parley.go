package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/keyring"
	"parley/matcher"
	"parley/moderation"
	"parley/moderation/puzzle"
	"parley/signaling"
	"parley/web"
)

// parley is what a browser meets, in a child: the web server with its limits raised, signaling, the
// queue on a real Redis. The relay of sound is left out; calls get made-up credentials.
type parley struct {
	rdb    *redis.Client
	server *web.Server
	cancel context.CancelFunc
	all    sync.WaitGroup

	mu   sync.Mutex // guards the following field
	errs []error
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// openParley starts everything but the listener, whose address the browsers' origin is made of.
func openParley(ctx context.Context, socket, address string) (*parley, error) {
	plenty := signaling.Budget{Burst: 1 << 30, Every: time.Microsecond}
	ring, err := keyring.Load(filepath.Join(filepath.Dir(socket), "keys")) // one for all on this Redis
	if err != nil {
		return nil, err
	}
	epochs, err := keyring.LoadEpochs(filepath.Join(filepath.Dir(socket), "epochs"), time.Now(), quiet())
	if err != nil {
		return nil, err
	}
	p := &parley{rdb: redis.NewClient(storeOptions(socket))}
	queue := matcher.New(p.rdb, matcher.Config{})
	hub := signaling.New(signaling.Config{
		Queue: queue, Desk: moderation.New(moderation.Config{Redis: p.rdb, Ring: ring, Epochs: epochs, Log: quiet()}), Ring: ring, Ice: madeUp, Redis: signaling.Redis{Client: p.rdb, PubSub: p.rdb},
		Origins: []string{"http://" + address}, Log: quiet(),
		// All come from here and nobody was ever seen before: no work and no end of searches.
		Work:   puzzle.Rule{Crowded: 1 << 30},
		Limits: signaling.Limits{Device: plenty, Network: plenty},
	})
	p.server, err = web.New(web.Config{
		Socket: hub, Ready: func(context.Context) error { return nil }, Log: quiet(),
		Limits: web.Limits{Sockets: 1 << 20, PerAddress: 1 << 20, Burst: 1 << 20, Every: time.Microsecond},
	})
	if err != nil {
		return nil, errors.Join(err, p.rdb.Close())
	}
	ctx, p.cancel = context.WithCancel(ctx)
	p.all.Go(func() { p.note(queue.Run(ctx)) })
	p.all.Go(func() { p.note(hub.Run(ctx)) })
	return p, nil
}

func (p *parley) note(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.errs = append(p.errs, err)
}

// serve answers until ctx ends.
func (p *parley) serve(ctx context.Context, public net.Listener) error {
	operator, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	return p.server.Serve(ctx, public, operator)
}

func (p *parley) close() error {
	p.cancel()
	p.all.Wait()
	return errors.Join(errors.Join(p.errs...), p.rdb.Close())
}

// madeUp is as long as real credentials are.
func madeUp(call string) signaling.Ice {
	return signaling.Ice{Servers: []signaling.IceServer{{
		URLs:       []string{"turn:192.0.2.1:3478?transport=udp", "turn:192.0.2.1:3478?transport=tcp"},
		Username:   "1767225600:" + call,
		Credential: strings.Repeat("A", 28),
	}}, TTLMS: 600_000}
}

// startParley starts a Redis and parley's child on it.
func startParley(ctx context.Context, profile string) (*child, func() error, error) {
	s, err := startStore(ctx)
	if err != nil {
		return nil, nil, err
	}
	c, err := startChild(ctx, "parley:"+s.socket, "-profile", profile)
	if err != nil {
		s.stop()
		return nil, nil, err
	}
	return c, func() error {
		err := c.stop()
		s.stop()
		return err
	}, nil
}
