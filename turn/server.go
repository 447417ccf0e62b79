package turn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Config says how a relay runs.
type Config struct {
	Listen        netip.AddrPort // UDP and TCP; port 0 takes one that is free for both
	External      netip.Addr     // IPv4 address at which browsers reach Listen; none means that of Listen
	Host          string         // name in the URLs of credentials; "" means External
	ListenTLS     netip.AddrPort // TLS on a port of its own; none: only where Share takes it
	TLS           *tls.Config    // what ListenTLS shows
	Secure        string         // HOST:PORT in the turns: URL of credentials, a name in the certificate; "" for no such URL
	Secret        []byte         // of credentials, 16 bytes or more; nodes with one secret honour each other's
	Also          []Address      // more addresses to listen at; at the most 7
	External6     netip.Addr     // IPv6 address at which browsers reach Listen, for their URLs; none: they need not know one
	Ports         PortRange      // of relayed addresses; none means 49152 to 65535. Only open relays open them
	OpenPorts     PortRange      // those of Ports that open relays take, and no others; none means all
	Deny          []netip.Prefix // what open relays may not reach besides the fixed list, such as Redis
	AllowLoopback bool           // open relays may reach 127.0.0.0/8, for tests and a local trial
	Plain         bool           // every packet goes through pion, as where the packet path does not run
	Quotas        Quotas
	// CredentialTime is how long a credential can make a relay; 0, or longer than [CredentialTime], means that.
	CredentialTime time.Duration
	// Ended hears of each relay that has ended, while its end waits: it must not. It is the only way out
	// for the addresses of browsers; nil, and nothing is counted for single relays.
	Ended func(Ended)
	Log   *slog.Logger
	Now   func() time.Time // clock of credentials and of the age of calls; nil means time.Now
}

// ErrPortInUse says that another program has the port of Config.Listen.
var ErrPortInUse = errors.New("port is in use: stop the program that has it, or give the relay another port")

// ErrListenTLS says that it is Config.ListenTLS that cannot be opened.
var ErrListenTLS = errors.New("port for TLS")

// Server is a running relay.
type Server struct {
	cfg    Config
	sites  []*site        // where it listens, the first that of Config.Listen
	secure netip.AddrPort // where it takes TLS on a port of its own
	mint   *mint
	peers  *peers
	table  *table
	ended  *ended
	life   string // random name of this run
	tagger *tagger
	near   atomic.Pointer[neighbours]

	ledger   *ledger
	throttle *throttle
	tally    tally
	buffers  sync.Pool // of *buffer
	framings sync.Pool // of *framing
	streams  *streams

	frames  atomic.Uint64 // sent to other nodes
	retired atomic.Bool

	mu        sync.Mutex // guards the following fields
	listeners []net.Listener
	porches   []*lobby // of shared listeners

	draining atomic.Bool
	closing  chan struct{}
	once     sync.Once
	tasks    sync.WaitGroup // janitor, acceptor, connections
	relays   sync.WaitGroup // relays that pion still reads from
}

// Start opens the relay. It serves until Close.
func Start(cfg Config) (*Server, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	m, err := newMint(cfg.Secret)
	if err != nil {
		return nil, err
	}
	s := newServer(cfg, m)
	if err := s.listen(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.serve(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if cfg.AllowLoopback {
		cfg.Log.LogAttrs(context.Background(), slog.LevelWarn,
			"the relay may reach this machine's loopback addresses: only for tests and trials")
	}
	return s, nil
}

// newServer joins the parts; it listens nowhere yet.
func newServer(cfg Config, m *mint) *Server {
	s := &Server{
		cfg: cfg, mint: m,
		table:    newTable(cfg.Ports, cfg.OpenPorts, cfg.Quotas.Relays),
		ended:    newEnded(),
		life:     newLife(),
		tagger:   newTagger(),
		ledger:   newLedger(cfg.Quotas),
		throttle: newThrottle(cfg.Quotas.Challenges),
		closing:  make(chan struct{}),
	}
	s.buffers.New = func() any { return new(buffer) }
	s.framings.New = func() any { return new(framing) }
	s.streams = newStreams(s)
	return s
}

// complete fills in defaults and refuses what cannot work.
func (c Config) complete() (Config, error) {
	c.Quotas = c.Quotas.orDefaults()
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Ports == (PortRange{}) {
		c.Ports = PortRange{First: 49152, Last: 65535}
	}
	if c.OpenPorts == (PortRange{}) {
		c.OpenPorts = c.Ports
	}
	if !c.External.IsValid() {
		c.External = c.Listen.Addr()
	}
	c.External = c.External.Unmap()
	if c.CredentialTime <= 0 || c.CredentialTime > CredentialTime {
		c.CredentialTime = CredentialTime
	}
	switch {
	case !c.Listen.IsValid():
		return c, errors.New("relay: no address to listen at")
	case c.Log == nil:
		return c, errors.New("relay: no log")
	case c.External.IsUnspecified():
		return c, fmt.Errorf("relay: listening at %s does not tell at which address browsers reach it: set the external address", c.Listen.Addr())
	case !c.External.Is4():
		return c, fmt.Errorf("relay: the external address must be IPv4, %s is not", c.External)
	case c.ListenTLS.IsValid() && c.TLS == nil:
		return c, errors.New("relay: no certificate for TLS")
	case c.Ports.First == 0 || c.Ports.First > c.Ports.Last:
		return c, fmt.Errorf("relay: %d to %d is no range of ports", c.Ports.First, c.Ports.Last)
	case c.OpenPorts.First < c.Ports.First || c.OpenPorts.Last > c.Ports.Last || c.OpenPorts.First > c.OpenPorts.Last:
		return c, fmt.Errorf("relay: %d to %d is no part of %d to %d", c.OpenPorts.First, c.OpenPorts.Last, c.Ports.First, c.Ports.Last)
	case c.External6.IsValid() && (!c.External6.Is6() || c.Listen.Addr().Is4()):
		return c, fmt.Errorf("relay: browsers cannot reach %s at %s", c.External6, c.Listen)
	}
	return c, c.checkAlso()
}

// listenBuffer is bytes that wait in a socket; the usual default holds 277 small packets.
const listenBuffer = 4 << 20

// listen opens UDP and TCP on one port. With port 0 several may have to be tried.
func listen(at netip.AddrPort) (*net.UDPConn, net.Listener, error) {
	const tries = 16
	var last error
	for range tries {
		udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
		if err != nil {
			return nil, nil, inUse("UDP", at, err)
		}
		_ = udp.SetReadBuffer(listenBuffer) // as much as the system grants
		here, err := netip.ParseAddrPort(udp.LocalAddr().String())
		if err != nil {
			return nil, nil, errors.Join(err, udp.Close())
		}
		tcp, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(at.Addr(), here.Port())))
		if err == nil {
			return udp, tcp, nil
		}
		last = errors.Join(inUse("TCP", at, err), udp.Close())
		if at.Port() != 0 {
			break
		}
	}
	return nil, nil, last
}

