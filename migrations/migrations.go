// Package migrations brings the stored data into the shape that this program expects.
//
// Steps are numbered and only go up. Each is idempotent: it may be interrupted and run again. They
// run at start, under a lock in Redis, so that of several nodes that start at once one works and
// the others wait. [retention.Schema] holds the number reached; a database that is ahead of the
// program is refused, for an old program would misread it.
package migrations

import (
	"context"
	"crypto/rand"
	_ "embed" // the scripts stand in files beside this one
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/retention"
)

// ErrNewer says that the database was written by a newer program.
var ErrNewer = errors.New("the data in Redis is newer than this program: start the newer parley again, or give this one an empty database")

// ErrKeys says that the data was made with another key file, so that nothing in it could be found.
var ErrKeys = errors.New("the data in Redis was made with another key file")

//go:embed lua/keep.lua
var keepLua string

//go:embed lua/reach.lua
var reachLua string

//go:embed lua/release.lua
var releaseLua string

// answerTime is how long Redis may take for one small command.
const answerTime = 2 * time.Second

// Step is one change of shape.
type Step struct {
	Number int // 1, 2, 3, ... without gaps
	Name   string
	Run    func(ctx context.Context, rdb redis.UniversalClient) error
}

// Steps returns all steps. A step that was released is never changed again. The mark is that of the
// key file, see [Run]; what a step could not carry is told to log.
func Steps(mark string, log *slog.Logger) []Step {
	return []Step{
		{Number: 1, Name: "the first shape", Run: func(context.Context, redis.UniversalClient) error { return nil }},
		{Number: 2, Name: "the mark of the key file", Run: func(ctx context.Context, rdb redis.UniversalClient) error {
			return claim(ctx, rdb, mark)
		}},
		{Number: 3, Name: "reports under weekly keys", Run: func(ctx context.Context, rdb redis.UniversalClient) error {
			n, err := dropReports(ctx, rdb)
			if n > 0 {
				log.LogAttrs(ctx, slog.LevelWarn, "reports of an older parley were deleted: they named devices in a way that cannot be carried over, so those devices are clear now", slog.Int64("reports", n))
			}
			return err
		}},
		// Step 5 took back what this one was for.
		{Number: 4, Name: "records say what their reports come to", Run: func(context.Context, redis.UniversalClient) error { return nil }},
		{Number: 5, Name: "what reports come to lies beside their record", Run: dropSums},
	}
}

// Newest is the number of the last step, which is that of the shape that this program knows.
func Newest() int { return len(Steps("", slog.New(slog.DiscardHandler))) }

// Run brings the database to the shape of this program and makes sure that it belongs to the key
// file of which mark is derived. Errors: [ErrNewer]; [ErrKeys]; what a step says; or that ctx ended
// while another node held the lock.
func Run(ctx context.Context, rdb redis.UniversalClient, mark string, log *slog.Logger) error {
	if err := Apply(ctx, rdb, Steps(mark, log), log); err != nil {
		return err
	}
	return claim(ctx, rdb, mark)
}

// Look tells without changing anything whether [Run] would refuse this database. Errors: [ErrNewer];
// [ErrKeys]; that it cannot be read.
func Look(ctx context.Context, rdb redis.UniversalClient, mark string) error {
	if _, err := version(ctx, rdb, Newest()); err != nil {
		return err
	}
	held, err := rdb.HGet(ctx, retention.Schema.Key(), markField).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return nil
	case err != nil:
		return fmt.Errorf("read the mark of the data: %w", err)
	case held != mark:
		return ErrKeys
	}
	return nil
}

// markField is where the schema holds the mark of the key file. An operator may remove it, to go on
// with another key file.
const markField = "key"

// claim writes the mark where there is none; of several nodes that start at once the first does.
func claim(ctx context.Context, rdb redis.UniversalClient, mark string) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	key := retention.Schema.Key()
	if err := rdb.HSetNX(ctx, key, markField, mark).Err(); err != nil {
		return fmt.Errorf("mark the data: %w", err)
	}
	held, err := rdb.HGet(ctx, key, markField).Result()
	switch {
	case err != nil:
		return fmt.Errorf("read the mark of the data: %w", err)
	case held != mark:
		return ErrKeys
	}
	return nil
}

// Apply is Run with other steps.
func Apply(ctx context.Context, rdb redis.UniversalClient, steps []Step, log *slog.Logger) error {
	reached, err := version(ctx, rdb, len(steps))
	if err != nil || reached == len(steps) {
		return err
	}
	l, err := acquire(ctx, rdb)
	if err != nil {
		return err
	}
	return errors.Join(l.apply(ctx, steps, log), l.release(context.WithoutCancel(ctx)))
}

