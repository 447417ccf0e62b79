package main

import (
	"math/rand/v2"
	"testing"
)

// A ladder comes to the rate that a server can bear, though single trials fail or pass by accident,
// and to the limit of the load where that is lower.
func TestLadder(t *testing.T) {
	seek := func(bears, reaches float64) float64 {
		chance := rand.New(rand.NewPCG(1, 2)) // the same each time
		l := newLadder()
		for !l.done() {
			accident := chance.Float64() < 0.15
			l.take(l.rate <= bears != accident && l.rate <= reaches)
		}
		return l.found()
	}
	for _, c := range []struct{ bears, reaches, want float64 }{
		{233_000, 1e9, 233_000},
		{120_000, 1e9, 120_000},
		{60_000, 1e9, 60_000}, // below the first
		{400_000, 250_000, 250_000},
	} {
		if got := seek(c.bears, c.reaches); got < c.want*0.92 || got > c.want*1.06 {
			t.Errorf("a server of %.0f/s with a load of %.0f/s has %.0f/s", c.bears, c.reaches, got)
		}
	}
}
