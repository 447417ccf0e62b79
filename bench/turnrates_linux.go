package main

import (
	"context"
	"fmt"
	"math"
	"time"
)

const (
	firstRate   = 90_000 // packets a second, of both directions
	climb       = 1.2    // from one trial to the next until the first loss
	stride      = 1.04   // up or down after that
	untilSteady = 4      // trials after the first loss that find the neighbourhood
	steady      = 12     // trials that count
	mayLose     = 0.001  // of the packets of a trial that passes
)

// ladder seeks the highest rate at which packets get through: up after a trial that passes, down after
// one that does not, so that it comes to the rate at which half of the trials pass (the up-and-down
// method of Dixon and Mood, 1948). One trial says little: whatever else a machine does in that second
// decides it.
type ladder struct {
	rate   float64 // of the next trial
	missed bool    // a trial has failed
	late   int     // trials that count in which the load could not keep up
	trials []float64
}

func newLadder() *ladder { return &ladder{rate: firstRate} }

// take is told whether a trial at the rate passed.
func (l *ladder) take(passed bool) {
	if l.missed {
		l.trials = append(l.trials, l.rate)
	}
	switch {
	case !passed:
		l.missed = true
		l.rate /= stride
	case l.missed:
		l.rate *= stride
	default:
		l.rate *= climb
	}
}

func (l *ladder) done() bool { return len(l.trials) >= untilSteady+steady }

// found is the middle of the trials that count.
func (l *ladder) found() float64 {
	sum := 0.0
	for _, rate := range l.trials[untilSteady:] {
		sum += math.Log(rate)
	}
	return math.Exp(sum / float64(len(l.trials)-untilSteady))
}

// turnRates is the rate at which half of the spells lose at most one packet of a thousand. Both
// servers climb in turn, so that what the machine does meanwhile meets both.
func turnRates(ctx context.Context, b bench) ([]figure, error) {
	return b.on(ctx, []scene{
		{"relay to relay, highest rate", relayToRelay, 500, 1.9},
		{"outside peer, highest rate", toOutside, 1000, 1.3},
	}, func(s scene, with sides) ([]figure, error) {
		var rounds []round
		for range b.rounds {
			theirs, mine := newLadder(), newLadder()
			for !theirs.done() || !mine.done() {
				with.base.try(theirs, b.spell/4)
				with.ours.try(mine, b.spell/4)
			}
			fmt.Fprintf(b.progress, "  %s: %.0f/s; coturn %.0f/s; the load was late in %d and %d of %d trials\n",
				s.name, mine.found(), theirs.found(), mine.late, theirs.late, steady+untilSteady)
			rounds = append(rounds, round{mine.found(), theirs.found()})
		}
		return []figure{figure{
			name: s.name, unit: "packets/s", baseline: baselineTurn(ctx), more: true, limit: timesAtLeast(s.limit),
		}.over(rounds)}, nil
	})
}

// try makes one trial of a ladder that is not done. Packets that are lost fail it, and a load that is
// late, as nobody knows whether more would get through.
func (p *party) try(l *ladder, spell time.Duration) {
	if l.done() {
		return
	}
	p.reset()
	started := time.Now()
	p.run(l.rate/float64(len(p.flows)), spell)
	late := time.Since(started) > spell+spell/20
	p.settle()
	if late && l.missed {
		l.late++
	}
	l.take(!late && p.lost() <= mayLose)
}
