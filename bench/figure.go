package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"text/tabwriter"
)

// figure is one line of the table. Every value is a median over rounds.
type figure struct {
	name     string
	value    float64
	unit     string
	baseline string  // what base is; "" when there is nothing to compare with
	base     float64 // in the same unit
	more     bool    // more is better
	ratio    float64 // how many times as costly as the baseline: median of the rounds' ratios
	rounds   []round // of which value, base and ratio are the medians
	limit    limit
}

// limit is what a figure is judged by. The zero value judges nothing.
type limit struct {
	text string
	kept func(figure) bool
}

func noLimit() limit { return limit{} }

func valueAtLeast(v float64) limit {
	return limit{"at least " + number(v), func(f figure) bool { return f.value >= v }}
}

func valueAtMost(v float64) limit {
	return limit{"at most " + number(v), func(f figure) bool { return f.value <= v }}
}

func ratioAtMost(v float64) limit {
	return limit{"ratio at most " + number(v), func(f figure) bool { return f.ratio <= v }}
}

func (f figure) verdict() string {
	switch {
	case f.limit.kept == nil:
		return ""
	case f.limit.kept(f):
		return "ok"
	default:
		return "OVER"
	}
}

func broken(all []figure) int {
	n := 0
	for _, f := range all {
		if f.verdict() == "OVER" {
			n++
		}
	}
	return n
}

const audioNote = `click to first audio: go test ./internal/e2e -run TestBrowserClickToAudio -v   (limit: median under 500 ms)`

func printTable(out io.Writer, all []figure) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "figure\tmeasured\tunit\tbaseline\tmeasured\tratio\tlimit\t")
	for _, f := range all {
		base, ratio := "", ""
		if f.baseline != "" {
			base = number(f.base)
			ratio = fmt.Sprintf("%.2f", f.ratio)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			f.name, number(f.value), f.unit, f.baseline, base, ratio, f.limit.text, f.verdict())
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\n%s\n%d cores, %s\n", audioNote, runtime.NumCPU(), runtime.Version())
	return err
}

// number writes three digits and more as an integer, less with two decimals.
func number(v float64) string {
	if v == math.Trunc(v) || math.Abs(v) >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

// round is one measurement of a figure and of its baseline, taken one after the other.
type round struct{ value, base float64 }

// turns is into how many turns of half a spell a round is cut where the machine's own noise is larger
// than what is measured: what else it does lasts seconds, and strikes one side of a turn only.
const turns = 3

// over fills in the medians over rounds.
func (f figure) over(rounds []round) figure {
	f.rounds = rounds
	f.value = medianOf(rounds, func(r round) float64 { return r.value })
	f.base = medianOf(rounds, func(r round) float64 { return r.base })
	f.ratio = medianOf(rounds, func(r round) float64 {
		if f.more {
			return r.base / r.value
		}
		return r.value / r.base
	})
	return f
}

func medianOf[T any](all []T, of func(T) float64) float64 {
	values := make([]float64, len(all))
	for i, one := range all {
		values[i] = of(one)
	}
	return median(values)
}

func median[T cmp.Ordered](values []T) T {
	return quantile(values, 0.5)
}

// quantile returns the value below which the share q of values lies; it sorts a copy.
func quantile[T cmp.Ordered](values []T, q float64) T {
	if len(values) == 0 {
		var none T
		return none
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}
