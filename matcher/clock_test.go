package matcher_test

import (
	"testing"
	"testing/synctest"
	"time"

	"parley/internal/vtest"
	"parley/matcher"
)

// TestNow: a node whose clock is five minutes behind that of Redis dates what others open by Redis.
func TestNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := vtest.NewRedis(t)
		store.Advance(5 * time.Minute)
		q := matcher.New(store.Client, matcher.Config{})
		if err := q.Beat(t.Context()); err != nil {
			t.Fatal(err)
		}
		if ahead := time.Until(q.Now()); ahead < 5*time.Minute-time.Second || ahead > 5*time.Minute+time.Second {
			t.Errorf("Redis is %v ahead", ahead)
		}
	})
}
