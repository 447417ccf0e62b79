//go:build !unix

package keyring

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// lockFile waits until no other process holds the lock, five seconds at most. A lock that a process
// left behind when it was killed must be removed by hand.
func lockFile(name string) (unlock func(), err error) {
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	for range 100 {
		f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL, 0o600)
		if err == nil {
			return func() { _ = errors.Join(f.Close(), os.Remove(name)) }, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		<-retry.C
	}
	return nil, fmt.Errorf("%s is held by another process: remove it if none runs", name)
}
