package turn

import (
	"bufio"
	"bytes"
	"io"
	"math"
	"net"
	"net/netip"
	"strings"
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
func (s *Server) AcceptOn(l net.Listener) { s.tasks.Go(func() { s.accept(l, s.streams.welcome) }) }

// SecureAddr is the port for TLS.
func (s *Server) SecureAddr() string { return s.secure.String() }

// Places is how many places of the quota are taken; -1 when user names, calls and networks do not
// add up to as many.
func (s *Server) Places() int {
	s.ledger.mu.Lock()
	defer s.ledger.mu.Unlock()
	if n := s.ledger.total; users(s.ledger.users) == n && sum(s.ledger.calls) == n && sum(s.ledger.networks) == n {
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

func users(all map[string]*account) int {
	counted := map[string]int{}
	for name, a := range all {
		counted[name] = a.relays
	}
	return sum(counted)
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
	how, _ := s.route(&relay{server: s, site: s.sites[0], grant: grant{kind: kind}}, to)
	return map[way]string{inside: "inside", outside: "outside", nowhere: "nowhere", elsewhere: "elsewhere"}[how]
}

// Authenticates asks the hook of pion that decides on user names.
func (s *Server) Authenticates(user string, src net.Addr) bool {
	_, ok := s.sites[0].authenticate(user, realm, src)
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

// Behind says whether a stream has something left to send, or is being written to by who waits.
func (s *Server) Behind() bool {
	s.streams.mu.RLock()
	defer s.streams.mu.RUnlock()
	for _, c := range s.streams.conns {
		if !c.below.mu.TryLock() {
			return true
		}
		left := len(c.below.rest)
		c.below.mu.Unlock()
		if left > 0 {
			return true
		}
	}
	return false
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
	s.table.at(port).change(func(g *grants) { g.permitted = nil })
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

// KeyTime is how long one secret serves.
const KeyTime = keyTime

// LeakedKeys returns a way to make credentials as somebody could who has the secret of the period
// that is live at a time, and nothing else.
func (s *Server) LeakedKeys(at time.Time) func(call string, expires time.Time) Credential {
	m, err := newMint(s.cfg.Secret)
	if err != nil {
		panic(err)
	}
	k := *m.of(at.Unix())
	return func(call string, expires time.Time) Credential {
		as := k
		as.period = expires.Unix() / int64(keyTime/time.Second)
		m.live = [2]*keys{&as, &as}
		user := m.make(Veil, call, s.name(), expires)
		return Credential{Username: user, Password: m.password(user)}
	}
}

// EndOthers ends as many other calls as make the relay forget those that ended before.
func (s *Server) EndOthers() {
	for i := range 2*mostEnded + 1 {
		s.ended.add(mark{byte(i), byte(i >> 8), byte(i >> 16), 1}, s.cfg.Now())
	}
}

// pieces is a connection from which come bytes, a few at a time.
type pieces struct {
	net.Conn
	from io.Reader
	most int
}

func (p *pieces) Read(b []byte) (int, error)      { return p.from.Read(b[:min(len(b), p.most)]) }
func (p *pieces) SetReadDeadline(time.Time) error { return nil }

// Streamed reads a stream that brings b in pieces.
func Streamed(b []byte, piece int) (all [][]byte) {
	conn := &pieces{from: bytes.NewReader(b), most: max(1, piece)}
	c := &stream{conn: conn, in: bufio.NewReaderSize(conn, inSize)}
	var buf buffer
	for {
		n, err := c.next(&buf)
		if err != nil {
			return all
		}
		all = append(all, bytes.Clone(buf.packet(n)))
	}
}

// Names returns a reader of user names at a time, and one that it takes.
func Names(now time.Time) (open func(name string) bool, good string) {
	m, err := newMint(make([]byte, minSecret))
	if err != nil {
		panic(err)
	}
	const relay = "192.0.2.1:3478"
	good = "1700000060:WKyAQy4bG8A1ZuwD1diS5TR5v_151fRy2GqwNwA1PdCFUlusuJntXKolWPK_" // of the call "call", the same in each process
	return func(name string) bool {
		_, why := m.open(name, relay, now)
		return why == granted
	}, good
}

// Gate returns a gate of its own, with what it lets through and what it answers.
func (s *Server) Gate() func(b []byte, from netip.AddrPort) (seen bool, answers [][]byte) {
	var said [][]byte
	g := &gate{server: s, reply: func(b []byte, _ client) { said = append(said, bytes.Clone(b)) }}
	return func(b []byte, from netip.AddrPort) (bool, [][]byte) {
		said = nil
		seen := g.admit(b, client{addr: from})
		g.settle()
		return seen, said
	}
}

// Frame is what goes to the other node for a packet between two relays of a call.
func (s *Server) Frame(call string, from, to uint16, packet []byte) []byte {
	for _, n := range s.near.Load().byAddr {
		return s.frameFor(new(framing), n, hop{s.mint.markOf(call), from, to}, packet)
	}
	return nil
}

// Frames takes a datagram as if it came from another node.
func (s *Server) Frames(b []byte, from netip.AddrPort) bool { return s.fromNeighbour(b, from) }

// Sign is an announcement of some lines that this relay's installation takes for its own.
func (s *Server) Sign(lines string) string { return s.vouch(lines) }

// Lines are those of an announcement, without its signature.
func Lines(announcement string) string {
	return announcement[:strings.LastIndexByte(announcement, '\n')]
}
