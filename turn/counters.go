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
	// Between relays of this node and another, both ways.
	NodePackets, NodeBytes int64

	// Packets dropped, by reason.
	DroppedMalformed, DroppedStranger, DroppedRoute, DroppedRate, DroppedQueue, DroppedSend int64
	DroppedForeign                                                                          int64 // frames between nodes that were not for a relay here, or forged

	// Requests refused, by reason.
	RefusedPorts, RefusedPeer, RefusedRequest int64

	// Requests that failed to prove who sends them, by cause: the user name is not ours or for another
	// relay, its time is over, not yet there, or its call is; the signature is wrong; the nonce is old or
	// not ours; the relay is another user's.
	AuthForged, AuthExpired, AuthPremature, AuthEnded, AuthPassword, AuthNonce, AuthOwner int64

	// Relays refused, by the one of [Quotas] that was used up.
	RefusedPerCredential, RefusedPerCall, RefusedPerNetwork, RefusedRelays int64

	Challenges, Suppressed int64 // unauthenticated requests answered, and not answered
	Streamless             int64 // TCP connections refused
	Evicted                int64 // TCP connections closed to make room for others while they had no relay
	Unshaken               int64 // TLS handshakes that failed or took too long
	AcceptErrors           int64
	StrangeNodes           int64 // announcements of other nodes that were not understood
	Panics                 int64 // packets that made the code fail; each cost only itself
	LibraryErrors          int64 // errors that pion wrote to its log
}

// tally is Counters while it is being counted.
type tally struct {
	relays, streams, made                                             atomic.Int64
	packets, bytes, outPackets, outBytes, inPackets, inBytes          atomic.Int64
	malformed, stranger, route, rate, queue, send                     atomic.Int64
	refusedPorts, refusedPeer, refusedOthers                          atomic.Int64
	forged, expired, premature, over                                  atomic.Int64
	nodePackets, nodeBytes, foreign, strangeNodes                     atomic.Int64
	badPassword, badOwner, staleNonce                                 atomic.Int64
	userFull, callFull, networkFull, allFull                          atomic.Int64
	challenges, suppressed, streamless, acceptErrors, panics, library atomic.Int64
	evicted, unshaken                                                 atomic.Int64
}

// Counters returns what was counted so far.
func (s *Server) Counters() Counters {
	t := &s.tally
	return Counters{
		Relays: t.relays.Load(), Streams: t.streams.Load(), Made: t.made.Load(),
		Packets: t.packets.Load(), Bytes: t.bytes.Load(),
		OutPackets: t.outPackets.Load(), OutBytes: t.outBytes.Load(),
		InPackets: t.inPackets.Load(), InBytes: t.inBytes.Load(),
		NodePackets: t.nodePackets.Load(), NodeBytes: t.nodeBytes.Load(), DroppedForeign: t.foreign.Load(), StrangeNodes: t.strangeNodes.Load(),
		DroppedMalformed: t.malformed.Load(), DroppedStranger: t.stranger.Load(), DroppedRoute: t.route.Load(),
		DroppedRate: t.rate.Load(), DroppedQueue: t.queue.Load(), DroppedSend: t.send.Load(),
		RefusedPerCredential: t.userFull.Load(), RefusedPerCall: t.callFull.Load(),
		RefusedPerNetwork: t.networkFull.Load(), RefusedRelays: t.allFull.Load(),
		AuthForged: t.forged.Load(), AuthExpired: t.expired.Load(), AuthPremature: t.premature.Load(), AuthEnded: t.over.Load(),
		AuthPassword: t.badPassword.Load(), AuthNonce: t.staleNonce.Load(), AuthOwner: t.badOwner.Load(),
		RefusedPorts: t.refusedPorts.Load(), RefusedPeer: t.refusedPeer.Load(), RefusedRequest: t.refusedOthers.Load(),
		Challenges: t.challenges.Load(), Suppressed: t.suppressed.Load(), Streamless: t.streamless.Load(),
		Evicted: t.evicted.Load(), Unshaken: t.unshaken.Load(),
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

// refusedName counts why a user name made no relay.
func (t *tally) refusedName(why refusal) {
	switch why {
	case granted:
	case forged:
		t.forged.Add(1)
	case expired:
		t.expired.Add(1)
	case premature:
		t.premature.Add(1)
	case over:
		t.over.Add(1)
	}
}
