package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"time"

	"parley/internal/keyring"
	"parley/internal/metrics"
	"parley/internal/store"
	"parley/matcher"
	"parley/migrations"
	"parley/moderation"
	"parley/moderation/office"
	"parley/retention"
	"parley/signaling"
	"parley/turn"
	"parley/web"
)

// peopleEmbedded is how many browsers may be connected to a trial that keeps all in one process.
const peopleEmbedded = 300

// drainWithin is how long the end of the only node waits for browsers that were told to come back.
// Those who are left are told when their sockets close. Calls go on between the browsers.
const drainWithin = 3 * time.Second

// build starts every part in order and returns where the page is.
func build(ctx context.Context, h *house, cfg config, log *slog.Logger) (string, error) {
	public, err := listen(ctx, h, "listen", cfg.Listen)
	if err != nil {
		return "", err
	}
	operator, err := listen(ctx, h, "operator-listen", cfg.OperatorListen)
	if err != nil {
		return "", err
	}
	cfg.PublicURL = settle(cfg.PublicURL, public.Addr())
	ring, err := keyring.Load(keyFile(cfg))
	if err != nil {
		return "", fmt.Errorf("state: %w", err)
	}
	if cfg.RelayExternal, err = cfg.RelayExternal.settle(ctx, net.DefaultResolver, cfg.RelayListen.Addr()); err != nil {
		return "", fmt.Errorf("relay-external: %w", err)
	}
	certs, err := openTLS(ctx, h, cfg, log)
	if err != nil {
		return "", err
	}
	relay, lost, err := openRelay(ctx, h, cfg, relayNeeds{ring, certs, log})
	if err != nil {
		return "", err
	}
	memory, err := openStore(ctx, h, cfg.Redis.Telling(keepFrom(relay)), log)
	if err != nil {
		return "", orWithout(err)
	}
	epochs, err := openEpochs(cfg, log)
	if err != nil {
		return "", err
	}
	p := parts{ring: ring, epochs: epochs, relay: relay, lost: lost, memory: memory, log: log}
	if err := openData(ctx, h, cfg, p); err != nil {
		return "", err
	}
	p.join(cfg)
	p.tend(ctx, h, cfg)
	hub := openSignaling(ctx, h, cfg, p)
	server, err := openDoor(cfg, hub, p)
	if err != nil {
		return "", err
	}
	if cfg.TLS != tlsOff {
		public = relay.Share(public, certs.forPage()) //nolint:contextcheck // as above
	}
	certs.lookAfter(ctx, h) // the port is open, on which the authority asks back
	h.run(ctx, "web server", func(ctx context.Context) error { return server.Serve(ctx, public, operator) })
	testRelay(ctx, h, relayWays(cfg, relay, public.Addr()), relayNeeds{ring, certs, log}, relay)
	h.closeLater("new visitors", func() error {
		server.Drain()
		relay.Retire()
		leave(context.WithoutCancel(ctx), cfg, hub, log)
		relay.Drain() // ends soon after: who needs a relay now is better served elsewhere
		return nil
	})
	return cfg.PublicURL[0] + cfg.BasePath, nil
}

// orWithout adds to an error of a store that is away what only a parley that starts can do about it.
func orWithout(err error) error {
	if errors.Is(err, store.ErrSilent) {
		return fmt.Errorf("%w, or leave it out to try parley with its own store", err)
	}
	return err
}

// join makes what works on the store.
func (p *parts) join(cfg config) {
	p.queue = matcher.New(p.memory.rdb, matcher.Config{Log: p.log})
	p.desk = moderation.New(moderation.Config{Redis: p.memory.rdb, Ring: p.ring, Epochs: p.epochs, TokenOnly: cfg.TokenOnly, Log: p.log})
	p.office = p.openOffice(cfg)
	p.glance = retention.NewGlance(p.memory.rdb, p.log)
}

// tend starts what looks after the store.
func (p *parts) tend(ctx context.Context, h *house, cfg config) {
	h.run(ctx, "count of what is remembered", p.glance.Run)
	if !cfg.Redis.IsEmbedded() { // that has no disk
		h.run(ctx, "rewriting of the store's file", (&rewriter{rdb: p.memory.rdb, log: p.log}).Run)
	}
}

