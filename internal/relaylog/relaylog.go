// Package relaylog keeps what an operator may need who is asked about misuse of the relay: which
// network addresses had a relay, when, for how long, and how many bytes went through it. Nothing else
// of parley writes an address down, so this is off unless an operator turns it on.
//
// There is one file for each day (UTC), which only parley's user can read, and seven days of them:
// older ones are deleted by whoever opens the folder, at start, every hour, and before each reading,
// also when the log is turned off meanwhile. A record holds no user name, no call, no peer and no
// port; the time is the hour in which the relay began.
package relaylog

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json"

	"parley/retention"
)

// Record is one relay that has ended.
type Record struct {
	Hour     time.Time  `json:"hour"` // in which it began
	Seconds  int64      `json:"seconds"`
	Address  netip.Addr `json:"address"` // of the browser
	Way      string     `json:"way"`     // udp or stream
	Reaches  string     `json:"reaches"` // call, or everywhere
	Sent     int64      `json:"sent"`    // bytes from the browser
	Received int64      `json:"received"`
}

// waiting is how many records wait to be written: all relays may end at once. Those that come when it
// is full are lost, and counted.
const waiting = 8192

// sweepEvery is how often old files are looked for.
const sweepEvery = time.Hour

// tag keeps backup programs that know it from the folder (https://bford.info/cachedir/).
const tag = "Signature: 8a477f597d28d172789f06886806bc55\n# Network addresses that are to be gone after seven days: never back this folder up.\n"

// Log is an open relay log. Safe for concurrent use.
type Log struct {
	dir  string
	log  *slog.Logger
	in   chan Record
	lost atomic.Int64
	now  func() time.Time
}

// Open makes sure that the folder can be written to, and deletes what is too old there.
func Open(dir string, log *slog.Logger, now func() time.Time) (*Log, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("the folder cannot be made: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s is open to other users (mode %o): chmod 700 it", dir, info.Mode().Perm())
	}
	if err := os.WriteFile(filepath.Join(dir, "CACHEDIR.TAG"), []byte(tag), 0o600); err != nil {
		return nil, fmt.Errorf("the folder cannot be written to: %w", err)
	}
	if err := Sweep(dir, now()); err != nil {
		return nil, err
	}
	return &Log{dir: dir, log: log, in: make(chan Record, waiting), now: now}, nil
}

// Add queues a record, and never waits.
func (l *Log) Add(r Record) {
	r.Hour = r.Hour.UTC().Truncate(time.Hour)
	select {
	case l.in <- r:
	default:
		l.lost.Add(1)
	}
}

// Lost is how many records were not written.
func (l *Log) Lost() int64 { return l.lost.Load() }

// Run writes records and deletes old files until ctx ends; what is queued then is still written.
func (l *Log) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	said := ""
	for {
		select {
		case r := <-l.in:
			said = l.tell(ctx, said, l.write(r))
		case <-tick.C:
			said = l.tell(ctx, said, Sweep(l.dir, l.now()))
		case <-ctx.Done():
			for len(l.in) > 0 {
				said = l.tell(ctx, said, l.write(<-l.in))
			}
			if lost := l.Lost(); lost > 0 {
				l.log.LogAttrs(ctx, slog.LevelWarn, "records are missing in the relay log", slog.Int64("lost", lost))
			}
			return ctx.Err()
		}
	}
}

// tell complains of an error, once as long as it is the same. It returns what it complained of.
func (l *Log) tell(ctx context.Context, said string, err error) string {
	if err == nil {
		return ""
	}
	if err.Error() != said {
		l.log.LogAttrs(ctx, slog.LevelError, "the relay log cannot be kept; see to its folder (relay-log-dir)", slog.Any("error", err))
	}
	return err.Error()
}

func (l *Log) write(r Record) error {
	line, err := json.Marshal(r)
	if err != nil {
		l.lost.Add(1)
		return err
	}
	file, err := os.OpenFile(filepath.Join(l.dir, fileOf(l.now())), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		l.lost.Add(1)
		return err
	}
	_, err = file.Write(append(line, '\n'))
	if err = errors.Join(err, file.Close()); err != nil {
		l.lost.Add(1)
	}
	return err
}

// Names of the files.
const (
	before = "relays-"
	after  = ".jsonl"
	day    = 24 * time.Hour
)

func fileOf(now time.Time) string { return before + now.UTC().Format(time.DateOnly) + after }

// dayOf is the day of a file, and whether it is one of ours.
func dayOf(name string) (time.Time, bool) {
	middle, first := strings.CutPrefix(name, before)
	middle, second := strings.CutSuffix(middle, after)
	at, err := time.Parse(time.DateOnly, middle)
	return at, first && second && err == nil
}

// Sweep deletes the files of a folder whose days are over: nothing in them is ever older than
// [retention.RelayLogTime]. A folder that is not there needs none.
func Sweep(dir string, now time.Time) error {
	_, err := current(dir, now)
	return err
}

// current deletes what is too old and returns the names of the other files, the oldest first.
func current(dir string, now time.Time) (names []string, err error) {
	all, err := os.ReadDir(dir) // sorted
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		at, ours := dayOf(one.Name())
		switch {
		case !ours:
		case now.Before(at.Add(retention.RelayLogTime)) && at.Before(now.Add(day)):
			names = append(names, one.Name())
		default: // also of a day that has yet to come: a clock was wrong, and it would stay for long
			if gone := os.Remove(filepath.Join(dir, one.Name())); !errors.Is(gone, fs.ErrNotExist) { // who reads sweeps, too
				err = errors.Join(err, gone)
			}
		}
	}
	return names, err
}

// Read returns all records, the oldest file first, after deleting what is too old. A line that was cut
// off by a crash is left out.
func Read(dir string, now time.Time) ([]Record, error) {
	names, err := current(dir, now)
	if err != nil {
		return nil, err
	}
	var all []Record
	for _, name := range names {
		if all, err = readFile(filepath.Join(dir, name), all); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func readFile(path string, all []Record) ([]Record, error) {
	file, err := os.Open(path) //nolint:gosec // a file of the folder that the operator names
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // it was only read
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var r Record
		if json.Unmarshal(lines.Bytes(), &r) == nil {
			all = append(all, r)
		}
	}
	return all, lines.Err()
}
