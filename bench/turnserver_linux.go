package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"parley/internal/vtest"
	"parley/turn"
)

// turnServer is parley's relay or coturn in a process of its own, on a core of its own.
type turnServer struct {
	name    string
	address netip.AddrPort
	secure  netip.AddrPort // for TLS, where there is
	bare    bool           // it forwards between those who say that they belong together, and is no TURN server
	pid     int
	who     func(call int) (account, error) // for a browser of a call
	usage   func() (usage, error)           // after a collection; nil for coturn
	stop    func() error
}

// turnSecret is of the credentials of the bench's relays.
const turnSecret = "a secret of the relays of bench"

// newRelay is parley's relay with quotas that let one address be ten thousand people.
func newRelay(at netip.AddrPort, path string) (*turn.Server, error) {
	const many = 1 << 20
	secure, shows, err := securePort(at, path)
	if err != nil {
		return nil, err
	}
	if secure.IsValid() {
		at = netip.AddrPortFrom(at.Addr(), 0)
	}
	return turn.Start(turn.Config{
		Listen: at, ListenTLS: secure, TLS: shows, Secret: []byte(turnSecret), AllowLoopback: true, Plain: path == "plainrelay",
		Ports: turn.PortRange{First: 10_000, Last: 65_535},
		Quotas: turn.Quotas{
			PerCredential: many, PerCall: many, PerNetwork: many, Relays: 16 << 10, Streams: many, StreamsPer: many,
			VoiceRate: many, RoomRate: many, Challenges: many,
		},
		Log: slog.New(slog.DiscardHandler),
	})
}

// securePort is where the relay of the path "tlsrelay" takes TLS, with what it shows.
func securePort(at netip.AddrPort, path string) (netip.AddrPort, *tls.Config, error) {
	if path != "tlsrelay" {
		return netip.AddrPort{}, nil, nil
	}
	sheet, key, err := vtest.Certificate(time.Now().Add(time.Hour), "127.0.0.1")
	if err != nil {
		return at, nil, err
	}
	pair, err := tls.X509KeyPair(sheet, key)
	return at, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, err
}

// openRelay serves as a child: the relay at the address that the child has chosen. The name says on
// which path, and of what kind its credentials are.
func openRelay(ctx context.Context, name string, listener net.Listener) (service, error) {
	path, kind, _ := strings.Cut(name, ":")
	at, err := netip.ParseAddrPort(listener.Addr().String())
	if err != nil {
		return service{}, err
	}
	if err := listener.Close(); err != nil {
		return service{}, err
	}
	relay, err := newRelay(at, path) //nolint:contextcheck // it lives until Close
	if err != nil {
		return service{}, err
	}
	return service{
		serve: func() error {
			<-ctx.Done()
			return relay.Close()
		},
		account: func(call string) (user, password string) {
			c := relay.CredentialOf(turn.Kind(kind[0]), call)
			return c.Username, c.Password
		},
	}, nil
}

// startRelay starts parley's relay on its core.
func startRelay(ctx context.Context, path string, kind turn.Kind, profile string) (*turnServer, error) {
	s, c, err := startOnCore(ctx, path+":"+string(rune(kind)), "-profile", profile)
	if err != nil {
		return nil, err
	}
	s.name, s.secure, s.who = "parley", s.address, c.account
	s.usage = func() (usage, error) { return c.ask("collect") }
	return s, nil
}

// startOnCore starts a child on the servers' core.
func startOnCore(ctx context.Context, what string, args ...string) (*turnServer, *child, error) {
	var c *child
	if err := onCore(serverCore, func() (err error) {
		c, err = startChild(ctx, what, args...)
		return err
	}); err != nil {
		return nil, nil, err
	}
	prefer(c.process.Process.Pid)
	at, err := netip.ParseAddrPort(c.address)
	if err != nil {
		return nil, nil, errors.Join(err, c.stop())
	}
	return &turnServer{name: what, address: at, pid: c.process.Process.Pid, stop: c.stop}, c, nil
}

