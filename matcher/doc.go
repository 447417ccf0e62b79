// Package matcher brings two strangers together.
//
// # The rule
//
// A search is a [Ticket]. It stands in pools; a pool is a language, an interest (or "any") and the
// band of the ticket. It comes to its pools one after the other, counted from its arrival:
//
//	0   its first language with each of its interests; with "any" if it chose none
//	W   its first language with "any": everybody who speaks it
//	2W  each other language, with each interest and with "any"
//
// A strict ticket stays with the first line. W is 6 s, 2 s when the pools are quiet, 12 s when
// they are busy ([Steps] says it to the user).
//
// Two tickets may meet in a pool to which both will come, as soon as one of them is there: one who
// has widened is enough. A ticket looks into the pools of its other languages at once, but stands in
// them only from the [Queue.Join] that its owner repeats at 2W. So two for whom a language is the
// second choice of both meet in it when the second of them has come to that step too; whoever has it
// as the first choice is found at once.
//
// Two never meet if they are of the same device, if either avoids the other's device, if either may
// not meet the other's band, if either's node is dead, or if either has waited for longer than
// [retention.LongestWait].
//
// Among those that a ticket may meet, in the first band of its Meets in which there is one, it gets
// the oldest: the one that stands longest in a pool where they may meet. So somebody with a common
// interest comes W before somebody without, and whoever has waited long comes before both. One that
// stands at most 2 s less and shares more interests is preferred; at most four are looked at for that.
//
// # Two phases
//
// A pair is offered to both. Each confirms that it is here; the second confirmation makes the match
// live, for both, in one atomic step. Else the match is aborted and both tickets are closed; an
// owner who wants to go on joins with a new ticket and the old arrival. Nobody loses their place.
//
// # The estimate
//
// How long a search took is recorded when its match becomes live, when it leaves the queue, and when
// it finds nobody in all its time; for the last two, that it was given up. [Estimate] says what is
// made of that. A ticket of a dead node leaves no record: its browser searches on at the same place.
//
// # Together
//
// While few come each join goes to Redis at once. Else those that come wait for the next call, 2 ms
// at most unless Redis is slow, and go together, for much of what a join costs Redis is the call;
// each is decided as if it had come alone, in turn.
//
// # What holds it together
//
// Each step is one Lua script on Redis, whose clock is the only clock. Every answer can be asked for
// again: a ticket is used for one search only, a closed one stays closed, a claimed one gets the same
// offer. A match goes by the name of the ticket that made it, and is kept in its place. A node keeps
// a lease; the tickets of a node whose lease ran out are never matched.
//
// What one node does to a ticket of another goes through that node's inbox; what it does to its own
// tickets it hands on when the answer arrives. An answer can be lost, so a repeated call hands the
// event on again.
//
// The owner of a ticket repeats [Queue.Join] at each step of the schedule and every 10 s. That
// pairs two who both ripened while nobody else came, and repairs whatever was lost: an event, a
// record, or all of Redis. The pools live by it too: a join gives its pools a new lifetime only when
// they are new, when nobody is there and the last time was more than 100 s ago, when it is a repeat,
// or in one second of 16. A pool that empties stays until its lifetime ends, and holds nobody.
package matcher
