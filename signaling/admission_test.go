package signaling_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"parley/signaling"
)

// TestAdmission: of 50,000 who come at once, the first 1,000 are let in at once, the next 5,000
// wait for their turn, and the others are told to come back after 5 to 10 s. They take nobody's
// turn.
func TestAdmission(t *testing.T) {
	now := time.Unix(0, 0)
	a := signaling.NewAdmission(now)
	var at, waiting, refused int
	var last time.Duration
	for range 50_000 {
		wait, ok := a.Ask(now)
		switch {
		case !ok:
			refused++
			if wait < 5*time.Second || wait > 10*time.Second {
				t.Fatalf("told to come back after %v", wait)
			}
		case wait == 0:
			at++
		default:
			waiting++
			if wait < last {
				t.Fatalf("waits %v, somebody before %v", wait, last)
			}
			last = wait
		}
	}
	if at != 1000 || waiting != 5000 || refused != 44_000 || last != 5*time.Second {
		t.Errorf("%d at once, %d wait up to %v, %d refused", at, waiting, last, refused)
	}
	if wait, ok := a.Ask(now.Add(time.Second)); !ok || wait != 4*time.Second+time.Millisecond {
		t.Errorf("a second later: %v %v", wait, ok)
	}
	if wait, ok := a.Ask(now.Add(10 * time.Second)); !ok || wait != 0 {
		t.Errorf("after the crowd: %v %v", wait, ok)
	}
}

// TestAdmissionAbandoned: who goes away while it waits does not keep its turn.
func TestAdmissionAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		a := signaling.NewAdmission(now)
		for range 1500 {
			a.Ask(now)
		}
		ctx, leave := context.WithCancel(t.Context())
		leave()
		for range 1000 {
			if a.Enter(ctx) {
				t.Fatal("let in who went away")
			}
		}
		if wait, ok := a.Ask(now); !ok || wait != 501*time.Millisecond {
			t.Errorf("the next waits %v %v", wait, ok)
		}
	})
}
