package turn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	pionturn "github.com/pion/turn/v4"
)

// Config says how a relay runs.
type Config struct {
	Listen        netip.AddrPort // UDP and TCP; port 0 takes one that is free for both
	External      netip.Addr     // IPv4 address at which browsers reach Listen; none means that of Listen
	Host          string         // name in the URLs of credentials; "" means External
	Secret        []byte         // of credentials, 16 bytes or more; nodes with one secret honour each other's
	Ports         PortRange      // of relayed addresses; none means 49152 to 65535. Only open relays open them
	Deny          []netip.Prefix // what open relays may not reach besides the fixed list, such as Redis
	AllowLoopback bool           // open relays may reach 127.0.0.0/8, for tests and a local trial
	Plain         bool           // every packet goes through pion, as where the packet path does not run
	Quotas        Quotas
	Log           *slog.Logger
	Now           func() time.Time // clock of credentials and of the age of calls; nil means time.Now
}

// ErrPortInUse says that another program has the port of Config.Listen.
var ErrPortInUse = errors.New("port is in use: stop the program that has it, or give the relay another port")

// Server is a running relay.
type Server struct {
	cfg   Config
	addr  netip.AddrPort // where it listens
	bound netip.Addr     // IPv4 address of open relays' sockets
	mint  *mint
	peers *peers
	table *table

	ledger   *ledger
	throttle *throttle
	tally    tally
	buffers  sync.Pool // of *buffer

	path      *path    // nil on the plain path
	datagrams udpPlane // path, if there is one
	streams   *streams
	listener  net.Listener
	pion      *pionturn.Server

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
	udp, tcp, err := listen(cfg.Listen)
	if err != nil {
		return nil, err
	}
	s := newServer(cfg, m, udp, tcp)
	if err := s.serve(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if cfg.AllowLoopback {
		cfg.Log.LogAttrs(context.Background(), slog.LevelWarn,
			"the relay may reach this machine's loopback addresses: only for tests and trials")
	}
	return s, nil
}

// newServer joins the parts around two open sockets.
func newServer(cfg Config, m *mint, udp *net.UDPConn, tcp net.Listener) *Server {
	s := &Server{
		cfg: cfg, mint: m, listener: tcp,
		addr:     unmapped(udp.LocalAddr().(*net.UDPAddr).AddrPort()), // a UDPConn has no other
		table:    newTable(cfg.Ports, cfg.Quotas.Relays),
		ledger:   newLedger(cfg.Quotas),
		throttle: newThrottle(cfg.Quotas.Challenges),
		closing:  make(chan struct{}),
	}
	s.buffers.New = func() any { return new(buffer) }
	s.bound = netip.IPv4Unspecified()
	if s.addr.Addr().Is4() {
		s.bound = s.addr.Addr()
	}
	s.peers = &peers{special: special(), deny: cfg.Deny, loopback: cfg.AllowLoopback, own: ownAddresses(cfg.External, s.bound)}
	s.streams = newStreams(s, tcp.Addr())
	s.datagrams = s.choosePath(udp)
	return s
}

// choosePath takes the packet path where it runs, and the plain one elsewhere.
func (s *Server) choosePath(udp *net.UDPConn) udpPlane {
	if s.cfg.Plain {
		return newDatagrams(s, udp)
	}
	path, err := newPath(s, udp)
	if err != nil {
		s.cfg.Log.LogAttrs(context.Background(), slog.LevelWarn,
			"this system has no batched packets: the relay works, at two to three times the cost", slog.Any("error", err))
		return newDatagrams(s, udp)
	}
	s.path = path
	return path
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
	if !c.External.IsValid() {
		c.External = c.Listen.Addr()
	}
	c.External = c.External.Unmap()
	switch {
	case !c.Listen.IsValid():
		return c, errors.New("relay: no address to listen at")
	case c.Log == nil:
		return c, errors.New("relay: no log")
	case c.External.IsUnspecified():
		return c, fmt.Errorf("relay: listening at %s does not tell at which address browsers reach it: set the external address", c.Listen.Addr())
	case !c.External.Is4():
		return c, fmt.Errorf("relay: the external address must be IPv4, %s is not", c.External)
	case c.Ports.First == 0 || c.Ports.First > c.Ports.Last:
		return c, fmt.Errorf("relay: %d to %d is no range of ports", c.Ports.First, c.Ports.Last)
	}
	return c, nil
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

func inUse(what string, at netip.AddrPort, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("relay: %s %s: %w", what, at, ErrPortInUse)
	}
	return fmt.Errorf("relay: %w", err)
}

// ownAddresses are those of this host.
func ownAddresses(external, bound netip.Addr) map[netip.Addr]string {
	own := map[netip.Addr]string{external: "own", bound: "own"}
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
	var err error
	s.pion, err = pionturn.NewServer(pionturn.ServerConfig{
		Realm:         realm,
		AuthHandler:   s.authenticate,
		QuotaHandler:  s.admitRelay,
		LoggerFactory: quietLogger{log: s.cfg.Log, count: &s.tally.library},
		EventHandler:  s.events(),
		PacketConnConfigs: []pionturn.PacketConnConfig{
			{PacketConn: s.datagrams, RelayAddressGenerator: s.datagrams.guard(), PermissionHandler: s.permits},
			{PacketConn: s.streams, RelayAddressGenerator: &s.streams.gate, PermissionHandler: s.permits},
		},
	})
	if err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	s.tasks.Go(s.watch)
	s.tasks.Go(func() { s.streams.accept(s.listener) })
	return nil
}

// watch wakes the planes once a second to end what is due.
func (s *Server) watch() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.datagrams.wake()
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

// gateOf returns the gate of the plane that a packet came through.
func (s *Server) gateOf(src net.Addr) *gate {
	if _, isTCP := src.(*net.TCPAddr); isTCP {
		return &s.streams.gate
	}
	return s.datagrams.guard()
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
func (s *Server) Addr() netip.AddrPort { return s.addr }

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

// Close ends every relay and returns when all that the relay started has ended. The same address
// can be given to Start at once.
func (s *Server) Close() error {
	var err error
	s.once.Do(func() {
		close(s.closing)
		err = s.listener.Close()
		s.streams.hangUp()
		s.tasks.Wait() // the stream plane still runs and takes the last news of each connection
		err = errors.Join(err, s.datagrams.Close(), s.streams.Close())
		if s.path != nil {
			s.path.stop()
		}
		if s.pion != nil {
			s.awaitPion()
		}
		s.relays.Wait()
		if s.path != nil {
			s.path.free() // nobody is left who could send
		}
	})
	return err
}

// awaitPion returns when pion has left the planes, so that it makes no more relays.
func (s *Server) awaitPion() {
	<-s.streams.left
	if s.path != nil {
		<-s.path.left
	}
}
