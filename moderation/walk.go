package moderation

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"parley/moderation/score"
	"parley/retention"
)

// Held is one record as it lies in the store, for operators. It names nobody: only who has the keys
// can tell whether it is that of a device at hand.
type Held struct {
	Name   string // the keyed hash in its key
	Digest bool   // it is about what browsers of one kind have in common, which many devices share
	score.Record
}

func (s *stored) held() Held { return Held{Name: s.mark, Digest: s.kind == ofDigest, Record: s.Record} }

// Records returns every record. Error: [ErrUnavailable].
func (d *Desk) Records(ctx context.Context) ([]Held, error) {
	var all []Held
	err := d.walk(ctx, func(s *stored) { all = append(all, s.held()) })
	return all, err
}

const (
	// walkBy is how many records are read in one step.
	walkBy = 250
	// scanned is how many keys are looked at in one step.
	scanned = 5000
)

// walk calls visit once for every record.
func (d *Desk) walk(ctx context.Context, visit func(*stored)) error {
	node, err := d.nodeOf(ctx, retention.Record.Key("any"))
	if err != nil {
		return unavailable("find records", err)
	}
	batches := make(chan []place, 4)
	var failed error
	var scan sync.WaitGroup
	ctx, stop := context.WithCancel(ctx)
	defer scan.Wait()
	defer stop()
	scan.Go(func() {
		defer close(batches)
		failed = scanRecords(ctx, node, batches)
	})
	for places := range batches {
		found, err := d.fetch(ctx, node, places)
		if err != nil {
			return unavailable("read records", err)
		}
		for _, s := range found {
			visit(s)
		}
	}
	if failed != nil {
		return unavailable("find records", failed)
	}
	return nil
}

// scanRecords sends the places of all records to batches, each once: a scan may come to a key twice.
func scanRecords(ctx context.Context, node *redis.Client, batches chan<- []place) error {
	before, after, _ := strings.Cut(retention.Record.Format(), "%s")
	seen := map[string]bool{}
	return each(ctx, node, before+"*"+after, func(some []string) bool {
		places := make([]place, 0, len(some))
		for _, key := range some {
			if mark := key[len(before) : len(key)-len(after)]; !seen[mark] {
				seen[mark] = true
				places = append(places, place{mark: mark})
			}
		}
		if len(places) == 0 {
			return true
		}
		select {
		case batches <- places:
			return true
		case <-ctx.Done():
			return false
		}
	})
}

// each calls visit with the keys of a pattern, some at a time, until it answers false.
func each(ctx context.Context, node *redis.Client, pattern string, visit func([]string) bool) error {
	var some []string
	for cursor, first := uint64(0), true; first || cursor != 0; first = false {
		keys, next, err := node.Scan(ctx, cursor, pattern, scanned).Result()
		if err != nil {
			return err
		}
		cursor = next
		for some = append(some, keys...); len(some) >= walkBy; some = some[walkBy:] {
			if !visit(some[:walkBy:walkBy]) {
				return ctx.Err()
			}
		}
	}
	if len(some) > 0 {
		visit(some)
	}
	return ctx.Err()
}

// readPlaces reads records by their names alone.
func (d *Desk) readPlaces(ctx context.Context, rdb redis.Scripter, places []place) ([]*stored, error) {
	sights, err := d.read(ctx, rdb, []question{{person: &person{places: places}}})
	if err != nil {
		return nil, err
	}
	return sights[0].all(), nil
}

// Rewrite lets change alter one record, named as in [Held], and keeps it when change answers true.
// A record that is gone is no error; one that is left without reports is deleted. Change may be
// called several times. Error: [ErrUnavailable].
func (d *Desk) Rewrite(ctx context.Context, name string, change func(*score.Record) bool) error {
	for range attempts {
		found, err := d.readPlaces(ctx, d.rdb, []place{{mark: name}})
		if err != nil {
			return unavailable("read record", err)
		}
		if len(found) == 0 || !change(&found[0].Record) {
			return nil
		}
		c, s := newChange(*d.policy.Load(), time.Now()), found[0]
		if len(s.Events) > 0 {
			c.touch(s)
		} else {
			c.drop(s)
			c.rest(s)
		}
		switch done, err := d.apply(ctx, d.rdb, c); {
		case err != nil:
			return unavailable("change record", err)
		case done:
			return nil
		}
	}
	return unavailable("change record", fmt.Errorf("%w: %d times", errBusy, attempts))
}
