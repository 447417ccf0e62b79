package office_test

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/moderation/office"
	"parley/retention"
)

// TestHoursAreTold: of an hour each class of calls is told from ten upward, and there is nothing from
// which a smaller number follows; 400 days can be asked for, and no more.
func TestHoursAreTold(t *testing.T) {
	everywhere(t, func(t *testing.T, w world) {
		ctx := context.Background()
		now := time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)
		for ago, classes := range map[int]map[string]int{
			0:    {"under_10s": 3, "under_10m": 25},
			2:    {"longer": 10, "under_1m": 9},
			9599: {"under_1m": 70},
			9600: {"under_1m": 80},
		} {
			for class, n := range classes {
				key := retention.Hour.Key(strconv.FormatInt(now.Unix()/3600-int64(ago), 10))
				if err := errors.Join(w.rdb.HSet(ctx, key, class, n).Err(), w.rdb.PExpire(ctx, key, retention.HourTime).Err()); err != nil {
					t.Fatal(err)
				}
			}
		}
		hours, err := w.Hours(ctx, now, 3)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		if err := office.WriteHours(&text, office.Told(hours)); err != nil {
			t.Fatal(err)
		}
		const want = `hour,under_10s,under_1m,under_10m,longer
2026-11-22T07:00:00Z,0,fewer than 10,0,10
2026-11-22T08:00:00Z,0,0,0,0
2026-11-22T09:00:00Z,fewer than 10,0,25,0
`
		if text.String() != want {
			t.Errorf("got\n%s", text.String())
		}
		hours, err = w.Hours(ctx, now, 1_000_000)
		if err != nil || len(hours) != 9600 || hours[0].Calls[1] != 70 {
			t.Errorf("%d hours, %v", len(hours), err)
		}
		if told := office.Told(make([]office.Hour, 5)); len(told) != 0 || office.WriteHours(io.Discard, told) != nil {
			t.Errorf("%+v", told)
		}
	})
}
