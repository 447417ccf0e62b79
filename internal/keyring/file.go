package keyring

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Load reads the ring from file, 64 hexadecimal digits, and makes the file (mode 0600) with a
// random root when there is none. It refuses a file that others may read. Two processes that
// start at once end up with the same ring.
func Load(file string) (*Ring, error) {
	if err := create(file); err != nil {
		return nil, fmt.Errorf("make the key file: %w", err)
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("key file %s is open to other users (mode %o): chmod 600 it", file, info.Mode().Perm())
	}
	text, err := os.ReadFile(file) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	root, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(root) != rootSize {
		return nil, fmt.Errorf("key file %s does not hold 64 hexadecimal digits: restore it, or remove it to start anew", file)
	}
	return &Ring{root: root}, nil
}

// create makes the file unless it exists. The content is written aside and linked into place, so
// that nobody ever reads half a key.
func create(file string) error {
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	aside, err := os.CreateTemp(dir, ".keys-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(aside.Name()) }() // gone already when it was linked
	_, err = fmt.Fprintln(aside, hex.EncodeToString(New().root))
	if err := errors.Join(err, aside.Sync(), aside.Close()); err != nil {
		return err
	}
	if err := os.Link(aside.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
