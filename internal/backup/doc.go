// Package backup writes what parley keeps for longer than a moment into a file, and brings it back.
//
// In it are the records of the classes that the catalogue calls carried, which are reports, what goes
// with them, the policy, the shape of the data, and counts of calls; nothing of who waits or talks. A
// record keeps its absolute expiry: nothing lives longer for having been in a backup, and what has
// expired meanwhile is not restored. Devices stay keyed hashes, and no key is in the file, so that
// reports in an old backup say nothing once the weekly keys are destroyed.
//
// The file is lines of JSON: a head with the number of the format and of the data's shape, and the
// mark of the key file that the data was made with; a line for each record; a last line with the
// number of records and the SHA-256 of everything before it. A file of a newer parley, one without
// its end, and one that was changed are refused before anything is written; and so is a database that
// holds data of another shape or key file than the one to be merged with it. What was taken away since
// a backup was made comes back with it, but for devices of which the database still has a record.
package backup
