// Package turn is the relay: it carries the sealed media of two browsers, so that neither learns
// the other's address. Only this package knows pion.
//
// # Shape
//
// pion/turn v4 answers TURN requests. It sees the network only through two planes, one for UDP and
// one for TCP, with TLS or without, each a [net.PacketConn] of ours that hands it one checked packet
// after another. A plane is one loop: what a request is and who sends it stays known until pion
// has answered, so that the hooks of pion, which are told neither, find it in the plane. A faster
// packet path replaces the planes and nothing else.
//
//	socket -> plane -> filter -> pion -> relay -> plane of the other browser -> socket
//
// # Veil
//
// A credential is for one call and has a [Kind]. A relay made with a [Veil] credential has no
// socket at all, only a number: what its browser sends goes to the relay of the same call that
// has the port, inside this process, and nowhere else. So it reaches no host, not even this one,
// needs no exception to the deny list, and works behind 1:1 NAT. An [Open] relay has a socket and
// reaches public addresses too; the deny list of peers.go guards it.
//
// # Credentials
//
// User names are "expiry:sealed", where the sealed part holds kind and a keyed mark of the call
// and is different each time, so that two user names do not show that they belong together. The
// secret changes each day: which one counts follows from the expiry, so that around midnight two
// are live, every node of an installation has the same, and a stolen one is worth a day. A user
// name is good at one relay, which is part of the seal, so that telling that relay of the end of
// the call is enough.
//
// Expiry and end of the call are checked when a relay is made and never again, or running calls
// would die with them; a relay obeys only the user name that made it, for at most
// [Quotas.CallTime].
//
// # Strangers
//
// Until somebody has a relay, the sender of a UDP packet may be forged. All errors that are sent
// to such come out of one throttle for each network, [Quotas.Challenges] a second: the 401 that
// asks for a signature as well as what answers a wrong one. What exceeds it gets no answer;
// browsers ask again.
//
// # What pion is kept from
//
//   - Its framing of TCP (an endless loop, before authentication) and its accept loop: the stream
//     plane frames and accepts itself.
//   - Requests that it answers wrongly or dearly: other transports and families, even ports and
//     reservations, unknown attributes, unbounded permissions and channels.
//   - Its timers: it frees a relay on another goroutine than the one that serves the relay's
//     requests, with a race that ends in a nil pointer. The planes end every relay two seconds
//     before pion would.
//   - Its log, which names addresses and users.
package turn
