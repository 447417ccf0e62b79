package moderation

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"parley/retention"
)

const (
	// MaxReports is how many reports on one device are kept.
	MaxReports = 64

	// handleTime bounds a handle whose call never ends. The record of the call bounds all others.
	handleTime = 24 * time.Hour

	replaced = 2 // result of report.lua: the oldest report made room

	handlePurpose = "report handle"
)

// Handle returns a token with which reporter can report or block target for call. Device names are
// the digests that browsers send in hello.
func (d *Desk) Handle(call, reporter, target string, now time.Time) string {
	return d.ring.Seal(handlePurpose, reporter, now.Add(handleTime), []byte(call+"\x00"+target))
}

// Target opens a handle for the device it was made for. It does not ask whether the call may still
// be reported: see [Desk.Reportable]. Error: [ErrHandle].
func (d *Desk) Target(reporter, handle string, now time.Time) (call, target string, err error) {
	body, err := d.ring.Open(handlePurpose, reporter, now, handle)
	if err != nil {
		return "", "", fmt.Errorf("%w: %w", ErrHandle, err)
	}
	call, target, whole := strings.Cut(string(body), "\x00")
	if !whole {
		return "", "", ErrHandle
	}
	return call, target, nil
}

// Report stores that reporter reports whoever handle names. There is one record for each call and
// reporter: a repeat answers like the first and changes nothing, not even the reason. Where Redis has
// replicas one of them has the report too, or the answer is [ErrUnavailable]: a primary that is
// replaced takes what it alone had with it. Errors: [ErrHandle], [ErrReason], [ErrUnavailable].
func (d *Desk) Report(ctx context.Context, reporter, handle string, reason Reason, now time.Time) error {
	if !slices.Contains(Reasons(), reason) {
		return ErrReason
	}
	call, target, err := d.Target(reporter, handle, now)
	if err != nil {
		return err
	}
	// The call lives in another slot of a cluster than the reports, so one script cannot touch both.
	// A call whose ten minutes end between the two steps is reported in time all the same.
	switch possible, err := d.Reportable(ctx, call); {
	case err != nil:
		return err
	case !possible:
		return ErrHandle
	}
	mark := d.ring.Tag("report mark", call, reporter)
	hour := strconv.FormatInt(now.Unix()/3600, 10)
	record := strings.Join([]string{mark, hour, string(reason)}, ";")
	how, err := d.keep(ctx, d.slots(target), retention.ReportTime.Milliseconds(), mark, record)
	if err != nil {
		return unavailable("store report", err)
	}
	if how == replaced {
		d.log.LogAttrs(ctx, slog.LevelInfo, "a device has as many reports as are kept; the newest took the place of the oldest")
	}
	return nil
}

// slots returns the keys of all reports that a device can have.
func (d *Desk) slots(device string) []string {
	tag := d.ring.Tag("reported device", device)
	keys := make([]string, MaxReports)
	for i := range keys {
		keys[i] = retention.Report.Key(tag, strconv.Itoa(i))
	}
	return keys
}
