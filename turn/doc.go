// Package turn is the relay: it carries the sealed media of two browsers, so that neither learns
// the other's address. Only this package knows pion.
//
// # Shape
//
// pion/turn v4 answers TURN requests. It sees the network only through two planes, one for UDP and
// one for TCP, with TLS or without, each a [net.PacketConn] of ours that hands it one checked packet
// after another. A plane is one loop: what a request is and who sends it stays known until pion
// has answered, so that the hooks of pion, which are told neither, find it in the plane.
//
// # Two paths
//
// Media, which is ChannelData and Send indications of a browser that has a relay, takes the packet
// path and never reaches pion:
//
//	request: socket -> lane -> plane -> filter -> pion -> plane -> socket
//	media:   socket -> lane -> fromBrowser -> lane -> socket of the other browser
//	                                       -> frame -> lane of another node
//
// packet.go and reach.go decide, and touch no socket; path_linux.go and yard_linux.go (lanes, and the
// doors of open relays) do it, with the system calls of mmsg_linux.go. A lane belongs to a processor;
// a packet takes no lock that another call has, and makes no garbage. What it needs to know is
// copied on write when pion grants or takes back something: see granted and table. Streams take
// the same decisions in the goroutine that reads them.
//
// Where the system has no recvmmsg, and with Config.Plain, datagrams takes the place of the lanes
// and pion carries media too. Both paths pass one suite (TestPlainPath). docs/packet-path.md says
// more, and what it costs.
//
// # Veil
//
// A credential is for one call and has a [Kind]. A relay made with a [Veil] credential has no
// socket at all, only a number: what its browser sends goes to the relay of the same call that has
// the port, inside this process or on another node of the installation, and nowhere else. So it
// reaches no host, not even this one, needs no exception to the deny list, and works behind 1:1
// NAT. An [Open] relay has a socket and reaches public addresses too; the deny list of peers.go
// guards it.
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
// A nonce is good for the address that it was sent to (nonce.go), so nobody makes a relay in the
// name of an address at which they do not hear the answers.
//
// # Several addresses
//
// A relay may listen at several addresses (Config.Also, site.go). A browser that comes by one has a
// relay there; tables, quotas and credentials are common, and relays at two addresses reach each other
// like any two of this process.
//
// # Nodes
//
// The relays of an installation meet by what each announces. Two relays of one call on two nodes
// reach each other through frames between the nodes, see neighbours.go.
//
// # What pion is kept from
//
// pion_test.go shows each on pion alone.
//
//   - Its framing of TCP (an endless loop, before authentication) and its accept loop: the stream
//     plane frames and accepts itself.
//   - Requests that it answers wrongly or dearly: other transports and families, even ports and
//     reservations, unknown attributes, unbounded permissions and channels.
//   - Its timers: it frees a relay on another goroutine than the one that serves the relay's
//     requests, with a race that ends in a nil pointer. The planes end every relay two seconds
//     before pion would.
//   - Media, on the packet path: a goroutine to wake for each packet is most of what pion costs.
//   - Its log, which names addresses and users.
package turn
