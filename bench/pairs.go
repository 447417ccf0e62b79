package main

import (
	"context"
	_ "embed" // the script of the floor stands in a file
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/redis/go-redis/v9"

	"parley/matcher"
)

//go:embed lua/floor.lua
var floorLua string

const floorName = "one EVALSHA a person: ZADD, ZPOPMIN"

// pairs measures how many pairs the matcher makes for each second of Redis' CPU.
func pairs(ctx context.Context, b bench) (figures []figure, err error) {
	s, err := startStore(ctx)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	var made, confirmed []round
	for range b.rounds {
		base, err := floor(ctx, s, b)
		if err != nil {
			return nil, fmt.Errorf("floor: %w", err)
		}
		joins, err := pairing(ctx, s, b, joinOnce)
		if err != nil {
			return nil, err
		}
		whole, err := pairing(ctx, s, b, joinAndConfirm)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(b.progress, "  floor %.0f, joined %.0f, confirmed %.0f pairs for each Redis CPU second (by the clock %.0f, %.0f, %.0f/s)\n",
			base.perCPUSecond()/2, joins.perCPUSecond(), whole.perCPUSecond(),
			float64(base.count)/base.wall.Seconds()/2, float64(joins.count)/joins.wall.Seconds(), float64(whole.count)/whole.wall.Seconds())
		made = append(made, round{joins.perCPUSecond(), base.perCPUSecond() / 2})
		confirmed = append(confirmed, round{whole.perCPUSecond(), base.perCPUSecond() / 2})
	}
	const unit = "pairs/s a core"
	return []figure{
		figure{name: "pairs: two joins", unit: unit, more: true, baseline: floorName, limit: valueAtLeast(15000)}.over(made),
		figure{name: "pairs: two joins, two confirmations", unit: unit, more: true, baseline: floorName}.over(confirmed),
	}, nil
}

// floor counts persons.
func floor(ctx context.Context, s *store, b bench) (t tally, err error) {
	if err := s.FlushAll(ctx).Err(); err != nil {
		return tally{}, err
	}
	client, err := s.AutoPipeline()
	if err != nil {
		return tally{}, err
	}
	defer func() { err = errors.Join(err, client.Close()) }()
	script := redis.NewScript(floorLua)
	return drive(ctx, s, b.spell, func(ctx context.Context, rnd *rand.Rand) (int64, error) {
		id := matcher.NewID()
		return 1, script.Run(ctx, client, []string{"bench:queue"}, id, rnd.Uint32()).Err()
	})
}

// pairing counts pairs.
func pairing(ctx context.Context, s *store, b bench, do func(*crowd) work) (t tally, err error) {
	if err := s.FlushAll(ctx).Err(); err != nil {
		return tally{}, err
	}
	c, err := startCrowd(ctx, s)
	if err != nil {
		return tally{}, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	return drive(ctx, s, b.spell, do(c))
}

func joinOnce(c *crowd) work {
	return func(ctx context.Context, rnd *rand.Rand) (int64, error) {
		result, err := c.Join(ctx, person(rnd))
		if _, ok := result.(matcher.Offered); ok {
			return 1, err
		}
		return 0, err
	}
}

func joinAndConfirm(c *crowd) work {
	return confirming(c, func(_ context.Context, rnd *rand.Rand) (matcher.Ticket, error) { return person(rnd), nil })
}

// confirming lets people come, and both sides of a match confirm.
func confirming(c *crowd, who func(context.Context, *rand.Rand) (matcher.Ticket, error)) work {
	return func(ctx context.Context, rnd *rand.Rand) (int64, error) {
		ticket, err := who(ctx, rnd)
		if err != nil {
			return 0, err
		}
		result, err := c.Join(ctx, ticket)
		offered, ok := result.(matcher.Offered)
		if err != nil || !ok {
			return 0, err
		}
		o := offered.Offer
		if _, err := c.Confirm(ctx, o.Match, o.Ticket); err != nil {
			return 0, err
		}
		state, err := c.Confirm(ctx, o.Match, o.PeerTicket)
		if err == nil && state != matcher.Live {
			err = fmt.Errorf("both have confirmed, but the match is %d", state)
		}
		return 1, err
	}
}
