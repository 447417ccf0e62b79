package backup

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/redis/go-redis/v9"

	"parley/retention"
)

// Errors that callers tell apart.
var (
	// ErrNewer says that a newer parley wrote the file.
	ErrNewer = errors.New("it was written by a newer parley: restore it with that one")
	// ErrCut says that the end of the file is missing.
	ErrCut = errors.New("it is cut off: its last line is missing")
	// ErrChanged says that the file is not what was written.
	ErrChanged = errors.New("it was changed or damaged: its sum is another than its last line says")
	// ErrNoBackup says that the file is none of ours.
	ErrNoBackup = errors.New("it is not a backup of parley")
	// ErrUsed says that the database holds something already.
	ErrUsed = errors.New("the database is not empty")
	// ErrRunning says that parley is at work on the database.
	ErrRunning = errors.New("parley is running on this database: stop every node first")
)

// File is a backup that was read once and found whole.
type File struct {
	Head    Head
	Records int
	Devices int              // of these, records about devices
	Weeks   map[int64]string // fingerprints of the weekly keys that these were made under
	from    io.ReadSeeker
}

// longest is how long a line may be.
const longest = 4 << 20

// Open reads a whole file and refuses one that is not as it was written, or of a shape above newest.
func Open(from io.ReadSeeker, newest int) (*File, error) {
	f := &File{from: from, Weeks: map[int64]string{}}
	err := f.each(func(r record) error {
		f.note(r)
		return r.check(f.Head.Made)
	})
	switch {
	case err != nil:
		return nil, err
	case f.Head.Shape > newest:
		return nil, fmt.Errorf("its data has shape %d, known up to %d: %w", f.Head.Shape, newest, ErrNewer)
	}
	return f, nil
}

// note counts records about devices, and takes in the weekly keys.
func (f *File) note(r record) {
	if it, _ := retention.Lookup(r.Key); it.Class == retention.Report || it.Class == retention.Record {
		f.Devices++
	}
	if r.Key != retention.Schema.Key() {
		return
	}
	for name, value := range r.Fields {
		digits, is := strings.CutPrefix(name, "week:")
		if week, err := strconv.ParseInt(digits, 10, 64); is && err == nil {
			f.Weeks[week] = string(value)
		}
	}
}

// check refuses what parley would not have written.
func (r *record) check(made time.Time) error {
	it, known := retention.Lookup(r.Key)
	switch {
	case !known || !it.Carried:
		return fmt.Errorf("%w: it holds a key that is not to be carried", ErrChanged)
	case (it.Kind == "string") != (r.Fields == nil):
		return fmt.Errorf("%w: %s is of another type", ErrChanged, className(r.Key))
	case (it.TTL == 0) != (r.Expires == 0) || it.TTL > 0 && time.UnixMilli(r.Expires).Sub(made) > it.TTL+time.Minute:
		return fmt.Errorf("%w: %s would live for longer than any may", ErrChanged, className(r.Key))
	}
	return nil
}

// each reads the file from its beginning to its end, and calls see for each record. Whether the file
// is whole is known only when it returns.
func (f *File) each(see func(record) error) error {
	if _, err := f.from.Seek(0, io.SeekStart); err != nil {
		return err
	}
	lines := bufio.NewScanner(f.from)
	lines.Buffer(make([]byte, 64<<10), longest)
	if err := f.readHead(lines); err != nil {
		return err
	}
	sum := sha256.New()
	f.add(sum, lines.Bytes())
	f.Records = 0
	for lines.Scan() {
		if bytes.HasPrefix(lines.Bytes(), []byte(`{"records":`)) {
			return f.readFoot(lines, sum)
		}
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r, json.RejectUnknownMembers(true)); err != nil {
			return ifWhole(lines, fmt.Errorf("%w: line %d cannot be read", ErrChanged, f.Records+2))
		}
		f.add(sum, lines.Bytes())
		f.Records++
		if err := see(r); err != nil {
			return err
		}
	}
	return errors.Join(ErrCut, lines.Err())
}

// ifWhole tells a line that is damaged from one that is the last and lost its end.
func ifWhole(lines *bufio.Scanner, damaged error) error {
	if !lines.Scan() {
		return ErrCut
	}
	return damaged
}

func (f *File) add(sum hash.Hash, line []byte) {
	sum.Write(line) // never fails
	sum.Write([]byte{'\n'})
}

func (f *File) readHead(lines *bufio.Scanner) error {
	if !lines.Scan() {
		return errors.Join(ErrNoBackup, lines.Err())
	}
	f.Head = Head{}
	if err := json.Unmarshal(lines.Bytes(), &f.Head); err != nil || f.Head.Parley != "backup" {
		return ErrNoBackup
	}
	if f.Head.Format > format {
		return fmt.Errorf("its format is %d, known up to %d: %w", f.Head.Format, format, ErrNewer)
	}
	return nil
}

func (f *File) readFoot(lines *bufio.Scanner, sum hash.Hash) error {
	var last foot
	if err := json.Unmarshal(lines.Bytes(), &last); err != nil {
		return ErrCut
	}
	if last.SHA256 != hex.EncodeToString(sum.Sum(nil)) || last.Records != f.Records || lines.Scan() {
		return ErrChanged
	}
	return nil
}

// Restored is what came of a restore.
type Restored struct {
	Records int // that are in the database now
	Expired int // whose time was over
	Kept    int // that were in the database already, and stay as they are there
}

// Restore brings the records into rdb. A database that is not empty is refused, unless they are to be
// merged: then what is there stays, and only what is not there is added, because what a database says
// of a device now is newer than what the file says. Errors: [ErrUsed], [ErrRunning], or Redis's.
func (f *File) Restore(ctx context.Context, rdb redis.UniversalClient, merge bool, now time.Time) (Restored, error) {
	var done Restored
	keys, err := rdb.DBSize(ctx).Result()
	switch {
	case err != nil:
		return done, fmt.Errorf("look whether the database is empty: %w", err)
	case keys > 0 && !merge:
		return done, ErrUsed
	}
	if err := idle(ctx, rdb, now); err != nil {
		return done, err
	}
	var batch []record
	put := func() error {
		err := f.put(ctx, rdb, batch, &done)
		batch = batch[:0]
		return err
	}
	err = f.each(func(r record) error {
		if r.Expires != 0 && r.Expires <= now.UnixMilli() {
			done.Expired++
			return nil
		}
		if batch = append(batch, r); len(batch) == atOnce {
			return put()
		}
		return nil
	})
	if err != nil {
		return done, err
	}
	return done, put()
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
func (f *File) put(ctx context.Context, rdb redis.UniversalClient, batch []record, done *Restored) error {
	texts, asked := rdb.Pipeline(), []*redis.Cmd(nil)
	for _, r := range batch {
		if r.Fields == nil {
			asked = append(asked, texts.Do(ctx, "set", r.Key, r.Text, "nx", "pxat", r.Expires))
			continue
		}
		put, err := putHash(ctx, rdb, r)
		if err != nil {
			return fmt.Errorf("restore %s: %w", className(r.Key), err)
		}
		done.count(put)
	}
	if len(asked) == 0 {
		return nil
	}
	_, _ = texts.Exec(ctx) // each command has its own error
	for _, one := range asked {
		if err := one.Err(); err != nil && !errors.Is(err, redis.Nil) {
			return fmt.Errorf("restore records: %w", err)
		}
		done.count(one.Err() == nil)
	}
	return nil
}

// count counts a record that was put, or was there already.
func (d *Restored) count(put bool) {
	if put {
		d.Records++
	} else {
		d.Kept++
	}
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
