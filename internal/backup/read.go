package backup

import (
	"bufio"
	"bytes"
	"cmp"
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

	"parley/retention"
)

// Errors that callers tell apart.
var (
	// ErrNewer says that a newer parley wrote the file.
	ErrNewer = errors.New("restore it with the newer parley that wrote it")
	// ErrCut says that the end of the file is missing.
	ErrCut = errors.New("it is cut off: its last line is missing")
	// ErrChanged says that the file is not what was written.
	ErrChanged = errors.New("it was changed or damaged")
	// ErrForeign says that the file is whole, and holds what this parley does not write.
	ErrForeign = errors.New("restore it with the parley that wrote it, for this one writes no such thing")
	// ErrNoBackup says that the file is none of ours.
	ErrNoBackup = errors.New("it is not a backup of parley")
	// ErrUsed says that the database holds something already.
	ErrUsed = errors.New("the database is not empty")
	// ErrRunning says that parley is at work on the database.
	ErrRunning = errors.New("parley is running on this database: stop every node first")
	// ErrKeys says that the data in the database was made with another key file than the backup.
	ErrKeys = errors.New("the data in the database was made with another key file than the backup: merge it where that key file is in use, or restore it into an empty database")
	// ErrNoShape says that the database has records and does not say of which shape.
	ErrNoShape = errors.New("the database has records of parley and does not say of which shape: restore into an empty database")
	// ErrShape says that the database has data of another shape than the backup.
	ErrShape = errors.New("only data of one shape can be merged: restore the backup into an empty database, by which it gets today's shape, save that, and merge what you saved; " +
		"if it is the database that is older, start parley on it once; if it is newer than this parley, do all of it with the newer one")
)

// File is a backup that was read once and found whole.
type File struct {
	Head    Head
	Records int
	Devices int              // of these, records about devices
	Weeks   map[int64]string // fingerprints of the weekly keys that these were made under
	from    io.ReadSeeker
	newest  int // shape that may be restored
}

// longest is how long a line may be.
const longest = 4 << 20

// Open reads a whole file and refuses one that is not as it was written, or of a shape above newest.
func Open(from io.ReadSeeker, newest int) (*File, error) {
	f := &File{from: from, newest: newest, Weeks: map[int64]string{}}
	var foreign error // told only of a file that is whole: what is damaged is strange for another reason
	err := f.each(func(r record) error {
		f.note(r)
		if foreign == nil {
			foreign = r.check(f.Head.Made)
		}
		return nil
	})
	if err = cmp.Or(err, foreign); err != nil {
		return nil, err
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
		return fmt.Errorf("it holds a key that is not to be carried: %w", ErrForeign)
	case (it.Kind == "string") != (r.Fields == nil):
		return fmt.Errorf("%s is of another type: %w", className(r.Key), ErrForeign)
	case (it.TTL == 0) != (r.Expires == 0) || it.TTL > 0 && time.UnixMilli(r.Expires).Sub(made) > it.TTL+time.Minute:
		return fmt.Errorf("%s would live for longer than any may: %w", className(r.Key), ErrForeign)
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
	switch { // before a record of it is read, which a newer parley may write otherwise
	case f.Head.Format > format:
		return fmt.Errorf("its format is %d, known up to %d: %w", f.Head.Format, format, ErrNewer)
	case f.Head.Shape > f.newest:
		return fmt.Errorf("its data has shape %d, known up to %d: %w", f.Head.Shape, f.newest, ErrNewer)
	}
	return nil
}

func (f *File) readFoot(lines *bufio.Scanner, sum hash.Hash) error {
	var last foot
	if err := json.Unmarshal(lines.Bytes(), &last); err != nil {
		return ErrCut
	}
	if last.SHA256 != hex.EncodeToString(sum.Sum(nil)) || last.Records != f.Records || lines.Scan() {
		return fmt.Errorf("%w: its sum is another than its last line says", ErrChanged)
	}
	return nil
}
