package metrics

// relays is what the relay holds and carries.
func relays() []family {
	return []family{
		{"parley_relay_allocations", "Relays that are alive.", true, "", one(fives(func(v *View) int64 { return v.Relay.Relays }))},
		{"parley_relay_allocations_total", "Relays that were made.", false, "", one(tens(func(v *View) int64 { return v.Relay.Made }))},
		{"parley_relay_streams", "TCP and TLS connections to the relay.", true, "", one(fives(func(v *View) int64 { return v.Relay.Streams }))},
		{"parley_relay_packets_total", "Packets carried: between browsers of this node, to and from peers outside, and between relays of this node and others.", false, "way", []point{
			{"between", func(v *View) int64 { return v.Relay.Packets }},
			{"out", func(v *View) int64 { return v.Relay.OutPackets }},
			{"in", func(v *View) int64 { return v.Relay.InPackets }},
			{"nodes", func(v *View) int64 { return v.Relay.NodePackets }},
		}},
		{"parley_relay_bytes_total", "Bytes carried, as the packets.", false, "way", []point{
			{"between", func(v *View) int64 { return v.Relay.Bytes }},
			{"out", func(v *View) int64 { return v.Relay.OutBytes }},
			{"in", func(v *View) int64 { return v.Relay.InBytes }},
			{"nodes", func(v *View) int64 { return v.Relay.NodeBytes }},
		}},
		{"parley_relay_batches_total", "System calls that brought packets from browsers.", false, "", one(func(v *View) int64 { return v.Relay.Batches })},
		{"parley_relay_batched_packets_total", "Packets that these brought: divided by them, the size of a batch.", false, "", one(func(v *View) int64 { return v.Relay.Batched })},
	}
}

// packets is what was not carried.
func packets() []family {
	return []family{
		{"parley_relay_dropped_packets_total", "Packets that were dropped: malformed, of a sender without a relay, for a peer that cannot be reached, over the rate, without room in a queue, refused by the system, between nodes and not for a relay here, on a channel that is not bound, to a peer that was not granted.", false, "cause", []point{
			{"malformed", func(v *View) int64 { return v.Relay.DroppedMalformed }},
			{"stranger", func(v *View) int64 { return v.Relay.DroppedStranger }},
			{"route", func(v *View) int64 { return v.Relay.DroppedRoute }},
			{"rate", func(v *View) int64 { return v.Relay.DroppedRate }},
			{"queue", func(v *View) int64 { return v.Relay.DroppedQueue }},
			{"send", func(v *View) int64 { return v.Relay.DroppedSend }},
			{"foreign", func(v *View) int64 { return v.Relay.DroppedForeign }},
			{"channel", func(v *View) int64 { return v.Relay.DroppedChannel }},
			{"permission", func(v *View) int64 { return v.Relay.DroppedPermission }},
		}},
	}
}

// refusals is what browsers asked for in vain.
func refusals() []family {
	return []family{
		{"parley_relay_auth_failures_total", "Requests that did not prove who sends them: the user name is not ours, over, or not yet there, or its call is over; the signature is wrong; the nonce is old or not ours; the relay is another's.", false, "cause", []point{
			{"forged", func(v *View) int64 { return v.Relay.AuthForged }},
			{"expired", func(v *View) int64 { return v.Relay.AuthExpired }},
			{"premature", func(v *View) int64 { return v.Relay.AuthPremature }},
			{"ended", func(v *View) int64 { return v.Relay.AuthEnded }},
			{"password", func(v *View) int64 { return v.Relay.AuthPassword }},
			{"nonce", func(v *View) int64 { return v.Relay.AuthNonce }},
			{"owner", func(v *View) int64 { return v.Relay.AuthOwner }},
		}},
		{"parley_relay_quota_refusals_total", "Relays refused because a credential, a call, a network or the whole node has all that it may.", false, "quota", []point{
			{"credential", func(v *View) int64 { return v.Relay.RefusedPerCredential }},
			{"call", func(v *View) int64 { return v.Relay.RefusedPerCall }},
			{"network", func(v *View) int64 { return v.Relay.RefusedPerNetwork }},
			{"node", func(v *View) int64 { return v.Relay.RefusedRelays }},
		}},
		{"parley_relay_requests_refused_total", "Other requests refused: no port was free, the peer is one that nobody may reach, the request is not one that is answered.", false, "cause", []point{
			{"ports", func(v *View) int64 { return v.Relay.RefusedPorts }},
			{"peer", func(v *View) int64 { return v.Relay.RefusedPeer }},
			{"request", func(v *View) int64 { return v.Relay.RefusedRequest }},
		}},
	}
}

// strangers is what those without a relay did, and what went wrong.
func strangers() []family {
	return []family{
		{"parley_relay_challenges_total", "Requests without a proof, answered and, because of too many, not answered.", false, "answered", []point{
			{"yes", tens(func(v *View) int64 { return v.Relay.Challenges })},
			{"no", tens(func(v *View) int64 { return v.Relay.Suppressed })},
		}},
		{"parley_relay_streams_refused_total", "TCP and TLS connections that were not kept: over the limit, closed to make room, without a handshake, failed when they were accepted.", false, "cause", []point{
			{"limit", func(v *View) int64 { return v.Relay.Streamless }},
			{"evicted", func(v *View) int64 { return v.Relay.Evicted }},
			{"handshake", func(v *View) int64 { return v.Relay.Unshaken }},
			{"accept", func(v *View) int64 { return v.Relay.AcceptErrors }},
		}},
		{"parley_relay_log_lost_total", "Relays that are missing in the relay log, where it is on: too many ended at once, or its folder could not be written to.", false, "", one(tens(func(v *View) int64 { return v.Unlogged }))},
		{"parley_relay_faults_total", "What should not happen: announcements of other nodes that were not understood, packets that made the code fail, errors of the library.", false, "kind", []point{
			{"announcement", func(v *View) int64 { return v.Relay.StrangeNodes }},
			{"panic", func(v *View) int64 { return v.Relay.Panics }},
			{"library", func(v *View) int64 { return v.Relay.LibraryErrors }},
		}},
	}
}
