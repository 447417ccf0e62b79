package moderation

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"
)

const (
	// handleTime bounds a handle whose call never ends. The record of the call bounds all others.
	handleTime = 24 * time.Hour

	handlePurpose = "report handle"
)

// Handle returns a token with which reporter can report or block target for call, which began at
// began. It names what is known of the target now.
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
