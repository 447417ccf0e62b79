package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/internal/store"
	"parley/retention"
)

const (
	// rewriteFirst is how long after a start the append-only file is looked after at the earliest: a node
	// that is started again and again has not much of it done.
	rewriteFirst = 10 * time.Minute
	// rewriteEvery is how often a node looks whether it is time.
	rewriteEvery = time.Hour
	// toldEvery is how often a node says that it cannot be done.
	toldEvery = 24 * time.Hour
	// rewriteWithin bounds one look at all servers.
	rewriteWithin = time.Minute
)

// rewriter has each server of the store write its append-only file anew once a day, so that what has
// expired leaves the disk too. Of several nodes one does it: the one that took the server's key.
type rewriter struct {
	rdb  redis.UniversalClient
	log  *slog.Logger
	told time.Time // when a refusal was last told
}

// Run looks every hour whether it is time, until ctx ends.
func (r *rewriter) Run(ctx context.Context) error {
	next := time.NewTimer(rewriteFirst)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-next.C:
			r.look(ctx)
			next.Reset(rewriteEvery)
		}
	}
}

// look has every server rewrite its file whose turn it is, and tells of those that did not.
func (r *rewriter) look(ctx context.Context) {
	asking, cancel := context.WithTimeout(ctx, rewriteWithin)
	defer cancel()
	servers, err := serversOf(asking, r.rdb)
	for _, s := range servers {
		if failed := r.server(asking, s); err == nil {
			err = failed
		}
	}
	if err == nil || ctx.Err() != nil || (!r.told.IsZero() && time.Since(r.told) < toldEvery) {
		return
	}
	r.told = time.Now()
	r.log.LogAttrs(ctx, slog.LevelWarn, "redis does not rewrite its append-only file for parley, so that what has expired stays on the disk: "+
		"allow parley's user +info and +bgrewriteaof as deploy/redis-acl does, see whether the disk is full, or have bgrewriteaof run daily",
		slog.String("why", why(err)))
}

// why says in a few words what went wrong.
func why(err error) string {
	if errors.Is(err, errUnfinished) {
		return errUnfinished.Error()
	}
	return store.Kind(err)
}

// errUnfinished is that a server began to rewrite, and could not end it.
var errUnfinished = errors.New("the last time it could not finish: see its log")

// server has one server rewrite its file unless that was done within the day. What it refuses is
// tried again in an hour.
func (r *rewriter) server(ctx context.Context, s redis.Cmdable) error {
	info, err := s.Info(ctx).Result()
	if err != nil {
		return err
	}
	facts := factsOf(info)
	if facts["aof_enabled"] != "1" {
		return nil
	}
	key := retention.Rewrite.Key(serverName(facts["run_id"]))
	failed := error(nil)
	if facts["aof_last_bgrewrite_status"] == "err" {
		failed = errUnfinished
	}
	mine, err := r.rdb.SetNX(ctx, key, "", retention.Rewrite.TTL()).Result()
	if err != nil {
		return err
	}
	if !mine {
		return failed
	}
	err = s.BgRewriteAOF(ctx).Err()
	if err == nil || strings.Contains(err.Error(), "already in progress") {
		return failed
	}
	giving, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
	defer cancel()
	_ = r.rdb.Del(giving, key).Err() // if that fails too, it is tried again tomorrow
	return err
}

// serverName is a number that a server gave itself, as a part of a key. Some that are rented hide it.
func serverName(told string) string {
	if len(told) == 0 || len(told) > 64 || strings.Trim(told, "0123456789abcdef") != "" {
		return "unnamed"
	}
	return told
}

// serversOf returns every server to which parley writes: of a Cluster the masters, of a set that
// Sentinels watch its master. The order is always the same. Replicas have files of their own, which
// whoever runs them has rewritten: docs/operating.md.
func serversOf(ctx context.Context, rdb redis.UniversalClient) ([]redis.Cmdable, error) {
	all, is := rdb.(*redis.ClusterClient)
	if !is {
		return []redis.Cmdable{rdb}, nil
	}
	var mu sync.Mutex // they are visited at the same time
	var nodes []*redis.Client
	err := all.ForEachMaster(ctx, func(_ context.Context, node *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		nodes = append(nodes, node)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("the Cluster does not tell its masters: %w", err)
	}
	slices.SortFunc(nodes, func(a, b *redis.Client) int { return strings.Compare(a.Options().Addr, b.Options().Addr) })
	servers := make([]redis.Cmdable, len(nodes))
	for i, node := range nodes {
		servers[i] = node
	}
	return servers, nil
}
