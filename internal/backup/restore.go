package backup

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/retention"
)

// Restored is what came of a restore.
type Restored struct {
	Records int // that are in the database now
	Expired int // whose time was over
	Kept    int // that were in the database already, and stay as they are there
	Known   int // left out, for the database has a record of the same device
}

// Restore brings the records into rdb. A database that is not empty is refused, unless they are to be
// merged: then what is there stays, and only what is not there is added, because what a database says
// of a device now is newer than what the file says. Of a device of which it has a record, or the mark
// that its token was given up, nothing is added: what is missing there was taken away since.
// An interrupted restore is completed by merging the same file.
// Errors: [ErrUsed], [ErrRunning], [ErrKeys], [ErrShape] and [ErrNoShape], before anything is
// written; or Redis's.
func (f *File) Restore(ctx context.Context, rdb redis.UniversalClient, merge bool, now time.Time) (Restored, error) {
	r := restoring{file: f, rdb: rdb, now: now, known: map[string]struct{}{}}
	keys, err := rdb.DBSize(ctx).Result()
	switch {
	case err != nil:
		return r.done, fmt.Errorf("look whether the database is empty: %w", err)
	case keys > 0 && !merge:
		return r.done, ErrUsed
	}
	if err := idle(ctx, rdb, now); err != nil {
		return r.done, err
	}
	if err := r.fits(ctx); err != nil {
		return r.done, err
	}
	// What is known of the data comes first and what is known of devices last, so that a database in
	// which half was restored can be merged with the rest: a device with a record has all its reports.
	for _, part := range []func(retention.Class) bool{
		func(c retention.Class) bool { return c == retention.Schema },
		func(c retention.Class) bool { return c != retention.Schema && c != retention.Record },
		func(c retention.Class) bool { return c == retention.Record },
	} {
		if err := r.bring(ctx, part); err != nil {
			return r.done, err
		}
	}
	return r.done, nil
}

// restoring is one restore.
type restoring struct {
	file  *File
	rdb   redis.UniversalClient
	now   time.Time
	known map[string]struct{} // devices of which the database had a record before
	done  Restored
}

// fits makes sure that what the database holds can be read with what the file brings, and takes in of
// which devices it has a record.
func (r *restoring) fits(ctx context.Context) error {
	keys, err := retention.CarriedKeys(ctx, r.rdb, retention.CountPace)
	if err != nil || len(keys) == 0 {
		return err
	}
	has, err := headOf(ctx, r.rdb, r.now)
	switch {
	case errors.Is(err, ErrEmpty):
		return ErrNoShape
	case err != nil:
		return err
	case has.Mark != "" && has.Mark != r.file.Head.Mark: // an operator may have removed the mark
		return ErrKeys
	case has.Shape != r.file.Head.Shape:
		return fmt.Errorf("the database has data of shape %d, and the backup of shape %d: %w", has.Shape, r.file.Head.Shape, ErrShape)
	}
	for _, key := range keys {
		if class, _ := retention.ClassOf(key); class == retention.Record {
			r.known[deviceOf(key)] = struct{}{}
		}
	}
	return nil
}

// deviceOf is the name under which a report or a record lies; "" for the key of anything else.
func deviceOf(key string) string {
	class, _ := retention.ClassOf(key)
	if class != retention.Report && class != retention.Record {
		return ""
	}
	before, _, _ := strings.Cut(class.Format(), "%s")
	name, _, _ := strings.Cut(strings.TrimPrefix(key, before), ":")
	return name
}

// bring reads the file and writes the records of some classes.
func (r *restoring) bring(ctx context.Context, part func(retention.Class) bool) error {
	var batch []record
	err := r.file.each(func(one record) error {
		if class, _ := retention.ClassOf(one.Key); !part(class) || r.over(one) {
			return nil
		}
		if batch = append(batch, one); len(batch) < atOnce {
			return nil
		}
		err := r.put(ctx, batch)
		batch = batch[:0]
		return err
	})
	if err != nil {
		return err
	}
	return r.put(ctx, batch)
}

// over tells whether a record is not to be restored, and counts it.
func (r *restoring) over(one record) bool {
	_, known := r.known[deviceOf(one.Key)]
	switch {
	case one.Expires != 0 && one.Expires <= r.now.UnixMilli():
		r.done.Expired++
	case known:
		r.done.Known++
	default:
		return false
	}
	return true
}

// idle makes sure that no node is alive.
func idle(ctx context.Context, rdb redis.UniversalClient, now time.Time) error {
	leases, err := rdb.HGetAll(ctx, retention.Lease.Key()).Result()
	if err != nil {
		return fmt.Errorf("look for nodes that run: %w", err)
	}
	for _, until := range leases {
		if ms, err := strconv.ParseInt(until, 10, 64); err == nil && ms > now.UnixMilli() {
			return ErrRunning
		}
	}
	return nil
}

// put writes some records, each with its expiry or not at all. What is there already stays.
func (r *restoring) put(ctx context.Context, batch []record) error {
	texts, asked := r.rdb.Pipeline(), []*redis.Cmd(nil)
	for _, one := range batch {
		if one.Fields == nil {
			asked = append(asked, texts.Do(ctx, "set", one.Key, one.Text, "nx", "pxat", one.Expires))
			continue
		}
		put, err := putHash(ctx, r.rdb, one)
		if err != nil {
			return fmt.Errorf("write %s: %w", className(one.Key), err)
		}
		if put {
			r.done.Records++
		} else {
			r.done.Kept++
		}
	}
	if len(asked) == 0 {
		return nil
	}
	_, _ = texts.Exec(ctx) // each command has its own error
	for _, one := range asked {
		switch err := one.Err(); {
		case err == nil:
			r.done.Records++
		case errors.Is(err, redis.Nil): // it is there
			r.done.Kept++
		default:
			return fmt.Errorf("write records: %w", err)
		}
	}
	return nil
}

// putHash writes a hash in one step, unless it is there.
func putHash(ctx context.Context, rdb redis.UniversalClient, r record) (put bool, err error) {
	if n, err := rdb.Exists(ctx, r.Key).Result(); err != nil || n > 0 {
		return false, err
	}
	_, err = rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
		for name, value := range r.Fields {
			p.HSet(ctx, r.Key, name, value)
		}
		if r.Expires != 0 {
			p.PExpireAt(ctx, r.Key, time.UnixMilli(r.Expires))
		}
		return nil
	})
	return err == nil, err
}
