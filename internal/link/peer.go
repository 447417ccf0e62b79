package link

import "time"

// peer is this node's end of the link to one other node: a pure state machine. It has no clock, no
// goroutine and no connection; [Link] owns it and carries out its effects.
type peer struct {
	name    string
	channel string // for the owner

	alien bool // speaks another version
	told  time.Time
	tell  bool // that its version is not understood
	out   outbound
	in    inbound
}

// newPeer returns a link on which nothing has passed. Its epoch must be above all that this node has
// used towards that name before.
func newPeer(name string, epoch uint64) *peer {
	return &peer{name: name, out: outbound{epoch: epoch, base: 1, next: 1, high: 1}}
}

// event is something that happens to a peer.
//
//sumtype:decl
type event interface{ event() }

type (
	send struct { // the owner sends a message
		by   string
		body []byte
	}
	heard    struct{ mail }      // a packet arrived
	pull     struct{}            // the publisher can take packets
	failed   struct{}            // the packets pulled last may or may not have been published
	tick     struct{}            // the deadline has passed
	renewed  struct{}            // our subscription is a new one: anything may have been missed
	forget   struct{}            // the node's lease has ended
	stranger struct{ asks bool } // a packet of another version; asks: one that should be answered
)

func (send) event()     {}
func (heard) event()    {}
func (pull) event()     {}
func (failed) event()   {}
func (tick) event()     {}
func (renewed) event()  {}
func (forget) event()   {}
func (stranger) event() {}

// effect is what the owner of a peer has to do.
//
//sumtype:decl
type effect interface{ effect() }

type (
	refused struct{}                  // the message is not taken
	deliver struct{ bodies [][]byte } // hand on, in order
	lost    struct{}                  // messages are lost for ever: call Reset before what follows
	publish struct {
		mail
		again int
	} // again: how many of its messages were published before
	gap    struct{} // count it
	answer struct{} // publish that we do not understand its version
)

func (refused) effect() {}
func (deliver) effect() {}
func (lost) effect()    {}
func (publish) effect() {}
func (gap) effect()     {}
func (answer) effect()  {}

// Step takes an event and returns what to do, in order.
func (p *peer) Step(now time.Time, e event) []effect {
	switch e := e.(type) {
	case send:
		if p.alien || !p.out.take(now, e) {
			return []effect{refused{}}
		}
	case heard:
		return p.hear(now, e.mail)
	case pull:
		return p.pull(now)
	case failed, renewed:
		p.out.retry(now)
		p.in.ask(now)
	case tick:
		return p.out.tick(now)
	case forget:
		p.out.forget()
		p.in.forget()
	case stranger:
		return p.strange(now, e)
	}
	return nil
}

// Ready tells whether a pull would return something.
func (p *peer) Ready(now time.Time) bool { return p.tell || p.out.ready() || p.in.ready(now) }

// Deadline returns when to step with a tick or a pull, unless something happens before; zero for
// never.
func (p *peer) Deadline() time.Time { return earlier(p.out.deadline(), p.in.due) }

// Idle tells whether nothing has passed, or everything was forgotten.
func (p *peer) Idle() bool { return p.in.epoch == 0 && len(p.out.ring) == 0 }

// earlier returns the earlier time; zero means never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// hear takes a packet: first what it says about our messages, then its own.
func (p *peer) hear(now time.Time, m mail) []effect {
	effects := p.out.acknowledged(now, m)
	if len(m.bodies) == 0 {
		return effects
	}
	return append(effects, p.in.take(now, m)...)
}

// pull returns the packets to publish now. Each carries the acknowledgement; the first asks.
func (p *peer) pull(now time.Time) []effect {
	var effects []effect
	if p.tell {
		p.tell = false
		effects = append(effects, answer{})
	}
	if p.in.refuse != 0 {
		effects = append(effects, publish{mail: mail{ackEpoch: p.in.refuse, want: true}})
		p.in.refuse = 0
	}
	packets := p.out.pull(now)
	if len(packets) == 0 && p.in.ready(now) {
		packets = []publish{{}}
	}
	for _, pub := range packets {
		p.in.acknowledge(&pub.mail)
		effects = append(effects, pub)
	}
	return effects
}

// answerEvery bounds how often a node of another version is told so.
const answerEvery = time.Second

// strange notes that the node speaks another version: nothing reaches it.
func (p *peer) strange(now time.Time, e stranger) []effect {
	if e.asks && now.Sub(p.told) >= answerEvery {
		p.tell, p.told = true, now
	}
	if p.alien {
		return nil
	}
	p.alien = true
	if p.out.forget() {
		return []effect{lost{}}
	}
	return nil
}
