//go:build unix

package office

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"
)

// lockFile takes the lock of a file, or waits until ctx ends. The system gives it back when the file
// is closed or its process ends.
func lockFile(ctx context.Context, file *os.File) (release func(), err error) {
	tick := time.NewTicker(lockTurn)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return func() {}, nil
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}
