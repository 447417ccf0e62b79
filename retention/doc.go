// Package retention declares all that parley remembers.
//
// The catalogue lists each class of record kept in Redis: what it holds, why, for how long at
// the most, and what a thief of the database would learn from it. It is the only builder of key
// names and the only source of lifetimes; [Audit] walks a live Redis and reports every key that
// the catalogue does not know, that would never expire, or that would live longer than declared.
// The privacy page is made from the same catalogue.
package retention
