package web_test

import (
	"strings"
	"testing"
)

// TestConsoleHours: the console is told of calls by hour as it may save them, for up to 400 days.
func TestConsoleHours(t *testing.T) {
	d := newDesk(t)
	if code, text := d.send(asked{path: "/console/api/hours?days=400"}); code != 200 || strings.TrimSpace(text) != `{"csv":"hour,under_10s,under_1m,under_10m,longer\n"}` {
		t.Errorf("%d %s", code, text)
	}
	for _, days := range []string{"", "0", "-1", "401", "two"} {
		if code, text := d.send(asked{path: "/console/api/hours?days=" + days}); code != 400 || !strings.Contains(text, "days is a number from 1 to 400") {
			t.Errorf("%q days: %d %s", days, code, text)
		}
	}
}
