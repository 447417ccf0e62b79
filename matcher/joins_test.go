package matcher_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"parley/matcher"
)

// desk is a store that answers when it is told to, with what was asked.
type desk struct {
	open  chan struct{}
	mu    sync.Mutex // guards calls
	calls []int      // how many joins there were in each
}

func (d *desk) send(ctx context.Context, texts []string) ([]string, error) {
	d.mu.Lock()
	d.calls = append(d.calls, len(texts))
	d.mu.Unlock()
	select {
	case <-d.open:
		return texts, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", matcher.ErrUnavailable, ctx.Err())
	}
}

// TestJoinsGoTogether: four calls at a time; who comes while they are under way goes with others, at
// most 16 together, and everybody gets their own answer.
func TestJoinsGoTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{open: make(chan struct{})}
		joins := matcher.NewJoins(time.Second, d.send)
		var all sync.WaitGroup
		for i := range 4 + 3*16 + 1 {
			all.Go(func() {
				text := fmt.Sprint(i)
				if got, err := joins.Ask(t.Context(), text); got != text || err != nil {
					t.Errorf("%s got %q %v", text, got, err)
				}
			})
			synctest.Wait()
		}
		if want := []int{1, 1, 1, 1}; !slices.Equal(d.calls, want) {
			t.Errorf("calls of %v, want %v", d.calls, want)
		}
		close(d.open)
		all.Wait()
		slices.Sort(d.calls)
		if want := []int{1, 1, 1, 1, 1, 16, 16, 16}; !slices.Equal(d.calls, want) {
			t.Errorf("calls of %v, want %v", d.calls, want)
		}
	})
}

// TestJoinsGather: after a quiet moment four calls go at once; then one each 2 ms, with all who came
// meanwhile, although nothing is under way; and one that is full at once.
func TestJoinsGather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{open: make(chan struct{})}
		close(d.open)
		joins := matcher.NewJoins(time.Second, d.send)
		var all sync.WaitGroup
		come := func(n int, every time.Duration) {
			for range n {
				began := time.Now()
				all.Go(func() {
					if _, err := joins.Ask(t.Context(), ""); err != nil || time.Since(began) > 2*time.Millisecond {
						t.Errorf("%v after %v", err, time.Since(began))
					}
				})
				synctest.Wait()
				time.Sleep(every)
			}
		}
		for _, step := range []struct {
			people int
			every  time.Duration
			calls  []int
		}{
			{3, 100 * time.Millisecond, []int{1, 1, 1}},
			{12, 700 * time.Microsecond, []int{1, 1, 1, 1, 1, 1, 3, 3}},
			{5, 2 * time.Millisecond, []int{1, 1, 1, 1, 1}},
			{4 + 40, 0, []int{1, 1, 1, 1, 16, 16, 8}},
		} {
			d.calls = nil
			come(step.people, step.every)
			all.Wait()
			if !slices.Equal(d.calls, step.calls) {
				t.Errorf("%d people, one each %v: calls of %v, want %v", step.people, step.every, d.calls, step.calls)
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
}

// TestJoinsWithdraw: who gives up does not go, and who does not fit is told so.
func TestJoinsWithdraw(t *testing.T) {
	const capacity = 8192
	synctest.Test(t, func(t *testing.T) {
		d := &desk{open: make(chan struct{})}
		joins := matcher.NewJoins(time.Second, d.send)
		var all sync.WaitGroup
		ask := func(ctx context.Context) {
			all.Go(func() {
				if _, err := joins.Ask(ctx, ""); !errors.Is(err, matcher.ErrUnavailable) {
					t.Error(err)
				}
			})
		}
		for range 4 + capacity {
			ask(t.Context())
		}
		synctest.Wait()
		if n := joins.Waiting(); n != capacity {
			t.Errorf("%d wait", n)
		}
		start := time.Now()
		if _, err := joins.Ask(t.Context(), ""); !errors.Is(err, matcher.ErrUnavailable) || time.Since(start) > 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		all.Wait()              // for a second: the store does not answer
		time.Sleep(time.Second) // for the calls that were made just before
		synctest.Wait()
		if n := joins.Waiting(); n != 0 || len(d.calls) > 8 {
			t.Errorf("%d wait, %d calls", n, len(d.calls))
		}
	})
}
