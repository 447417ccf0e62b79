package main

import (
	"parley/internal/metrics"
	"parley/signaling"
	"parley/web"
)

// view is what a scrape of /metrics sees. It waits for nobody: everything is a counter of this
// process.
func (p parts) view(hub *signaling.Hub, server *web.Server) metrics.View {
	pool := p.memory.rdb.PoolStats()
	return metrics.View{
		Now: hub.Counts(), Did: hub.Totals(), Relay: p.relay.Counters(), Door: server.Counts(), Unlogged: p.lost(),
		Store: metrics.Store{
			Takes: p.memory.watch.Err() == nil, Dropped: p.queue.Dropped(), Damaged: p.desk.Damaged(),
			Open: int64(pool.TotalConns), Idle: int64(pool.IdleConns), Timeouts: int64(pool.Timeouts),
		},
	}
}
