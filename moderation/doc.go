// Package moderation holds to account those who abuse strangers, without knowing who they are.
// Package score has the formula; this one keeps what it judges by.
//
// # Who a device is
//
// A browser names itself by the hash of a random token, and by a hash of what browsers of its kind
// have in common, its digest. In Redis both appear only as HMACs under the key of a week
// ([keyring.Epoch]), which never enters Redis and is destroyed 30 days after its week. From then on
// nobody can tell whose a record was, in no copy of the database. When a token was first seen, the
// browser carries itself ([Desk.Age]).
//
// # What is remembered
//
// A call has one record ([retention.Call]) that says only that it runs, or that it ended less than
// ten minutes ago: only such a call can be reported.
//
// A report is one key of its own ([retention.Report]), so that Redis deletes each exactly 30 days
// after it was made. A device has at most [MaxReports]; one more takes the place of the one that
// counts least. With the first report comes a record ([retention.Record]): clean calls by day, band,
// end of the last cooldown. It lives for 30 days from the newest report. Which reports there are and
// what they come to lies beside it ([retention.Sum]) and is gone with the first of them, so that
// nothing speaks of a report that has run out; when the device is met again it is made anew of those
// that are left.
// A report is written under the key of its week, and whatever the device has under older ones is
// moved there in the same step, so that a record is whole. Pseudonyms in reports are of the week in
// which they were made, and are compared under every key that there is.
//
// A window ([retention.Window]) counts for 24 hours what a device did as a reporter, under a name
// that changes every day. A review ([retention.Review]) says whether an operator has answered; the
// record points to it, and it to the record; neither leads to a device.
//
// A device may have erased what is stored about its token ([Desk.Erase]). What is stored about its
// digest stays, because it is of a kind of browser and not of a device. In the place of the record
// lies a mark for 30 days that the token was given up: no report, no counter. The page makes a new
// token then. One that goes on with the old one is fresh until the mark is gone, whatever its age
// ticket says: else erasing would lose the reports and keep the trust, and serve an abuser better
// than clearing the storage does. A report on such a token makes a record in the place of the mark,
// which moves to a slot with the time that it has to live.
//
// Who the peer was, the browser carries: a handle is a sealed token that names call and peer, opens
// only for the device it was made for, and is worth nothing without the record of the call.
//
// # How it is changed
//
// All keys about devices share one hash tag. Records are read in one step and one round trip
// (read.lua), judged here,
// and written in one step if nobody has changed them since (write.lua): each change gives a record
// a new random revision. A report is safe to repeat: the window remembers for which calls there was
// one, in the same step that stores it.
//
// # Bands
//
// The band of a device decides whom it may meet. [Table] is all of it. The matcher only compares
// the numbers.
package moderation