// openData makes sure that what Redis holds is ours to read, and in the shape that we know; also when
// Redis comes back and has forgotten that.
func openData(ctx context.Context, h *house, cfg config, p parts) error {
	memory, log, mark := p.memory, p.log, p.ring.Tag("key file")
	memory.watch.Also(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, answerWithin)
		defer cancel()
		if err := migrations.Run(ctx, memory.rdb, mark, log); errors.Is(err, migrations.ErrKeys) || errors.Is(err, migrations.ErrNewer) {
			log.LogAttrs(ctx, slog.LevelError, "another parley has taken the data in Redis over: stop one of the two", slog.Any("error", err))
		}
		p.weeksAgain(ctx)
	})
	err := migrations.Run(ctx, memory.rdb, mark, log)
	switch {
	case errors.Is(err, migrations.ErrKeys):
		return fmt.Errorf("redis: %w than %s: copy the file \"keys\" from the --state directory of the parley that made it; "+
			"if that is lost, run redis-cli hdel '%s' key, and reports made with it run out within 30 days without effect",
			err, keyFile(cfg), retention.Schema.Key())
	case err != nil:
		return fmt.Errorf("redis: %w", err)
	}
	if err := openWeeks(ctx, h, cfg, p); err != nil {
		return err
	}
	h.run(ctx, "watch of the store", memory.watch.Run)
	return nil
}

// keyFile is where the installation's secret lies.
func keyFile(cfg config) string { return filepath.Join(cfg.State, "keys") }

