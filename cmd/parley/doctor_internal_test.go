package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/vtest"
)

// TestDoctorPorts: that this user may not have a port is not that another program holds it.
func TestDoctorPorts(t *testing.T) {
	for _, test := range []struct {
		errno syscall.Errno
		want  string
	}{
		{syscall.EACCES, "warn listen: the user of this doctor may not listen on :443, so whether it is free cannot be told."},
		{syscall.EADDRINUSE, "fail listen: :443 is in use by another program; stop it, or choose another with --listen."},
	} {
		errno, want := test.errno, test.want
		d := &doctor{}
		d.judgePort("listen", ":443", os.NewSyscallError("bind", errno))
		if got := fmt.Sprint(d.findings[0].Grade, " ", d.findings[0].Says); got != want {
			t.Errorf("%v: %s, want %s", errno, got, want)
		}
	}
}

// TestDoctorRewrite: that the file was not rewritten is a fault only of a parley that runs.
func TestDoctorRewrite(t *testing.T) {
	for _, c := range []struct {
		runs, rewritten bool
		want            grade
	}{{true, true, good}, {true, false, warn}, {false, false, good}, {false, true, good}} {
		d := &doctor{runs: c.runs}
		d.judgeRewrite("Redis", c.rewritten)
		if got := d.findings[0].Grade; got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// TestDoctorKeys: the doctor looks at keys no faster than the nodes do, says when it did not get to
// all of them, and keeps few of the faults that it counts.
func TestDoctorKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rdb := vtest.NewRedis(t)
		for i := range 4000 {
			rdb.Set(t.Context(), fmt.Sprintf("stray%d", i), "", 0)
		}
		d, began := &doctor{}, time.Now()
		d.lookAtKeys(t.Context(), rdb.Client)
		if f, took := d.findings[0], time.Since(began); f.Grade != bad || took < 200*time.Millisecond ||
			f.Says != "4000 keys are not as the privacy page says: one is not in the catalogue." {
			t.Errorf("after %v: %s", took, f.Says)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		d.lookAtKeys(ctx, rdb.Client)
		if f := d.findings[1]; f.Grade != bad || !strings.Contains(f.Says, "keys were looked at, for want of time.") || strings.HasPrefix(f.Says, "4000") {
			t.Error(f.Says)
		}
	})
}
