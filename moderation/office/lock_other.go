//go:build !unix

package office

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"
)

// lockFile makes a file beside the one to lock, or waits until ctx ends. One that a process left behind
// when it was killed must be removed by hand.
func lockFile(ctx context.Context, file *os.File) (release func(), err error) {
	name := file.Name() + ".lock"
	tick := time.NewTicker(lockTurn)
	defer tick.Stop()
	for {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL, 0o600)
		switch {
		case err == nil:
			return func() { _ = errors.Join(f.Close(), os.Remove(name)) }, nil
		case !errors.Is(err, fs.ErrExist):
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}
