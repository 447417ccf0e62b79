package moderation

import (
	"context"

	"parley/retention"
)

// Begin records that a call runs. A node that carries the call renews the record every five
// minutes with Begin, which also brings back one that Redis lost. On a call that has ended it
// changes nothing.
func (d *Desk) Begin(ctx context.Context, call string) error {
	key := retention.Call.Key(call)
	if err := d.scripts.begin.Run(ctx, d.rdb, []string{key}, retention.CallTime.Milliseconds()).Err(); err != nil {
		return unavailable("begin call", err)
	}
	return nil
}

// End records that either side left. From the first End on the call can be reported for
// [retention.ReportWindow]; further ones change nothing.
func (d *Desk) End(ctx context.Context, call string) error {
	key := retention.Call.Key(call)
	if err := d.scripts.end.Run(ctx, d.rdb, []string{key}, retention.ReportWindow.Milliseconds()).Err(); err != nil {
		return unavailable("end call", err)
	}
	return nil
}

// Reportable tells whether a call runs or ended less than [retention.ReportWindow] ago.
func (d *Desk) Reportable(ctx context.Context, call string) (bool, error) {
	n, err := d.rdb.Exists(ctx, retention.Call.Key(call)).Result()
	if err != nil {
		return false, unavailable("look up call", err)
	}
	return n == 1, nil
}