// startCoturn starts Debian's coturn on its core, with one thread for packets and no log.
func startCoturn(ctx context.Context) (*turnServer, error) {
	path, err := exec.LookPath("turnserver")
	if err != nil {
		return nil, errors.New("there is no turnserver to compare with: apt-get install --no-install-recommends coturn")
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "parley-bench-coturn")
	if err != nil {
		return nil, err
	}
	secure, err := freePort()
	if err != nil {
		return nil, err
	}
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := vtest.CertificateFiles(cert, key, "127.0.0.1"); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, "-n", "-m", "1", "--lt-cred-mech", "-u", "bench:bench", "-r", "bench", //nolint:gosec // G204: what LookPath found
		"-L", "127.0.0.1", "-p", strconv.Itoa(port), "--min-port", "10000", "--max-port", "65535",
		"--allow-loopback-peers", "--no-cli", "--no-dtls",
		"--tls-listening-port", strconv.Itoa(secure), "--cert", cert, "--pkey", key, "--no-stdout-log", "--simple-log", "--no-software-attribute",
		"-l", "/dev/null", "--pidfile", filepath.Join(dir, "pid"), "--db", filepath.Join(dir, "db"))
	cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
	if err := onCore(serverCore, cmd.Start); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s := &turnServer{
		name: "coturn", address: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(port)), pid: cmd.Process.Pid, //nolint:gosec // a port
		secure: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(secure)), //nolint:gosec // a port
		who:    func(int) (account, error) { return account{"bench", "bench"}, nil },
		stop: func() error {
			_ = cmd.Process.Kill() // it has nothing to save
			_ = cmd.Wait()         // says that it was killed
			return os.RemoveAll(dir)
		},
	}
	prefer(s.pid)
	first, err := dialTurn(s.address, "udp", account{"bench", "bench"}) // asks again while the server starts
	for tries := 0; err != nil && tries < 20; tries++ {
		pause(ctx, 100*time.Millisecond)
		first, err = dialTurn(s.address, "udp", account{"bench", "bench"})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("coturn: %w", err), s.stop())
	}
	// Its port stays taken: coturn challenges nobody who comes from where it has just had somebody.
	end := s.stop
	s.stop = func() error { return errors.Join(end(), unix.Close(first.fd)) }
	return s, first.giveUp()
}

func freePort() (int, error) {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, err
	}
	return c.LocalAddr().(*net.UDPAddr).Port, c.Close() // a UDPConn has no other
}

// Of the two cores that this needs, one is the server's and the rest the load's.
const serverCore, loadCore = 0, 1

// onCore runs f on a thread that only runs on one core, before other programs there if the system lets
// it (root); a process that f starts stays there.
func onCore(core int, f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var old, only unix.CPUSet
	only.Set(core)
	if err := errors.Join(unix.SchedGetaffinity(0, &old), unix.SchedSetaffinity(0, &only)); err != nil {
		return err
	}
	const most = -20
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, most) // of this thread
	err := f()
	return errors.Join(err, unix.SchedSetaffinity(0, &old))
}

// prefer lets a process run before others, if the system lets it; sched(7) says what an autogroup
// is.
func prefer(pid int) {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/autogroup", pid), []byte("-20"), 0)
}

// spentOn is what the threads of a process have used.
func spentOn(pid int) (cpu time.Duration, err error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(files) == 0 {
		return 0, errors.Join(err, fmt.Errorf("process %d has ended", pid))
	}
	for _, file := range files {
		text, err := os.ReadFile(file) //nolint:gosec // G304: what the pattern found
		if err != nil {
			continue // the thread has ended
		}
		var ns int64
		if _, err := fmt.Sscan(string(text), &ns); err != nil {
			return 0, err
		}
		cpu += time.Duration(ns)
	}
	return cpu, nil
}

// ticks are a process's time in its own code and in the kernel, in clock ticks.
func ticks(pid int) (user, kernel float64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ") // the name may hold anything
	fields := strings.Fields(rest)
	const utime, stime = 11, 12 // proc(5), counted from the state
	if len(fields) <= stime {
		return 0, 0, errors.New("no times in /proc")
	}
	user, err = strconv.ParseFloat(fields[utime], 64)
	if err != nil {
		return 0, 0, err
	}
	kernel, err = strconv.ParseFloat(fields[stime], 64)
	return user, kernel, err
}

// residentOf is the resident memory of a process.
func residentOf(pid int) (uint64, error) { return residentIn(fmt.Sprintf("/proc/%d/status", pid)) }