// version reads the number reached, 0 for an empty database, and refuses one above known.
func version(ctx context.Context, rdb redis.UniversalClient, known int) (int, error) {
	text, err := rdb.HGet(ctx, retention.Schema.Key(), "version").Result()
	if errors.Is(err, redis.Nil) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the shape of the data: %w", err)
	}
	reached, err := strconv.Atoi(text)
	if err != nil || reached < 0 {
		return 0, fmt.Errorf("the shape of the data is %q, not a number: this database is not parley's", text)
	}
	if reached > known {
		return 0, fmt.Errorf("shape %d, known up to %d: %w", reached, known, ErrNewer)
	}
	return reached, nil
}

// lock is held by one node. It runs out by itself when the node dies.
type lock struct {
	rdb   redis.UniversalClient
	token string
}

// acquire waits until the lock is free or ctx ends.
func acquire(ctx context.Context, rdb redis.UniversalClient) (*lock, error) {
	l := &lock{rdb: rdb, token: rand.Text()}
	retry := time.NewTicker(100 * time.Millisecond)
	defer retry.Stop()
	for {
		free, err := l.try(ctx)
		if err != nil {
			return nil, fmt.Errorf("lock the shape of the data: %w", err)
		}
		if free {
			return l, nil
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("another node is changing the shape of the data: %w", ctx.Err())
		}
	}
}

// try takes the lock if it is free. It has a time limit of its own, so that an end of ctx is told
// from a Redis that does not answer.
func (l *lock) try(ctx context.Context) (free bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTime)
	defer cancel()
	return l.rdb.SetNX(ctx, retention.SchemaLock.Key(), l.token, retention.SchemaLock.TTL()).Result()
}

// apply runs the steps that are missing. Another node may have done some while this one waited.
func (l *lock) apply(ctx context.Context, steps []Step, log *slog.Logger) error {
	reached, err := version(ctx, l.rdb, len(steps))
	if err != nil {
		return err
	}
	for _, step := range steps[reached:] {
		if err := l.step(ctx, step); err != nil {
			return fmt.Errorf("step %d, %s: %w", step.Number, step.Name, err)
		}
		log.LogAttrs(ctx, slog.LevelInfo, "the stored data has a new shape",
			slog.Int("version", step.Number), slog.String("step", step.Name))
	}
	return nil
}

// step runs one step while it keeps the lock, and records it if the lock was held throughout.
func (l *lock) step(ctx context.Context, step Step) error {
	ctx, stop := context.WithCancelCause(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		l.keep(ctx, stop)
	}()
	err := step.Run(ctx, l.rdb)
	cause := context.Cause(ctx)
	stop(nil)
	<-kept
	if err := errors.Join(err, cause); err != nil {
		return err
	}
	return l.reach(context.WithoutCancel(ctx), step.Number)
}

// errLost says that the lock ran out, so that another node may be at work.
var errLost = errors.New("the lock was lost: start again")

// keep renews the lock until ctx ends; it ends ctx when the lock is lost.
func (l *lock) keep(ctx context.Context, stop context.CancelCauseFunc) {
	beat := time.NewTicker(retention.SchemaLock.TTL() / 6)
	defer beat.Stop()
	keep := redis.NewScript(keepLua)
	for {
		select {
		case <-beat.C:
			held, err := keep.Run(ctx, l.rdb, []string{retention.SchemaLock.Key()}, l.token,
				retention.SchemaLock.TTL().Milliseconds()).Bool()
			if err == nil && !held {
				stop(errLost)
			}
		case <-ctx.Done():
			return
		}
	}
}

// reach records a version, unless the lock was lost.
func (l *lock) reach(ctx context.Context, number int) error {
	keys := []string{retention.SchemaLock.Key(), retention.Schema.Key()}
	held, err := redis.NewScript(reachLua).Run(ctx, l.rdb, keys, l.token, number, time.Now().Unix()).Bool()
	switch {
	case err != nil:
		return fmt.Errorf("record the version: %w", err)
	case !held:
		return errLost
	}
	return nil
}

// release frees the lock if it is still ours; it is not an error if it ran out.
func (l *lock) release(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	return redis.NewScript(releaseLua).Run(ctx, l.rdb, []string{retention.SchemaLock.Key()}, l.token).Err()
}
