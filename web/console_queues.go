package web

import (
	"cmp"
	"context"
	"slices"

	"parley/matcher"
	"parley/moderation/office"
)

// queueLines are the queues in which somebody waits or waited lately, the fullest first.
func (c *console) queueLines(ctx context.Context) []queueLine {
	lines := []queueLine{}
	if c.queues == nil {
		return lines
	}
	all, err := c.queues(ctx)
	if err != nil {
		return lines // the rest of the console stays useful
	}
	slices.SortStableFunc(all, func(a, b matcher.Line) int {
		return cmp.Or(cmp.Compare(b.Waiting, a.Waiting), cmp.Compare(b.Samples, a.Samples))
	})
	for _, q := range all[:min(len(all), queuesShown)] {
		lines = append(lines, queueLine{
			q.Language + ", " + q.Interest, office.Few(q.Waiting), q.P50.Seconds(), q.P90.Seconds(), q.Samples,
		})
	}
	return lines
}

// queuesShown is how many queues the console lists.
const queuesShown = 25
