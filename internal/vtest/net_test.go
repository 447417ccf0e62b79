package vtest_test

import (
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/vtest"
)

func TestBuffered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := vtest.Pipe()
		if _, err := a.Write([]byte("x")); err != nil { // would block for ever on net.Pipe
			t.Fatal(err)
		}
		var p [1]byte
		if _, err := b.Read(p[:]); err != nil || p[0] != 'x' {
			t.Fatal(err)
		}
		if err := b.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := b.Read(p[:]); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Minute {
			t.Fatal(err, time.Since(start))
		}
		a.Close()
	})
}
