// Package office is what operators do: they tune the policy by which devices are judged and see
// before what it would change, take back the reports of a brigade, answer reviews, and pause
// matching. The console of package web and the commands of the shell are two doors to it.
//
// # The trail
//
// Every act is one line of an append-only file, written and on the disk before the act takes effect:
// who (by the name of a token), when, what was, what shall be, the preview that was shown, and a
// written reason. It names no device. Each line holds the hash of the line before, so that a line
// that was changed, removed, or put elsewhere is found ([Trail.Verify]). Redis remembers number and
// hash of the last line, so that a trail that lost its end is found too. Who can write both the file
// and Redis can still rewrite history; copy the head, which `parley audit verify` prints, to where
// they cannot.
//
// An installation has one trail. A node whose file does not hold the line that Redis remembers
// refuses to act: the file is another machine's, was lost, or was changed.
//
// # Two operators at once
//
// The policy has a revision. Whoever sets one names the revision that they saw; if another one has
// been set meanwhile, nothing changes and they are told by whom, when and why ([ConflictError]).
package office