// leave lets everybody go. With other nodes there, browsers come back to those, and this one stays for
// its calls; alone, it makes room for whoever is started in its place.
func leave(ctx context.Context, cfg config, hub *signaling.Hub, log *slog.Logger) {
	within := drainWithin
	if !hub.Alone() {
		within = max(within, cfg.Drain)
		log.LogAttrs(ctx, slog.LevelInfo, "this node stops when its calls are over", slog.Duration("at_the_latest", within))
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	hub.Drain(ctx)
}

// parts are what signaling joins.
type parts struct {
	ring   *keyring.Ring
	epochs *keyring.Epochs
	relay  *turn.Server
	lost   func() int64 // records of the relay log
	memory *memory
	queue  *matcher.Queue
	desk   *moderation.Desk
	office *office.Office
	glance *retention.Glance
	log    *slog.Logger
}

// relayNeeds are what the relay is made with beside the settings.
type relayNeeds struct {
	ring  *keyring.Ring
	certs *certificates
	log   *slog.Logger
}

// openRelay starts the relay, and its log. Its secret is derived from the key file, so that
// credentials outlive a restart.
func openRelay(ctx context.Context, h *house, cfg config, with relayNeeds) (relay *turn.Server, lost func() int64, err error) {
	ended, lost, err := openRelayLog(ctx, h, cfg, with.log)
	if err != nil {
		return nil, nil, err
	}
	relay, err = turn.Start(turn.Config{ //nolint:contextcheck // the relay outlives the start
		Listen:        cfg.RelayListen,
		Also:          cfg.alsoAt(),
		ListenTLS:     cfg.RelayTLS,
		TLS:           with.certs.forRelay(),
		Secure:        cfg.secureRelay(),
		External:      cfg.RelayExternal.v4,
		External6:     cfg.RelayExternal.v6,
		Secret:        with.ring.Derive("relay credentials"),
		Ports:         cfg.relayNumbers(),
		OpenPorts:     cfg.RelayPorts,
		AllowLoopback: cfg.RelayLoopback,
		Ended:         ended,
		Log:           with.log,
	})
	if errors.Is(err, turn.ErrListenTLS) {
		return nil, nil, sayPort("relay-tls-listen", cfg.RelayTLS.String(), err)
	}
	if err != nil {
		return nil, nil, sayPort("relay-listen", cfg.relayAt(err), err)
	}
	h.closeLater("relay", relay.Close)
	return relay, lost, nil
}

// keepFrom tells the relay of every Redis that is connected to: no browser may reach it through the
// relay, at whatever address Sentinels or a Cluster have put it.
func keepFrom(relay *turn.Server) func(net.Addr) {
	return func(a net.Addr) {
		if tcp, reached := a.(*net.TCPAddr); reached { // and not a socket of this machine
			relay.Forbid(tcp.AddrPort().Addr())
		}
	}
}

// openSignaling starts queue, desk and office, and the hub on them.
func openSignaling(ctx context.Context, h *house, cfg config, p parts) *signaling.Hub {
	hub := signaling.New(signaling.Config{
		Queue:   p.queue,
		Desk:    p.desk,
		Paused:  p.office.Paused,
		Ring:    p.ring,
		Redis:   signaling.Redis{Client: p.memory.rdb, PubSub: p.memory.listener(h)},
		Ice:     func(call string) signaling.Ice { return iceHere(p.relay, turn.Veil, call) },
		Open:    func(room string) signaling.Ice { return iceHere(p.relay, turn.Open, room) },
		Others:  otherRelays(p.relay),
		Origins: cfg.PublicURL,
		Log:     p.log,
	})
	h.run(ctx, "queue", p.queue.Run)
	h.run(ctx, "desk", p.desk.Run)
	h.run(ctx, "office", p.office.Run)
	h.run(ctx, "signaling", hub.Run)
	return hub
}

// iceHere is a credential of this node's relay, without servers while it takes no new calls.
func iceHere(relay *turn.Server, kind turn.Kind, call string) signaling.Ice {
	if relay.Draining() {
		return ice(turn.Credential{TTL: turn.CredentialTime})
	}
	return ice(relay.CredentialOf(kind, call))
}

// otherRelays joins the relay to those of the other nodes.
func otherRelays(relay *turn.Server) signaling.OtherRelays {
	there := func(kind turn.Kind) func(call, announced string) signaling.Ice {
		return func(call, announced string) signaling.Ice {
			c, _ := relay.CredentialThere(announced, kind, call) // of another version: it is left out
			return ice(c)
		}
	}
	return signaling.OtherRelays{
		Announce: relay.Announcement, Meet: relay.Meet, End: relay.End,
		Ice: there(turn.Veil), Open: there(turn.Open),
	}
}

// ice puts a credential of a relay into the words of signaling.
func ice(c turn.Credential) signaling.Ice {
	all := signaling.Ice{Servers: []signaling.IceServer{}, TTLMS: c.TTL.Milliseconds()}
	if len(c.URLs) > 0 {
		all.Servers = append(all.Servers, signaling.IceServer{URLs: c.URLs, Username: c.Username, Credential: c.Password})
	}
	return all
}

// openDoor makes the server that lets browsers in.
func openDoor(cfg config, hub *signaling.Hub, p parts) (*web.Server, error) {
	limits := web.Limits{}
	if cfg.Redis.IsEmbedded() {
		limits.Sockets = peopleEmbedded
	}
	noted, err := noteProcessors(cfg.State, cfg.Processors, time.Now(), p.log)
	if err != nil {
		return nil, err
	}
	var server *web.Server // set below, before anybody can ask
	server, err = web.New(web.Config{
		Socket:  hub,
		Metrics: metrics.Handler(func() metrics.View { return p.view(hub, server) }),
		Ready:   p.memory.ready,
		Proxies: cfg.TrustedProxies,
		Base:    cfg.BasePath,
		Network: func(n netip.Prefix) string { return networkMark(p.ring, n) },
		Limits:  limits,
		Contact: cfg.Contact, TokenOnly: cfg.TokenOnly,
		Console: p.console(cfg),
		Origin:  cfg.PublicURL[0] + cfg.BasePath, Processors: cfg.Processors, Noted: noted, Counted: p.glance.Last, RelayLog: cfg.RelayLog,
		Relay: func() web.Relay {
			c := p.relay.Credential("check " + rand.Text()) // a call of its own: it reaches nobody else
			return web.Relay{URLs: c.URLs, Username: c.Username, Credential: c.Password}
		},
		Log: p.log,
	})
	return server, err
}

// networkBytes are 16 characters of a mark.
const networkBytes = 12

// networkMark is what the rest of the program knows of a visitor's network.
func networkMark(ring *keyring.Ring, n netip.Prefix) string {
	return base64.RawURLEncoding.EncodeToString(ring.Mark("network", n.String())[:networkBytes])
}

// listen opens a TCP port. Its closing is the server's, but a failed start must not leave it open.
func listen(ctx context.Context, h *house, setting, where string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", where)
	if err != nil {
		return nil, sayPort(setting, where, err)
	}
	h.closeLater(setting, func() error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	return l, nil
}
