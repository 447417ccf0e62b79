package metrics

import (
	"parley/signaling"
	"parley/turn"
	"parley/web"
)

// View is what one scrape sees.
type View struct {
	Now   signaling.Counts // what the node carries
	Did   signaling.Totals
	Relay turn.Counters
	Door  web.Counts
	Store Store
	// Unlogged are the relays that the relay log has lost.
	Unlogged int64
}

// Store is how this node stands with Redis.
type Store struct {
	Takes    bool  // it took a write at the last probe
	Dropped  int64 // events of the matcher that nobody took
	Damaged  int64 // records that could not be read
	Open     int64 // connections
	Idle     int64 // of these, those that nobody uses
	Timeouts int64 // waits for a connection that were in vain
}
