package web

import (
	"fmt"
	"strconv"
	"strings"

	"parley/moderation/office"
)

// hours answers with the calls of the last days, at most of those that are kept, as comma-separated
// values: the console draws what it lets operators save.
func (c *console) hours(q call) (any, error) {
	days, err := strconv.Atoi(q.r.FormValue("days"))
	if err != nil || days < 1 || days > office.MostHours/24 {
		return nil, fmt.Errorf("%w: days is a number from 1 to %d", errQuestion, office.MostHours/24)
	}
	hours, err := c.office.Hours(q.r.Context(), q.when, 24*days)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	err = office.WriteHours(&text, office.Told(hours))
	return map[string]any{"csv": text.String()}, err
}
