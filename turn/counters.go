package turn

import "sync/atomic"

// Counters is what the relay has counted since it started. It holds no address, user or call.
type Counters struct {
	Relays  int64 // alive
	Streams int64 // TCP connections alive
	Made    int64 // relays made

	Packets, Bytes       int64 // carried between browsers
	OutPackets, OutBytes int64 // carried to peers outside, by open relays
	InPackets, InBytes   int64 // carried from there

	// Packets dropped, by reason.
	DroppedMalformed, DroppedStranger, DroppedRoute, DroppedRate, DroppedQueue, DroppedSend int64
	DroppedChannel, DroppedPermission                                                       int64 // not bound, not granted

	Batches, Batched int64 // system calls of the packet path that brought packets from browsers, and these

	// Requests refused, by reason.
	RefusedUser, RefusedPorts, RefusedPeer, RefusedRequest int64

	// Relays refused, by the one of [Quotas] that was used up.
	RefusedPerCredential, RefusedPerCall, RefusedPerNetwork, RefusedRelays int64

	Challenges, Suppressed int64 // unauthenticated requests answered, and not answered
	Streamless             int64 // TCP connections refused
	AcceptErrors           int64
	Panics                 int64 // packets that made the code fail; each cost only itself
	LibraryErrors          int64 // errors that pion wrote to its log
}

// tally is Counters while it is being counted.
type tally struct {
	relays, streams, made                                             atomic.Int64
	packets, bytes, outPackets, outBytes, inPackets, inBytes          atomic.Int64
	malformed, stranger, route, rate, queue, send                     atomic.Int64
	channel, permission, batches, batched                             atomic.Int64
	refusedUser, refusedPorts, refusedPeer, refusedOthers             atomic.Int64
	userFull, callFull, networkFull, allFull                          atomic.Int64
	challenges, suppressed, streamless, acceptErrors, panics, library atomic.Int64
}

// Counters returns what was counted so far.
func (s *Server) Counters() Counters {
	t := &s.tally
	return Counters{
		Relays: t.relays.Load(), Streams: t.streams.Load(), Made: t.made.Load(),
		Packets: t.packets.Load(), Bytes: t.bytes.Load(),
		OutPackets: t.outPackets.Load(), OutBytes: t.outBytes.Load(),
		InPackets: t.inPackets.Load(), InBytes: t.inBytes.Load(),
		DroppedMalformed: t.malformed.Load(), DroppedStranger: t.stranger.Load(), DroppedRoute: t.route.Load(),
		DroppedRate: t.rate.Load(), DroppedQueue: t.queue.Load(), DroppedSend: t.send.Load(),
		DroppedChannel: t.channel.Load(), DroppedPermission: t.permission.Load(),
		Batches: t.batches.Load(), Batched: t.batched.Load(),
		RefusedPerCredential: t.userFull.Load(), RefusedPerCall: t.callFull.Load(),
		RefusedPerNetwork: t.networkFull.Load(), RefusedRelays: t.allFull.Load(),
		RefusedUser: t.refusedUser.Load(), RefusedPorts: t.refusedPorts.Load(), RefusedPeer: t.refusedPeer.Load(), RefusedRequest: t.refusedOthers.Load(),
		Challenges: t.challenges.Load(), Suppressed: t.suppressed.Load(), Streamless: t.streamless.Load(),
		AcceptErrors: t.acceptErrors.Load(), Panics: t.panics.Load(), LibraryErrors: t.library.Load(),
	}
}

// refusedPlace counts why the ledger gave no place, if so.
func (t *tally) refusedPlace(said verdict) {
	switch said {
	case taken:
	case userFull:
		t.userFull.Add(1)
	case callFull:
		t.callFull.Add(1)
	case networkFull:
		t.networkFull.Add(1)
	case allFull:
		t.allFull.Add(1)
	}
}
