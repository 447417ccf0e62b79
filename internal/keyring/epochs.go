package keyring

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"sync"
	"time"
)

const (
	// tendEvery is how often the file is read again and tended.
	tendEvery = time.Minute
	// lateAfter is how long after it was due a key may be there before the log complains.
	lateAfter = time.Hour
)

// Epochs holds the weekly keys under which reports are kept. They are made ahead of time, and each
// is destroyed [KeptFor] after its week, whereupon all that was named under it is noise, in every
// copy of the database. What cannot be promised is that nobody made a copy of the file meanwhile,
// and that the medium forgets: the old bytes are overwritten in place before the file is gone,
// which a journal, a snapshot or the wear levelling of a flash disk may undo. Memory that held a
// key is left to the garbage collector.
//
// All nodes of an installation need the same keys. They share the file; one that may not write it
// (mode 0400) only reads it again each minute, and someone else has to bring new keys. Safe for
// concurrent use.
type Epochs struct {
	file string // empty: kept in memory only
	log  *slog.Logger

	mu   sync.Mutex // guards the following
	keys Live
	said string // what the log was told last
}

// NewEpochs returns keys that live as long as the process, for tests and for a trial that keeps no
// state.
func NewEpochs() *Epochs { return &Epochs{log: slog.New(slog.DiscardHandler)} }

// LoadEpochs reads the keys from file, and makes the file (mode 0600) or its missing keys. It
// refuses a file that others may read.
func LoadEpochs(file string, now time.Time, log *slog.Logger) (*Epochs, error) {
	e := &Epochs{file: file, log: log}
	return e, e.Tend(now)
}

// ReadEpochs returns the keys in file as they are, those that are due too, and changes nothing.
func ReadEpochs(file string, now time.Time) (Live, error) {
	keys, _, err := readEpochs(file, now)
	return keys, err
}

// Live returns the keys that count at now.
func (e *Epochs) Live(now time.Time) Live {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.file == "" {
		e.keys = e.keys.tend(now)
	}
	return e.keys.at(now)
}

// Tend brings file and memory to what they should be at now: new keys are made, those due
// destroyed. Another process may do the same at the same time.
func (e *Epochs) Tend(now time.Time) error {
	if e.file == "" {
		e.Live(now)
		return nil
	}
	keys, err := tendFile(e.file, now)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.keys = keys
	return nil
}

// Run tends the keys until ctx ends. It tells changed of other keys than before.
func (e *Epochs) Run(ctx context.Context, changed func(context.Context, Live)) error {
	tick := time.NewTicker(tendEvery)
	defer tick.Stop()
	before := e.Live(time.Now())
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case now := <-tick.C:
			e.report(ctx, now, e.Tend(now))
			if keys := e.Live(now); !keys.same(before) {
				before = keys
				changed(ctx, keys)
			}
		}
	}
}

// report tells the log, once for each time that something goes wrong, what an operator must do.
func (e *Epochs) report(ctx context.Context, now time.Time, err error) {
	says := e.fault(now, err)
	e.mu.Lock()
	told := e.said
	e.said = says
	e.mu.Unlock()
	if says == "" || says == told {
		return
	}
	e.log.LogAttrs(ctx, slog.LevelError, "the epoch keys need you", slog.String("says", says))
}

// fault says what is wrong, in words without a path; empty if nothing.
func (e *Epochs) fault(now time.Time, err error) string {
	e.mu.Lock()
	keys := e.keys
	e.mu.Unlock()
	switch current, there := keys.Current(now); {
	case len(keys) > 0 && now.Sub(keys[len(keys)-1].Due()) > lateAfter:
		return "a key that should be destroyed is still in the file: run parley keys rotate where it can be written, and remove all copies of the old file"
	case !there:
		return "there is no key at all: reports cannot be kept"
	case current.Week != WeekOf(now):
		return "there is no key for this week: run parley keys rotate where the file can be written, and bring it to all nodes"
	case errors.Is(err, fs.ErrNotExist):
		return "the file is gone: this node goes on with what it had read"
	case errors.Is(err, errFuture):
		return errFuture.Error()
	case err != nil:
		return "the file cannot be read or written: this node goes on with what it had read"
	}
	return ""
}
