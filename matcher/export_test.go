package matcher

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/retention"
)

// Edited returns a queue whose scripts were edited and whose widening delay is given.
func Edited(rdb redis.UniversalClient, cfg Config, edit func(string) string, widens func(Ticket) time.Duration) *Queue {
	q := build(rdb, cfg, edit)
	q.widens = widens
	return q
}

// Source returns all that an edit may change.
func Source() string {
	return commonLua + ticketLua + matchLua + waitsLua + joinLua + confirmLua + abortLua + leaveLua + beatLua + sweepLua
}

// Beat renews the lease once, as Run does each second.
func (q *Queue) Beat(ctx context.Context) error { return q.beat(ctx) }

// Later lets time pass by the clock of the node alone.
func (q *Queue) Later(d time.Duration) {
	q.living.mu.Lock()
	defer q.living.mu.Unlock()
	q.living.beaten, q.living.anew = q.living.beaten.Add(-d), q.living.anew.Add(-d)
}

// JoinTogether joins several tickets in one call.
func (q *Queue) JoinTogether(ctx context.Context, tickets []Ticket) ([]Result, error) {
	requests := make([]request, len(tickets))
	for i, t := range tickets {
		requests[i] = t.request(q.cfg.Node, q.widens(t))
	}
	texts, err := q.send(ctx, requests)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(tickets))
	for i, t := range tickets {
		result, wrong := q.read(t, fields(texts[i]))
		results[i], err = result, errors.Join(err, wrong)
	}
	return results, err
}

// Joins is joins for tests.
type Joins struct{ *joins }

// NewJoins returns joins whose calls are made by send: it gets and returns what was asked.
func NewJoins(timeout time.Duration, send func(context.Context, []string) ([]string, error)) Joins {
	return Joins{newJoins(timeout, func(ctx context.Context, requests []request) ([]string, error) {
		texts := make([]string, len(requests))
		for i, r := range requests {
			texts[i] = r.wish
		}
		return send(ctx, texts)
	})}
}

// Ask asks for a text.
func (j Joins) Ask(ctx context.Context, text string) (string, error) {
	return j.ask(ctx, request{wish: text})
}

// Waiting returns how many wait.
func (j Joins) Waiting() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.waiting)
}

// Sweep sweeps once, as Run does each second.
func (q *Queue) Sweep(ctx context.Context) error { return q.sweep(ctx) }

// Collect empties the inbox and hands all out, without waiting.
func (q *Queue) Collect(ctx context.Context) error {
	inbox := retention.Inbox.Key(q.cfg.Node)
	all, err := q.rdb.XRead(ctx, &redis.XReadArgs{Streams: []string{inbox, "0"}, Block: -1}).Result()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	for _, stream := range all {
		for _, entry := range stream.Messages {
			q.take(entry.Values)
			err = errors.Join(err, q.rdb.XDel(ctx, inbox, entry.ID).Err())
		}
	}
	return err
}

// Hand gives an event to the owner.
func (q *Queue) Hand(e Event) { q.hand(e) }

// Widening is unexported, but worth a test of its own.
var Widening = widening

// Summary returns the percentiles of searches: how long each took, and which were given up.
func Summary(waits []time.Duration, gaveUp ...bool) Estimate {
	samples := make([]sample, len(waits))
	for i, wait := range waits {
		samples[i] = sample{wait, i >= len(gaveUp) || !gaveUp[i]}
	}
	return summary(samples)
}

// Pace is pace for tests.
type Pace struct{ *pace }

// NewPace returns a pace that saw nothing.
func NewPace() Pace { return Pace{newPace()} }

// Arrived counts a search.
func (p Pace) Arrived(now time.Time, t Ticket) { p.arrived(now, t) }

// Expected returns what is expected for a ticket.
func (p Pace) Expected(now time.Time, t Ticket) float64 { return p.expected(now, near(t)) }
