package office

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// lockTurn is how long to wait before a locked trail is tried again.
const lockTurn = 20 * time.Millisecond

// Trail is the file of what operators did: JSON lines, each with the hash of the one before. Any
// number of processes may write one file; the lock of the file puts them in order.
type Trail struct{ path string }

// NewTrail returns the trail in the file of that path, which is made by the first act.
func NewTrail(path string) *Trail { return &Trail{path} }

// Path returns where the trail is.
func (t *Trail) Path() string { return t.path }

// Read returns all lines. The error is a [Break] if some are not what was written.
func (t *Trail) Read() ([]Line, error) {
	text, err := t.text()
	if err != nil {
		return nil, err
	}
	all, err := readTrail(text)
	return all.lines, err
}

// Verify checks every line, and that the trail holds the line that Redis remembers. It returns the
// last whole line; the error is a [Break] that names the first that is not.
func (t *Trail) Verify(a Anchor) (Anchor, error) {
	text, err := t.text()
	if err != nil {
		return Anchor{}, err
	}
	all, err := readTrail(text)
	if err != nil {
		return all.head, err
	}
	if err := all.holds(a); err != nil {
		return all.head, err
	}
	if all.torn > 0 {
		return all.head, &Break{Line: len(all.lines) + 1, Says: "is unfinished: the program stopped while it wrote; what it announces has not happened, and the next act removes it"}
	}
	return all.head, nil
}

// text reads the file; there is none before the first act.
func (t *Trail) text() ([]byte, error) {
	text, err := os.ReadFile(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

// locked is a trail that nobody else writes to.
type locked struct {
	file    *os.File
	release func()
	trail   trailText
}

// lock opens the trail for writing and waits for whoever has it. Who waited for a file that was set
// aside meanwhile takes the one in its place.
func (t *Trail) lock(ctx context.Context) (*locked, error) {
	if err := os.MkdirAll(filepath.Dir(t.path), 0o700); err != nil {
		return nil, fmt.Errorf("audit trail: %w", err)
	}
	for {
		l, err := t.open(ctx)
		if err != nil {
			return nil, err
		}
		if !t.is(l.file) {
			l.close()
			continue
		}
		if err := l.read(t.path); err != nil {
			l.close()
			return nil, err
		}
		return l, nil
	}
}

func (t *Trail) open(ctx context.Context) (*locked, error) {
	file, err := os.OpenFile(t.path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("audit trail: %w", err)
	}
	l := &locked{file: file}
	if l.release, err = lockFile(ctx, file); err != nil {
		_ = file.Close() // nothing was written
		return nil, fmt.Errorf("audit trail %s is held by another process: %w", t.path, err)
	}
	return l, nil
}

// is tells whether a file that was opened is the trail still.
func (t *Trail) is(file *os.File) bool {
	opened, err := file.Stat()
	if err != nil {
		return true // reading it fails too, and says why
	}
	now, err := os.Stat(t.path)
	return err == nil && os.SameFile(opened, now)
}

func (l *locked) read(path string) error {
	info, err := l.file.Stat()
	if err != nil {
		return fmt.Errorf("audit trail: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("audit trail %s is open to other users (mode %o): chmod 600 it", path, info.Mode().Perm())
	}
	text, err := io.ReadAll(l.file)
	if err != nil {
		return fmt.Errorf("audit trail: %w", err)
	}
	if l.trail, err = readTrail(text); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrTrail, path, err)
	}
	return nil
}

// append writes one line and returns when it is on the disk.
func (l *locked) append(e Entry) (Anchor, error) {
	if l.trail.torn > 0 {
		info, err := l.file.Stat()
		if err != nil {
			return Anchor{}, fmt.Errorf("audit trail: %w", err)
		}
		if err := l.file.Truncate(info.Size() - int64(l.trail.torn)); err != nil {
			return Anchor{}, fmt.Errorf("audit trail: %w", err)
		}
		e.Cut, l.trail.torn = l.trail.torn, 0
	}
	line, text, err := chain(l.trail.head, e)
	if err != nil {
		return Anchor{}, err
	}
	if _, err := l.file.Write(text); err != nil {
		return Anchor{}, fmt.Errorf("audit trail: %w", err)
	}
	if err := l.file.Sync(); err != nil {
		return Anchor{}, fmt.Errorf("audit trail: %w", err)
	}
	l.trail.head = Anchor{line.Seq, line.Hash}
	l.trail.lines = append(l.trail.lines, line)
	return l.trail.head, nil
}

// close gives the lock back. All that was written is on the disk already.
func (l *locked) close() {
	l.release()
	_ = l.file.Close()
}

// Record is [Office.Record] where Redis cannot be asked: in the shell, while the store is embedded
// in the running parley. Redis hears of the line with the next act.
func (t *Trail) Record(ctx context.Context, e Entry, then func(context.Context) error) error {
	var err error
	if e.Reason, err = checkReason(e.Reason); err != nil {
		return err
	}
	l, err := t.lock(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	if _, err := l.append(e); err != nil {
		return err
	}
	if err := then(ctx); err != nil {
		_, wrong := l.append(failure(l.trail.head.Seq, e, err.Error()))
		return errors.Join(err, wrong)
	}
	return nil
}

// Last returns at most n lines, the newest first.
func (t *Trail) Last(n int) ([]Line, error) {
	lines, err := t.Read()
	lines = slices.Clone(lines[max(0, len(lines)-n):])
	slices.Reverse(lines)
	return lines, err
}

// setAside renames a trail that cannot go on, and returns its new name; "" if there was none.
func (t *Trail) setAside(now time.Time) (string, error) {
	aside := t.path + ".until-" + now.UTC().Format("20060102T150405Z")
	if _, err := os.Lstat(aside); err == nil {
		return "", fmt.Errorf("%s is there already: try again in a second", aside)
	}
	err := os.Rename(t.path, aside)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return aside, err
}
