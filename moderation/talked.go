package moderation

import (
	"context"
	"time"
)

// Talked notes that a call between a and b has ended after length. The node that carried the call says
// so, once. It returns at once; [Desk.Run] does the work.
func (d *Desk) Talked(_ string, _, _ Device, _ time.Duration) {}

// Run counts the calls that ended here until ctx ends.
func (d *Desk) Run(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}
