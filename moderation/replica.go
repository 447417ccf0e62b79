package moderation

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/retention"
)

// replicaTime is how long a replica may take to have a report too.
const replicaTime = 200 * time.Millisecond

// errNotYet says that a report is on the primary alone, which may be about to be replaced.
var errNotYet = errors.New("no replica has it yet")

// connect returns a connection of its own to the server on which the records lie.
func (d *Desk) connect(ctx context.Context) (*redis.Conn, error) {
	node, err := d.nodeOf(ctx, retention.Record.Key("any"))
	if err != nil {
		return nil, err
	}
	return node.Conn(), nil
}

// nodeOf returns the server that key lies on.
func (d *Desk) nodeOf(ctx context.Context, key string) (*redis.Client, error) {
	switch rdb := d.rdb.(type) {
	case *redis.Client:
		return rdb, nil
	case *redis.ClusterClient:
		return rdb.MasterForKey(ctx, key)
	}
	return nil, errors.New("a Redis of this shape is not supported")
}

// moved has the map of a Cluster read again when a node says that it no longer serves a key.
func (d *Desk) moved(ctx context.Context, err error) {
	all, is := d.rdb.(*redis.ClusterClient)
	if is && (strings.HasPrefix(err.Error(), "MOVED ") || strings.HasPrefix(err.Error(), "ASK ")) {
		all.ReloadState(ctx)
	}
}

// settle waits until a replica has what conn wrote.
func (d *Desk) settle(ctx context.Context, conn *redis.Conn) error {
	switch n, err := d.replicas(ctx, conn); {
	case err != nil:
		return err
	case n == 0:
		return nil
	}
	switch n, err := conn.Wait(ctx, 1, replicaTime).Result(); {
	case err != nil:
		return err
	case n == 0:
		return errNotYet
	}
	return nil
}

// replicas returns how many are connected; none where the server does not tell.
func (d *Desk) replicas(ctx context.Context, conn *redis.Conn) (int, error) {
	info, err := conn.Info(ctx, "replication").Result()
	if refused := redis.Error(nil); errors.As(err, &refused) {
		if strings.HasPrefix(err.Error(), "NOPERM") {
			d.blind.Do(func() {
				d.log.LogAttrs(ctx, slog.LevelWarn, "redis does not tell whether it has replicas, so reports do not wait for them; allow +info")
			})
		}
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(info, "connected_slaves:")
	digits, _, _ := strings.Cut(rest, "\r\n")
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0, nil //nolint:nilerr // the embedded store has no such line, nor replicas
	}
	return n, nil
}
