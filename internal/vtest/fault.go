package vtest

import (
	"context"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Way is a direction through a [Fault].
type Way int

// The directions, and both.
const (
	ToServer Way = 1 << iota
	ToClient
	BothWays = ToServer | ToClient
)

// Loss says what becomes of a connection whose reply is dropped. The command was carried out.
type Loss int

// The ways to lose a reply.
const (
	CloseAfter Loss = iota // nothing of the reply arrives; the connection is closed
	StallAfter             // nothing arrives, and nothing more on this connection; it stays open
	TearAfter              // half of the reply arrives; then the connection is closed
)

// Fault is a proxy in front of a Redis that breaks what lies between it and its clients. It works
// on whole commands and replies, so a lost reply is lost entirely or where the test says. All
// connections share its faults. It ends with the test, after all its goroutines.
//
// It stands in front of a real server or, inside a synctest bubble, of the embedded one.
type Fault struct {
	t    testing.TB
	to   *redis.Options
	work sync.WaitGroup // all goroutines
	done chan struct{}

	mu      sync.Mutex // guards the following fields
	changed chan struct{}
	conns   map[*faultConn]struct{}
	closed  bool
	delay   time.Duration
	hole    Way
	refuse  bool
	drops   int
	loss    Loss
	only    []string // commands whose replies are dropped; none for all but those that open a connection
	counts  FaultCounts
}

// FaultCounts says what a [Fault] has done.
type FaultCounts struct {
	Conns   int // connections accepted
	Cut     int // connections closed by Cut
	Dropped int // replies dropped
	Refused int // connections closed because of Refuse
}

// NewFault returns a proxy, as yet without fault, to the server that the options name.
func NewFault(t testing.TB, to *redis.Options) *Fault {
	f := &Fault{t: t, to: to, done: make(chan struct{}), changed: make(chan struct{}), conns: map[*faultConn]struct{}{}}
	t.Cleanup(func() {
		f.set(func() { f.closed = true })
		close(f.done)
		f.Cut()
		f.work.Wait()
	})
	return f
}

// Options returns a copy of the server's options that leads through the proxy, over memory, for a
// client that repeats nothing by itself.
func (f *Fault) Options() *redis.Options {
	through := *f.to
	through.MaxRetries = -1 // options taken from a client say 0 for that, which would mean 3
	if through.Dialer == nil {
		through.Network, through.Addr = "tcp", "192.0.2.8:6379" // not the Unix socket, which needs no name
	}
	through.Dialer = func(context.Context, string, string) (net.Conn, error) {
		c, s := Pipe()
		f.serve(s)
		return c, nil
	}
	return &through
}

// Listen returns an address on loopback that leads through the proxy, for other processes.
func (f *Fault) Listen() string {
	f.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	f.work.Go(func() {
		<-f.done
		_ = l.Close()
	})
	f.work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // closed
			}
			f.serve(c)
		}
	})
	return l.Addr().String()
}

// Delay holds everything up for d in each direction; what is on its way already is not held.
func (f *Fault) Delay(d time.Duration) { f.set(func() { f.delay = d }) }

// Hole forwards nothing in that direction until Heal; then all that was held flows on, as after a
// broken network that TCP outlived. Connections are accepted meanwhile and find nobody.
func (f *Fault) Hole(w Way) { f.set(func() { f.hole = w }) }

// Refuse closes new connections at once until Heal. With Cut it is a server that is down.
func (f *Fault) Refuse() { f.set(func() { f.refuse = true }) }

// DropReplies drops the replies to the next n commands of those names, in lower case; without names
// to any command but those that a client opens a connection with. What the server sends unasked
// counts as the reply to "push".
func (f *Fault) DropReplies(n int, loss Loss, commands ...string) {
	f.set(func() { f.drops, f.loss, f.only = n, loss, commands })
}

// Heal ends Delay, Hole, Refuse and DropReplies. Stranded connections stay what they are.
func (f *Fault) Heal() {
	f.set(func() { f.delay, f.hole, f.refuse, f.drops = 0, 0, false, 0 })
}

// Cut closes all connections and forgets what they held. New ones are accepted.
func (f *Fault) Cut() {
	f.mu.Lock()
	var all []*faultConn
	for c := range f.conns {
		all = append(all, c)
	}
	f.counts.Cut += len(all)
	f.mu.Unlock()
	for _, c := range all {
		c.close()
	}
}

// Strand makes the connections that exist now holes for good: alive to look at, and dead. Those
// made later are sound. This is what a firewall that lost its table leaves, or a failover.
func (f *Fault) Strand() {
	f.set(func() {
		for c := range f.conns {
			c.stranded = true
		}
	})
}

// Counts returns what the proxy has done.
func (f *Fault) Counts() FaultCounts {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts
}

// set changes the faults and wakes who waits for one to end.
func (f *Fault) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	close(f.changed)
	f.changed = make(chan struct{})
}

