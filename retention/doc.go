// Package retention declares all that parley remembers.
//
// The catalogue lists each class of record kept in Redis: what it holds, why, for how long at
// the most, and what a thief of the database would learn from it. It is the only builder of key
// names and the only source of lifetimes; [Audit] walks a live Redis and reports every key that
// the catalogue does not know, that would never expire, that would live longer than declared, or that
// is larger. [Count] does it beside other work and tells how much there is of each class. [Glance] has
// one node do that for all of them again and again, in the background, and keeps what may be told of
// it ([Outline]) in Redis and in the memory of each node, so that nobody's question touches Redis. It
// counts what there is, and not what those who write records mean to keep: so it also tells of what
// they forgot to delete.
//
// What is kept outside Redis is in [Elsewhere], and what parley promises beside all that, with the
// test that guards it, in [Promises]. The privacy page is made from these lists.
package retention
