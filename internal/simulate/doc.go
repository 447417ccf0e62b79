// Package simulate lets people arrive at a parley, search, talk in sealed envelopes, skip, report,
// drop their sockets and go away, and measures what they meet. It is a client like the page and
// knows no package of the server.
//
// People arrive in an open loop: a Poisson process whose times do not depend on how fast the server
// answers, and every time is measured from the moment at which it should have begun. So a server that
// stalls is charged with everybody who had to wait, not only with those who were lucky enough to ask.
//
// A [Person] is a machine that decides and touches nothing: Step takes an event and returns effects.
// A shard steps its people and writes to their sockets; one goroutine for each socket reads.
// Whoever has sound has one more goroutine, which owns the connection (media.go).
package simulate
