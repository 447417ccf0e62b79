package store

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// How long Redis may take. Callers bound their calls too, never above two seconds; these hold where
// a caller's own bound is longer.
const (
	dialTime   = time.Second
	answerTime = 2 * time.Second
	// askTime is how long a Sentinel may take to say where the master is. Connecting to the master begins
	// with that question. A Sentinel that keeps silent is asked twice before the others are, and all of
	// that must fit into one attempt to connect, or the client stays with the one that died.
	askTime = time.Second
	// mapAge is how old the client's map of a Cluster may be. A Cluster that lost a master says so to
	// nobody who asks only the master that is gone.
	mapAge = time.Second
)

// The versions of the protocol.
const (
	forCommands = 3
	// forListening is older, because a message of a subscription is then a plain answer that waits its
	// turn, and nothing comes on a connection that nobody asked for.
	forListening = 2
)

// Open returns a client for commands. It connects when it is first used, and never sends a command
// twice: a script whose answer was lost may have paired two people already. Its callers repeat,
// each by a name that makes the second time harmless.
func (w Where) Open() redis.UniversalClient { return w.open(forCommands) }

// Listener returns a client to subscribe with, apart from that for commands.
func (w Where) Listener() redis.UniversalClient { return w.open(forListening) }

func (w Where) open(protocol int) redis.UniversalClient {
	o := w.options(protocol)
	o.Dialer = w.dial
	switch w.kind {
	case sentinel:
		o.ReadTimeout, o.DialTimeout = askTime, 4*askTime
		return redis.NewFailoverClient(o.Failover())
	case cluster:
		c := o.Cluster()
		c.ClusterStateReloadInterval = mapAge
		c.NewClient = func(o *redis.Options) *redis.Client {
			node := redis.NewClient(o)
			node.AddHook(once{})
			return node
		}
		return redis.NewClusterClient(c)
	case single:
	}
	return redis.NewClient(o.Simple())
}

// dial connects to a server, a Sentinel, or a master that it named. The time for one connection is
// less than that for an attempt with all its questions.
func (w Where) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := w.connect(ctx, network, addr)
	if err == nil && w.met != nil {
		w.met(conn.RemoteAddr())
	}
	return conn, err
}

func (w Where) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	d := &net.Dialer{Timeout: dialTime}
	if !w.tls {
		return d.DialContext(ctx, network, addr)
	}
	return (&tls.Dialer{NetDialer: d, Config: w.tlsConfig()}).DialContext(ctx, network, addr)
}

func (w Where) tlsConfig() *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS12} }

func (w Where) options(protocol int) *redis.UniversalOptions {
	o := &redis.UniversalOptions{
		Addrs: w.hosts, DB: w.db, MasterName: w.master,
		Username: w.user, Password: w.password,
		SentinelUsername: w.sentinelUser, SentinelPassword: w.sentinelPassword,
		Protocol:    protocol,
		MaxRetries:  -1,
		DialTimeout: dialTime, DialerRetries: 1,
		ReadTimeout: answerTime, WriteTimeout: answerTime, PoolTimeout: answerTime,
		ContextTimeoutEnabled:    true,
		PipelinePoolSize:         -1,   // there are no pipelines to speak of
		DisableIdentity:          true, // Redis 7.0 cannot allow CLIENT SETINFO in an ACL file
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if w.tls {
		o.TLSConfig = w.tlsConfig() // the name is that of the host that is dialled
	}
	return o
}

// once keeps the client of a Cluster from sending a command again whose answer was lost: it counts
// such repeats as redirections, which a Cluster cannot do without. What a node refused with MOVED,
// ASK, TRYAGAIN and their like it has not done, so that may go elsewhere.
type once struct{}

func (once) DialHook(next redis.DialHook) redis.DialHook { return next }

func (once) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { return last(next(ctx, cmd)) }
}

func (once) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error { return last(next(ctx, cmds)) }
}

// lostError is an answer that did not come. It hides its cause, by which the client would take it
// for something to repeat.
type lostError struct{ says string }

func (e lostError) Error() string { return e.says }

func last(err error) error {
	dial, timed := (*net.OpError)(nil), (interface{ Timeout() bool })(nil)
	switch {
	case err == nil, errors.As(err, &dial) && dial.Op == "dial":
		return err // nothing was sent
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err // never repeated, and callers look for them
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &timed):
		return lostError{err.Error()}
	}
	return err
}
