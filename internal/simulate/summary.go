package simulate

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// mostLag is how late, in milliseconds, the simulation may be before its times mean little.
const mostLag = 100

// Summary is what came of a run. Times are in milliseconds.
type Summary struct {
	Seed       uint64           `json:"seed"`
	Seconds    float64          `json:"seconds"`
	Arrived    int64            `json:"arrived"`
	Most       int64            `json:"most_at_once"`
	PutOff     int64            `json:"put_off"`   // arrivals that found the house full
	LeftOver   int64            `json:"left_over"` // people who were still there at the end
	Calls      int64            `json:"calls"`
	Times      map[string]Times `json:"times"`
	Counts     map[string]int64 `json:"counts"`
	Errors     int64            `json:"errors"`
	Lost       int64            `json:"lost"`
	Limits     []Verdict        `json:"limits"`
	Violations []string         `json:"violations,omitzero"` // of the history, if one was kept
}

// Times are the percentiles of one measure.
type Times struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50_ms"`
	P90   float64 `json:"p90_ms"`
	P99   float64 `json:"p99_ms"`
	P999  float64 `json:"p99_9_ms"`
	Max   float64 `json:"max_ms"`
}

// Verdict says whether a limit was kept.
type Verdict struct {
	Limit string `json:"limit"`
	Bound string `json:"bound"`
	Was   string `json:"was"`
	Kept  bool   `json:"kept"`
}

// Unmet returns the limits that were broken.
func (s *Summary) Unmet() []Verdict {
	return slices.DeleteFunc(slices.Clone(s.Limits), func(v Verdict) bool { return v.Kept })
}

func ms(us int64) float64 { return float64(us) / 1000 }

// at returns a percentile, rounded for reading.
func (t *tally) at(m Measure, percentile float64) time.Duration {
	d := time.Duration(t.times[m].ValueAtQuantile(percentile)) * time.Microsecond
	switch {
	case d >= 10*time.Second:
		return d.Round(100 * time.Millisecond)
	case d >= 10*time.Millisecond:
		return d.Round(time.Millisecond)
	}
	return d.Round(10 * time.Microsecond)
}

// errors counts the error frames that no crossing of messages explains, frames and envelopes that
// were not understood, and calls whose sound never came.
func (t *tally) errors() int64 {
	n := t.counts["frames not understood"] + t.counts["envelopes that do not open"] + t.counts[string(altered)] +
		t.counts["gap in the server's numbers"] + t.counts["frames before welcome"] + t.counts[soundless] + t.counts[soundFault]
	for what, c := range t.counts {
		if strings.HasPrefix(what, "error ") {
			n += c
		}
	}
	return n
}

// lost counts envelopes that did not arrive although nobody was told, or arrived twice.
func (t *tally) lost() int64 {
	return t.counts["envelopes lost"] + t.counts[string(doubled)]
}

// summary adds everything up.
func (c *crowd) summary() *Summary {
	t := c.sum()
	s := &Summary{
		Seed: c.cfg.Seed, Seconds: c.now().Seconds(), Arrived: c.arrived, Most: c.most, PutOff: c.putOff,
		LeftOver: c.present.Load(), Calls: t.counts["calls"] / 2, Times: map[string]Times{}, Counts: t.counts,
		Errors: t.errors(), Lost: t.lost(),
	}
	for m := range measures {
		h := t.times[m]
		s.Times[m.String()] = Times{
			h.TotalCount(), ms(h.ValueAtQuantile(50)), ms(h.ValueAtQuantile(90)), ms(h.ValueAtQuantile(99)),
			ms(h.ValueAtQuantile(99.9)), ms(h.Max()),
		}
	}
	s.Limits = c.cfg.Limits.judge(s, t)
	return s
}

// judge compares a run with its limits.
func (l Limits) judge(s *Summary, t *tally) []Verdict {
	verdicts := []Verdict{}
	within := func(name string, bound time.Duration, m Measure) {
		if bound > 0 {
			was := t.at(m, 99)
			text := was.String()
			if t.times[m].TotalCount() == 0 {
				text = "never measured"
			}
			kept := t.times[m].TotalCount() > 0 && ms(bound.Microseconds()) >= s.Times[m.String()].P99
			verdicts = append(verdicts, Verdict{name, bound.String(), text, kept})
		}
	}
	within("max-hello-p99", l.HelloP99, Hello)
	within("max-wait-p99", l.WaitP99, Match)
	within("max-first-p99", l.FirstP99, First)
	within("max-envelope-p99", l.EnvelopeP99, Envelope)
	within("max-resume-p99", l.ResumeP99, Resume)
	within("max-sound-p99", l.SoundP99, Sound)
	most := func(name string, bound int, was int64) {
		if bound >= 0 {
			verdicts = append(verdicts, Verdict{name, fmt.Sprint(bound), fmt.Sprint(was), was <= int64(bound)})
		}
	}
	most("max-errors", l.MaxErrors, s.Errors)
	most("max-lost", l.MaxLost, s.Lost)
	if l.MinCalls > 0 {
		verdicts = append(verdicts, Verdict{"min-calls", fmt.Sprint(l.MinCalls), fmt.Sprint(s.Calls), s.Calls >= int64(l.MinCalls)})
	}
	return verdicts
}

// Print writes the summary for people.
func (s *Summary) Print(out io.Writer) error {
	fmt.Fprintf(out, "%.0f s, seed %d: %d people arrived, at most %d at once (%d found the house full), %d calls\n\n",
		s.Seconds, s.Seed, s.Arrived, s.Most, s.PutOff, s.Calls)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "ms\tcount\tp50\tp90\tp99\tp99.9\tmax\t")
	for m := range measures {
		t := s.Times[m.String()]
		fmt.Fprintf(w, "%s\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t\n", m, t.Count, t.P50, t.P90, t.P99, t.P999, t.Max)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	for _, what := range slices.Sorted(maps.Keys(s.Counts)) {
		fmt.Fprintf(out, "%9d  %s\n", s.Counts[what], what)
	}
	if lag := s.Times[Lag.String()].P99; lag > mostLag {
		fmt.Fprintf(out, "the simulation itself was late by %.0f ms at p99: it needs more of a machine, and the times say little about the target\n", lag)
	}
	if s.LeftOver > 0 {
		fmt.Fprintf(out, "%9d  people could not leave in time\n", s.LeftOver)
	}
	for _, v := range s.Limits {
		verdict := "kept"
		if !v.Kept {
			verdict = "NOT KEPT"
		}
		fmt.Fprintf(out, "limit %s %s: %s, %s\n", v.Limit, v.Bound, v.Was, verdict)
	}
	return nil
}
