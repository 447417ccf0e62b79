package turn

import (
	"math"
	"net"
	"net/netip"
	"time"
)

// Forbids judges a peer as an open relay would.
func Forbids(to netip.AddrPort, loopback bool, deny ...netip.Prefix) string {
	p := &peers{special: special(), deny: deny, loopback: loopback, own: map[netip.Addr]string{netip.MustParseAddr("8.8.4.4"): "own"}}
	return p.forbids(to)
}

// Seen is what the filter makes of a packet.
type Seen struct {
	Data, Signed bool
	Peers        []netip.AddrPort
}

// Parse is the front filter.
func Parse(b []byte) (Seen, bool) {
	r, whole := parse(b)
	return Seen{Data: r.data, Signed: r.signed, Peers: r.peers}, whole
}

// FrameSize reads the head of a frame.
func FrameSize(b []byte) (size, padding int, ok bool) { return frameSize(b) }

// AcceptOn lets the server take connections from another listener too.
func (s *Server) AcceptOn(l net.Listener) { s.tasks.Go(func() { s.streams.accept(l) }) }

// Places is how many places of the quota are taken; -1 when user names, calls and networks do not
// add up to as many.
func (s *Server) Places() int {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	if n := s.ledger.total; sum(s.ledger.users) == n && sum(s.ledger.calls) == n && sum(s.ledger.networks) == n {
		return n
	}
	return -1
}

// sum adds up what is counted; a key that counts nothing should have been forgotten and spoils it.
func sum[K comparable](counted map[K]int) int {
	total := 0
	for _, n := range counted {
		if n <= 0 {
			return -1
		}
		total += n
	}
	return total
}

// Near tells whether two addresses count as one network.
func Near(a, b string) bool {
	one, errA := neighbourhood(netip.MustParseAddr(a))
	other, errB := neighbourhood(netip.MustParseAddr(b))
	return errA == nil && errB == nil && one == other
}

// Age makes every relay older by d.
func (s *Server) Age(d time.Duration) {
	s.table.mu.RLock()
	defer s.table.mu.RUnlock()
	s.table.each(func(r *relay) { r.ends.Add(-int64(d)) })
}

// Left is how long the relay that ends first has.
func (s *Server) Left() time.Duration {
	s.table.mu.RLock()
	defer s.table.mu.RUnlock()
	least := time.Duration(math.MaxInt64)
	s.table.each(func(r *relay) { least = min(least, time.Until(r.expires())) })
	return least
}

// Goes tells where a packet of a relay of kind goes: "inside", "outside" or "nowhere".
func (s *Server) Goes(kind Kind, to netip.AddrPort) string {
	how, _ := s.route(&relay{server: s, grant: grant{kind: kind}}, to)
	return map[way]string{inside: "inside", outside: "outside", nowhere: "nowhere"}[how]
}

// Authenticates asks the hook of pion that decides on user names.
func (s *Server) Authenticates(user string, src net.Addr) bool {
	_, ok := s.authenticate(user, realm, src)
	return ok
}

// Unwritten returns what a stream keeps of frames while its reader does not read.
func Unwritten(frames [][]byte) [][]byte {
	c := &stream{plane: &streams{plane: plane{gate: gate{server: &Server{}}}}, out: make(chan []byte, outSize)}
	for _, f := range frames {
		c.send(f)
	}
	var kept [][]byte
	for len(c.out) > 0 {
		kept = append(kept, <-c.out)
	}
	return kept
}

// Fail panics as a packet might that makes the code fail.
func (s *Server) Fail(with string) {
	defer s.survive()
	panic(with)
}

// Break makes the code fail for packets to the relay at port.
func (s *Server) Break(port uint16) { s.table.at(port).granted.Store(nil) }

// Lapse takes all permissions from the relay at port, and no channel.
func (s *Server) Lapse(port uint16) {
	s.table.at(port).change(func(g *granted) { g.permitted = nil })
}

// Carry is what the packet path would send to a browser for a packet, nil if nothing.
func (s *Server) Carry(packet []byte, from netip.AddrPort) []byte {
	b := s.buffer()
	defer s.buffers.Put(b)
	st := s.fromBrowser(b, copy(b[headroom:], packet), client{addr: from}, time.Now())
	if st.do != toBrowser {
		return nil
	}
	return b[st.span.start:st.span.end]
}

// Heard does the same for a packet that a peer sends to a relay.
func (s *Server) Heard(packet []byte, at, from string) {
	b := s.buffer()
	defer s.buffers.Put(b)
	s.table.at(netip.MustParseAddrPort(at).Port()).fromPeer(b, copy(b[headroom:], packet), netip.MustParseAddrPort(from), time.Now())
}
