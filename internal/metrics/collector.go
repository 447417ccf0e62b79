package metrics

import (
	"net/http"
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"parley/signaling"
)

// Handler answers a scrape with what look sees at that moment, and how the process does.
func Handler(look func() View) http.Handler {
	all := prometheus.NewRegistry()
	all.MustRegister(
		newCollector(look),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		collectors.NewGoCollector(
			collectors.WithGoCollectorMemStatsMetricsDisabled(),
			collectors.WithGoCollectorRuntimeMetrics(collectors.GoRuntimeMetricsRule{
				Matcher: regexp.MustCompile(`^/(memory/classes/(heap/objects|total)|cpu/classes/gc/total):|^/sched/latencies:`),
			}),
		),
	)
	return promhttp.HandlerFor(all, promhttp.HandlerOpts{MaxRequestsInFlight: scrapes})
}

// scrapes is how many answers are under way at once; more are refused.
const scrapes = 4

// collector puts the table into the words of Prometheus.
type collector struct {
	look     func() View
	families []family
	descs    []*prometheus.Desc // of the family of the same number
	waits    *prometheus.Desc
}

func newCollector(look func() View) *collector {
	c := &collector{look: look, families: families()}
	for _, f := range c.families {
		var labels []string
		if f.label != "" {
			labels = []string{f.label}
		}
		c.descs = append(c.descs, prometheus.NewDesc(f.name, f.help, labels, nil))
	}
	c.waits = prometheus.NewDesc("parley_wait_seconds", "How long the searches took that led to a call.", nil, nil)
	return c
}

// Describe implements [prometheus.Collector].
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		to <- d
	}
	to <- c.waits
}

// Collect implements [prometheus.Collector].
func (c *collector) Collect(to chan<- prometheus.Metric) {
	v := c.look()
	for i, f := range c.families {
		kind := prometheus.CounterValue
		if f.now {
			kind = prometheus.GaugeValue
		}
		for _, p := range f.points {
			var labels []string
			if f.label != "" {
				labels = []string{p.of}
			}
			to <- prometheus.MustNewConstMetric(c.descs[i], kind, float64(p.value(&v)), labels...)
		}
	}
	to <- histogram(c.waits, v.Did.Waits)
}

// sumStep is what ten searches may take that nobody came to for long.
const sumStep = fullStep * 10 * time.Minute

// histogram is the waits as Prometheus has them: each class with all below it, in steps of ten as all
// that people cause, and their sum too.
func histogram(d *prometheus.Desc, w signaling.WaitCounts) prometheus.Metric {
	upTo := map[float64]uint64{}
	var sum uint64
	bounds := signaling.WaitBounds()
	for i, n := range w.Counts {
		sum += uint64(max(n, 0))
		if i < len(bounds) {
			upTo[bounds[i].Seconds()] = coarse(sum, fullStep) //nolint:gosec // i is below len(bounds)
		}
	}
	return prometheus.MustNewConstHistogram(d, coarse(sum, fullStep), w.Sum.Truncate(sumStep).Seconds(), upTo)
}
