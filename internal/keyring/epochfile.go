package keyring

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// epochHead is the first line of the file; each further one is "week key", the oldest first.
const epochHead = "parley epoch keys 1"

// errFuture says that the file is ahead of the clock.
var errFuture = errors.New("the epoch keys are of weeks to come: the clock of this machine is wrong, or was when they were made")

// tendFile reads the keys from file and rewrites it if they are not what they should be. A file
// that is for reading only is left alone.
func tendFile(file string, now time.Time) (Live, error) {
	keys, writable, err := readEpochs(file, now)
	if err != nil || !writable || keys.same(keys.tend(now)) {
		return keys, err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return keys, fmt.Errorf("folder of the epoch keys: %w", err)
	}
	unlock, err := lockFile(file + ".lock")
	if err != nil {
		return keys, fmt.Errorf("lock the epoch keys: %w", err)
	}
	defer unlock()
	if keys, writable, err = readEpochs(file, now); err != nil || !writable { // another process may have been faster
		return keys, err
	}
	next := keys.tend(now)
	if keys.same(next) {
		return keys, nil
	}
	if err := replace(file, next); err != nil {
		return keys, fmt.Errorf("write the epoch keys: %w", err)
	}
	return next, nil
}

// readEpochs reads the file; one that does not exist holds nothing and may be written.
func readEpochs(file string, now time.Time) (keys Live, writable bool, err error) {
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("epoch keys: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, false, fmt.Errorf("the epoch keys in %s are open to other users (mode %o): chmod 600 it", file, info.Mode().Perm())
	}
	text, err := os.ReadFile(file) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, false, fmt.Errorf("epoch keys: %w", err)
	}
	if keys, err = parseEpochs(text); err != nil {
		// Another process may have put a new file in place and wiped this one while it was read.
		if text, again := os.ReadFile(file); again == nil { //nolint:gosec // as above
			keys, err = parseEpochs(text)
		}
	}
	if err != nil {
		return nil, false, fmt.Errorf("the epoch keys in %s are not readable (%w): restore the file", file, err)
	}
	if len(keys) > 0 && keys[0].Week > WeekOf(now)+1 {
		return keys, false, errFuture
	}
	return keys, info.Mode().Perm()&0o200 != 0, nil
}

func parseEpochs(text []byte) (Live, error) {
	lines := bufio.NewScanner(bytes.NewReader(text))
	if !lines.Scan() || lines.Text() != epochHead {
		return nil, errors.New("the first line is wrong")
	}
	var keys Live
	for lines.Scan() {
		number, digits, _ := strings.Cut(lines.Text(), " ")
		week, err := strconv.ParseInt(number, 10, 32)
		key, wrong := hex.DecodeString(digits)
		if err != nil || wrong != nil || len(key) != rootSize {
			return nil, fmt.Errorf("line %d", len(keys)+2)
		}
		if len(keys) > 0 && keys[len(keys)-1].Week >= week {
			return nil, fmt.Errorf("line %d is out of order", len(keys)+2)
		}
		keys = append(keys, epochOf(week, key))
	}
	slices.Reverse(keys)
	return keys, lines.Err()
}

// replace puts a new file in the place of the old one, whose bytes are then overwritten. Nobody
// ever reads half a file.
func replace(file string, keys Live) error {
	var text bytes.Buffer
	fmt.Fprintln(&text, epochHead)
	for _, e := range slices.Backward(keys) {
		fmt.Fprintf(&text, "%d %s\n", e.Week, hex.EncodeToString(e.key))
	}
	dir := filepath.Dir(file)
	aside, err := os.CreateTemp(dir, ".epochs-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(aside.Name()) }() // gone already when it was renamed
	_, err = aside.Write(text.Bytes())
	if err := errors.Join(err, aside.Sync(), aside.Close()); err != nil {
		return err
	}
	old, err := os.OpenFile(file, os.O_RDWR, 0) //nolint:gosec // the operator names the file
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Rename(aside.Name(), file); err != nil {
		return errors.Join(err, closeIf(old))
	}
	return errors.Join(wipe(old), syncDir(dir))
}

// wipe overwrites what an open file holds, so that on a plain file system the old keys are gone
// from the disk.
func wipe(old *os.File) error {
	if old == nil {
		return nil
	}
	size, err := old.Seek(0, io.SeekEnd)
	if err != nil {
		return errors.Join(err, old.Close())
	}
	_, err = old.WriteAt(make([]byte, size), 0)
	return errors.Join(err, old.Sync(), old.Close())
}

func closeIf(f *os.File) error {
	if f == nil {
		return nil
	}
	return f.Close()
}

// syncDir makes a rename last.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the operator names the folder
	if err != nil {
		return err
	}
	_ = d.Sync() // some file systems cannot
	return d.Close()
}