// drop tells whether the reply to the command is to be dropped now, and how.
func (f *Fault) drop(command string) (Loss, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.drops == 0 {
		return 0, false
	}
	named := slices.Contains(f.only, command)
	opening := command == "push" || slices.Contains([]string{"hello", "auth", "select", "client", "readonly"}, command)
	if len(f.only) > 0 && !named || len(f.only) == 0 && opening {
		return 0, false
	}
	f.drops--
	f.counts.Dropped++
	return f.loss, true
}

// serve connects a client with the server until either closes.
func (f *Fault) serve(client net.Conn) {
	c := &faultConn{fault: f, client: client, pending: make(chan string, 1<<16), done: make(chan struct{})}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || f.refuse {
		f.counts.Refused++
		_ = client.Close()
		return
	}
	f.counts.Conns++
	f.conns[c] = struct{}{}
	f.work.Go(c.run)
}

// dial connects to the server.
func (f *Fault) dial() (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if f.to.Dialer != nil {
		return f.to.Dialer(ctx, f.to.Network, f.to.Addr)
	}
	network := f.to.Network
	if network == "" {
		network = "tcp"
	}
	var d net.Dialer
	return d.DialContext(ctx, network, f.to.Addr)
}

// faultConn is one connection through the proxy.
type faultConn struct {
	fault    *Fault
	client   net.Conn
	pending  chan string // commands that have no reply yet, in order
	stranded bool        // guarded by the fault's mutex

	once   sync.Once
	done   chan struct{}
	mu     sync.Mutex // guards server, closed
	server net.Conn
	closed bool
}

// run owns the connection: it returns when both directions have ended.
func (c *faultConn) run() {
	defer func() {
		c.close()
		c.fault.mu.Lock()
		defer c.fault.mu.Unlock()
		delete(c.fault.conns, c)
	}()
	server, err := c.fault.dial()
	if err != nil || !c.take(server) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { c.pump(ToServer, c.client, server) })
	both.Go(func() { c.pump(ToClient, server, c.client) })
	both.Wait()
}

// take notes the server's end; false when the connection was closed meanwhile.
func (c *faultConn) take(server net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		_ = server.Close()
		return false
	}
	c.server = server
	return true
}

func (c *faultConn) close() {
	c.once.Do(func() {
		close(c.done)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.closed = true
		_ = c.client.Close()
		if c.server != nil {
			_ = c.server.Close()
		}
	})
}

// parcel is one command or reply on its way.
type parcel struct {
	raw  []byte
	from time.Time
	last bool // the connection is closed after it
	dead bool // nothing is forwarded from here on
}

// parcels is how many commands or replies one direction holds; beyond it the proxy reads no more.
const parcels = 1024

// pump forwards one direction until either end closes.
func (c *faultConn) pump(w Way, from io.Reader, to io.Writer) {
	defer c.close()
	way := make(chan parcel, parcels)
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(way)
		c.read(w, newRESP(from), way)
	})
	defer reader.Wait()
	defer c.close() // before the wait: it ends the reader
	for p := range way {
		if p.dead {
			<-c.done
			return
		}
		if !c.await(w, p.from) {
			return
		}
		if _, err := to.Write(p.raw); err != nil || p.last {
			return
		}
	}
}

// read cuts a direction into parcels.
func (c *faultConn) read(w Way, r *resp, way chan<- parcel) {
	for {
		raw, err := r.next()
		if err != nil {
			return
		}
		p := parcel{raw: raw, from: time.Now()}
		if w == ToServer {
			select {
			case c.pending <- command(raw):
			case <-c.done:
				return
			}
		} else {
			p = c.judge(p)
		}
		select {
		case way <- p:
		case <-c.done:
			return
		}
	}
}

// judge decides whether a reply is dropped.
func (c *faultConn) judge(p parcel) parcel {
	name := "push"
	if !push(p.raw) {
		select {
		case name = <-c.pending:
		default: // a further reply to one command
		}
	}
	loss, dropped := c.fault.drop(name)
	switch {
	case !dropped:
	case loss == StallAfter:
		p.dead = true
	case loss == TearAfter:
		p.raw, p.last = p.raw[:len(p.raw)/2], true
	default:
		p.raw, p.last = nil, true
	}
	return p
}

// await waits out the faults that hold a parcel; false when the connection was closed meanwhile.
func (c *faultConn) await(w Way, from time.Time) bool {
	for {
		f := c.fault
		f.mu.Lock()
		held := c.stranded || f.hole&w != 0
		changed, due := f.changed, from.Add(f.delay)
		f.mu.Unlock()
		var timer <-chan time.Time
		if !held {
			wait := time.Until(due)
			if wait <= 0 {
				return true
			}
			timer = time.After(wait)
		}
		select {
		case <-timer:
		case <-changed:
		case <-c.done:
			return false
		}
	}
}

// Commands returns how many commands the server has carried out.
func (r *Redis) Commands() int { return r.server.CommandCount() }
