package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"parley/turn"
)

// wear is a relay's use of memory and goroutines over a life with many calls.
type wear struct {
	start  usage // before the first allocation
	early  usage // after a quarter of the packets
	late   usage // after the last
	after  usage // when all relays have ended
	lost   float64
	behind time.Duration // of the load's own schedule
}

// wearOut makes allocations, two and two in a call, lets them talk for a spell at rate packets a
// second together, and ends them.
func wearOut(ctx context.Context, s *turnServer, allocations int, rate float64, spell time.Duration) (w wear, err error) {
	if w.start, err = s.usage(); err != nil {
		return w, err
	}
	p, err := gather(s, relayToRelay, allocations/2)
	if err != nil {
		return w, err
	}
	each := rate / float64(len(p.flows))
	for _, part := range []struct {
		spell time.Duration
		use   *usage
	}{{spell / 4, &w.early}, {spell - spell/4, &w.late}} {
		started := time.Now()
		p.run(each, part.spell)
		w.behind += time.Since(started) - part.spell
		p.settle()
		if *part.use, err = s.usage(); err != nil {
			return w, errors.Join(err, p.disperse())
		}
	}
	w.lost = p.lost()
	for _, c := range p.callers {
		err = errors.Join(err, c.hangUp())
	}
	if err != nil {
		return w, err
	}
	for range 100 { // pion ends the goroutine of a relay a moment after it has said so
		if w.after, err = s.usage(); err != nil || w.after.goroutines <= w.start.goroutines {
			return w, err
		}
		pause(ctx, 100*time.Millisecond)
	}
	return w, nil
}

// turnWear is whether a relay that works for long stays as it is.
func turnWear(ctx context.Context, b bench) (all []figure, err error) {
	err = onCore(loadCore, func() error {
		s, err := startRelay(ctx, "relay", turn.Veil, b.profile)
		if err != nil {
			return err
		}
		const rate = 100_000
		w, err := wearOut(ctx, s, b.allocations, rate, b.wear)
		if err = errors.Join(err, s.stop()); err != nil {
			return err
		}
		fmt.Fprintf(b.progress, "  lost %.3f %%, the load %s behind; goroutines %d, %d with all calls, %d after; resident %d, %d, %d KiB, %d after\n",
			100*w.lost, w.behind.Round(time.Millisecond), w.start.goroutines, w.late.goroutines, w.after.goroutines,
			w.start.resident>>10, w.early.resident>>10, w.late.resident>>10, w.after.resident>>10)
		many := fmt.Sprintf("%d allocations, %d packets/s for %s: ", b.allocations, rate, b.wear)
		all = []figure{
			grown(many+"resident memory at the end", w.early.resident, w.late.resident),
			grown(many+"live heap at the end", w.early.heap, w.late.heap),
			{name: "goroutines that are left", value: float64(w.after.goroutines - w.start.goroutines), limit: valueAtMost(0)},
			{name: "packets that were lost", value: 100 * w.lost, unit: "%"},
		}
		return nil
	})
	return all, err
}

// grown is what a relay uses at the end against after a quarter of its packets.
func grown(name string, early, late uint64) figure {
	return figure{
		name: name, value: kib(late), unit: "KiB", baseline: "after a quarter", base: kib(early),
		ratio: kib(late) / kib(early), limit: ratioAtMost(1.05),
	}
}
