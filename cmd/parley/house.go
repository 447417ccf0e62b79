package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// house is what has been started, so that it can be closed in reverse.
type house struct {
	parts  []part
	failed chan error // the first part that ended by itself
}

type part struct {
	name  string
	close func() error
}

func newHouse() *house { return &house{failed: make(chan error, 1)} }

// closeLater notes how to close what was just opened.
func (h *house) closeLater(name string, f func() error) {
	h.parts = append(h.parts, part{name, f})
}

// run starts f, which works until its context ends: not when ctx does, but when the part is closed
// in its turn. Closing waits for f.
func (h *house) run(ctx context.Context, name string, f func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() {
		err := f(ctx)
		if ctx.Err() == nil {
			h.fail(fmt.Errorf("%s stopped: %w", name, err))
		}
		done <- err
	}()
	h.closeLater(name, func() error {
		cancel()
		err := <-done
		if errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	})
}

// fail keeps the first failure; those that follow from it add nothing.
func (h *house) fail(err error) {
	select {
	case h.failed <- err:
	default:
	}
}

// close closes everything that was opened, the newest first, whatever fails on the way.
func (h *house) close() error {
	var all error
	for _, p := range slices.Backward(h.parts) {
		if err := p.close(); err != nil {
			all = errors.Join(all, fmt.Errorf("close %s: %w", p.name, err))
		}
	}
	h.parts = nil
	return all
}
