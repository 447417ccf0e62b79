package moderation

import (
	"context"
	"encoding/binary"
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

// Handle returns a token with which reporter can report or block target for call, which began at began.
// It names what is known of the target now.
func (d *Desk) Handle(call string, reporter, target Device, began time.Time) string {
	var fresh byte
	if target.Fresh {
		fresh = 1
	}
	body := binary.BigEndian.AppendUint64([]byte{fresh}, uint64(began.Unix())) //nolint:gosec // read back the same way
	body = append(body, strings.Join([]string{call, target.Token, target.Digest, target.Net}, "\x00")...)
	return d.ring.Seal(handlePurpose, reporter.Token, began.Add(handleTime), body)
}

// met is what a handle says.
type met struct {
	call   string
	target Device
	began  time.Time
}

// Target opens a handle for the device it was made for. It does not ask whether the call may still
// be reported: see [Desk.Reportable]. Error: [ErrHandle].
func (d *Desk) Target(reporter Device, handle string, now time.Time) (call string, target Device, err error) {
	m, err := d.open(reporter, handle, now)
	return m.call, m.target, err
}

func (d *Desk) open(reporter Device, handle string, now time.Time) (met, error) {
	body, err := d.ring.Open(handlePurpose, reporter.Token, now, handle)
	if err != nil {
		return met{}, fmt.Errorf("%w: %w", ErrHandle, err)
	}
	if len(body) < 9 {
		return met{}, ErrHandle
	}
	parts := strings.Split(string(body[9:]), "\x00")
	if len(parts) != 4 {
		return met{}, ErrHandle
	}
	began := time.Unix(int64(binary.BigEndian.Uint64(body[1:])), 0) //nolint:gosec // sealed by us
	return met{parts[0], Device{Token: parts[1], Digest: parts[2], Net: parts[3], Fresh: body[0] == 1}, began}, nil
}

// Report stores that reporter reports whoever handle names. There is one report of a pair in 30 days:
// a further one changes nothing, not even the reason, and before is true unless it is for the same
// call: a repeat answers like the first. Where Redis has replicas one of them has the report too, or the
// answer is [ErrUnavailable]: a primary that is replaced takes what it alone had with it. Errors:
// [ErrHandle], [ErrReason], [ErrUnavailable].
func (d *Desk) Report(ctx context.Context, reporter Device, handle string, reason Reason, now time.Time) (before bool, err error) {
	if !slices.Contains(Reasons(), reason) {
		return false, ErrReason
	}
	m, err := d.open(reporter, handle, now)
	if err != nil {
		return false, err
	}
	// The call lives in another slot of a cluster than the reports, so one script cannot touch both.
	// A call whose ten minutes end between the two steps is reported in time all the same.
	switch possible, err := d.Reportable(ctx, m.call); {
	case err != nil:
		return false, err
	case !possible:
		return false, ErrHandle
	}
	mark := d.ring.Tag("report mark", m.call, reporter.Token)
	hour := strconv.FormatInt(now.Unix()/3600, 10)
	record := strings.Join([]string{mark, hour, string(reason)}, ";")
	how, err := d.keep(ctx, d.slots(m.target.Token), retention.ReportTime.Milliseconds(), mark, record)
	if err != nil {
		return false, unavailable("store report", err)
	}
	if how == replaced {
		d.log.LogAttrs(ctx, slog.LevelInfo, "a device has as many reports as are kept; the newest took the place of the oldest")
	}
	return false, nil
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
