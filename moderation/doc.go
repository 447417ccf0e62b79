// Package moderation holds to account those who abuse strangers, without knowing who they are.
//
// # What is remembered
//
// A call has one record ([retention.Call]) that says only that it runs, or that it ended less than
// ten minutes ago: only such a call can be reported. A report is one record of its own
// ([retention.Report]) under a keyed hash of the reported device, and Redis deletes each exactly
// 30 days after it was made, whether or not newer ones exist. A device has at most [MaxReports]
// records; one more takes the place of the oldest.
//
// The record of a call names nobody. The record of a report names the reported device by the keyed
// hash in its key, and holds a keyed mark of call and reporter together: it tells a repeat from
// another report, and only whoever has the key and guesses both can tell whose it is. Who the peer
// was, the browser carries: a handle is a sealed token that names call and peer, opens only for the
// device it was made for, and is worth nothing without the record of the call.
//
// # Bands
//
// The band of a device decides whom it may meet. [Table] is all of it. The matcher only compares
// the numbers.
package moderation
