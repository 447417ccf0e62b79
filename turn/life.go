package turn

import (
	"net/netip"
	"sync/atomic"
	"time"
)

// Ended is a relay that has ended.
type Ended struct {
	Made           time.Time
	Lasted         time.Duration
	Client         netip.Addr // of the browser
	Stream         bool       // it came by TCP or TLS
	Kind           Kind
	Sent, Received int64 // bytes from the browser that went on, and bytes for it
}

// carried is how many bytes went through one relay. It is counted only where somebody hears of it.
type carried struct{ sent, received atomic.Int64 }

// count adds to a relay's bytes, if they are counted.
func (c *carried) count(sent, received int) {
	if c != nil {
		c.sent.Add(int64(sent))
		c.received.Add(int64(received))
	}
}

// tellEnd tells who wants to hear of it that r has ended.
func (r *relay) tellEnd() {
	tell := r.server.cfg.Ended
	if tell == nil {
		return
	}
	tell(Ended{
		Made: r.made, Lasted: r.server.cfg.Now().Sub(r.made), Client: r.client.addr.Addr(), Stream: r.client.stream,
		Kind: r.grant.kind, Sent: r.carried.sent.Load(), Received: r.carried.received.Load(),
	})
}