// listenTLS opens the port for TLS, if there is to be one.
func (s *Server) listenTLS() error {
	if !s.cfg.ListenTLS.IsValid() {
		return nil
	}
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(s.cfg.ListenTLS))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrListenTLS, inUse("TLS", s.cfg.ListenTLS, err))
	}
	s.secure = unmapped(l.Addr().(*net.TCPAddr).AddrPort()) // a TCPListener has no other
	s.listeners = append(s.listeners, tls.NewListener(eagerly{l}, s.cfg.TLS))
	return nil
}

func inUse(what string, at netip.AddrPort, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("relay: %s %s: %w", what, at, ErrPortInUse)
	}
	return fmt.Errorf("relay: %w", err)
}

// ownAddresses are those of this host.
func ownAddresses(sites []*site) map[netip.Addr]string {
	own := map[netip.Addr]string{}
	for _, x := range sites {
		own[x.external], own[x.bound] = "own", "own"
	}
	all, _ := net.InterfaceAddrs() // without them the fixed list still holds
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				own[ip.Unmap()] = "own"
			}
		}
	}
	return own
}

// serve starts pion and everything that runs.
func (s *Server) serve() error {
	s.peers = &peers{special: special(), deny: s.cfg.Deny, loopback: s.cfg.AllowLoopback, own: ownAddresses(s.sites)}
	for _, x := range s.sites {
		if err := x.serve(); err != nil {
			return err
		}
	}
	s.tasks.Go(s.watch)
	for _, l := range s.listeners {
		s.tasks.Go(func() { s.accept(l, s.streams.welcome) })
	}
	return nil
}

// watch wakes the planes once a second to end what is due.
func (s *Server) watch() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			for _, x := range s.sites {
				x.udp.wake()
			}
			s.streams.wake()
		case <-s.closing:
			return
		}
	}
}

// endDue ends the relays of one plane whose time is over. Only that plane's loop calls it.
func (s *Server) endDue(of *gate) {
	for _, r := range s.table.due(of, time.Now()) {
		_ = r.Close() // always nil
	}
}

// buffer returns one from the pool, which holds nothing else.
func (s *Server) buffer() *buffer { return s.buffers.Get().(*buffer) }

// survive, deferred, makes a failing packet cost only itself. What failed may hold an address, so
// the log says only that it happened.
func (s *Server) survive() {
	if recover() != nil {
		s.tally.panics.Add(1)
		s.cfg.Log.LogAttrs(context.Background(), slog.LevelError, "the relay dropped a packet that made it fail")
	}
}

// Addr is where the relay listens, with UDP and TCP.
func (s *Server) Addr() netip.AddrPort { return s.sites[0].addr }

// Retire announces from now on that this relay takes no new calls; relays for credentials that were
// handed out before are still made.
func (s *Server) Retire() { s.retired.Store(true) }

// Draining tells whether browsers should be sent elsewhere.
func (s *Server) Draining() bool { return s.retired.Load() || s.draining.Load() }

// Drain refuses new relays from now on; running ones go on.
func (s *Server) Drain() { s.draining.Store(true) }

func (s *Server) isClosing() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// shut takes no more connections, and ends those in front of the door.
func (s *Server) shut() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.closing)
	var all error
	for _, l := range s.listeners {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			all = errors.Join(all, err)
		}
	}
	for _, p := range s.porches {
		p.hangUp()
	}
	return all
}

// Close ends every relay and returns when all that the relay started has ended. The same address
// can be given to Start at once.
func (s *Server) Close() error {
	var err error
	s.once.Do(func() {
		err = s.shut()
		s.streams.hangUp()
		s.tasks.Wait() // the stream plane still runs and takes the last news of each connection
		err = errors.Join(err, s.streams.Close())
		for _, x := range s.sites {
			err = errors.Join(err, x.close())
		}
		for _, x := range s.sites {
			x.await()
		}
		s.relays.Wait()
		for _, x := range s.sites {
			x.free() // nobody is left who could send
		}
	})
	return err
}
