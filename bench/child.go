package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"
)

// A child is a server in a process of its own, so that its CPU and memory are its own and not the
// load's. It prints its address, then answers each line on standard input with a line:
//
//	usage    CPU and resident memory so far
//	collect  the same, after a garbage collection that returns all free memory
//	account  user name and password for a browser of the call whose name follows
//
// and ends when standard input does.
type child struct {
	address string
	orders  io.WriteCloser
	answers *bufio.Scanner
	process *exec.Cmd
}

// usage is what a child has used.
type usage struct {
	cpu        time.Duration
	resident   uint64 // bytes, as it stands
	collected  uint64 // bytes, after a collection; filled in by who asked for one
	heap       uint64 // of it, in spans that hold objects
	stack      uint64 // of it, in stacks
	goroutines int
}

// startChild runs this program again as the named child. Extra arguments follow the name.
func startChild(ctx context.Context, name string, args ...string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args = append([]string{"-child", name}, args...)
	c := &child{process: exec.CommandContext(ctx, self, args...)} //nolint:gosec // G204: this program itself
	c.process.Stderr = os.Stderr
	c.process.Env = append(os.Environ(), "GOGC=75") // as cmd/parley sets it
	if c.orders, err = c.process.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.process.Start(); err != nil {
		return nil, err
	}
	c.answers = bufio.NewScanner(out)
	if !c.answers.Scan() {
		return nil, errors.Join(fmt.Errorf("child %s did not start", name), c.stop())
	}
	c.address = c.answers.Text()
	return c, nil
}

func (c *child) ask(order string) (usage, error) {
	if _, err := fmt.Fprintln(c.orders, order); err != nil {
		return usage{}, err
	}
	if !c.answers.Scan() {
		return usage{}, errors.New("child has ended")
	}
	var u usage
	_, err := fmt.Sscanf(c.answers.Text(), "%d %d %d %d %d", &u.cpu, &u.resident, &u.heap, &u.stack, &u.goroutines)
	return u, err
}

// account asks the child's relay for a user name and its password.
func (c *child) account(call int) (a account, err error) {
	if _, err := fmt.Fprintln(c.orders, "account", call); err != nil {
		return a, err
	}
	if !c.answers.Scan() {
		return a, errors.New("child has ended")
	}
	_, err = fmt.Sscan(c.answers.Text(), &a.user, &a.password)
	return a, err
}

// spent is the CPU that the child has used.
func (c *child) spent(context.Context) (time.Duration, error) {
	u, err := c.ask("usage")
	return u.cpu, err
}

// kill ends the child as kill -9 does.
func (c *child) kill() {
	_ = c.process.Process.Kill() // it may have ended
	_ = c.process.Wait()         // says that it was killed
}

func (c *child) stop() error {
	_ = c.orders.Close()
	return c.process.Wait()
}

// serveChild is the child's side: the named server until standard input ends.
func serveChild(ctx context.Context, o options) (err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	what, err := open(ctx, o.child, listener)
	if err != nil {
		cancel()
		return errors.Join(err, listener.Close())
	}
	served := make(chan error, 1)
	go func() { served <- what.serve() }()
	if what.at == "" {
		what.at = listener.Addr().String()
	}
	fmt.Fprintln(os.Stdout, what.at)
	stop, err := profile(o.profile)
	if err == nil {
		err = errors.Join(what.obey(os.Stdin, os.Stdout), stop())
	}
	cancel()
	return errors.Join(err, <-served)
}

// service is what a child does.
type service struct {
	at      string       // where, if not at the child's listener
	serve   func() error // until its context ends
	account func(call string) (user, password string)
}

// open returns a service on listener.
func open(ctx context.Context, name string, listener net.Listener) (service, error) {
	kind, socket, _ := strings.Cut(name, ":")
	switch kind {
	case "bare":
		server := &http.Server{Handler: newBare(), ReadHeaderTimeout: 10 * time.Second}
		context.AfterFunc(ctx, func() { _ = server.Close() })
		return service{serve: func() error {
			if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		}}, nil
	case "parley":
		p, err := openParley(ctx, socket, listener.Addr().String())
		if err != nil {
			return service{}, err
		}
		return service{serve: func() error { return errors.Join(p.serve(ctx, listener), p.close()) }}, nil
	case "relay", "plainrelay", "tlsrelay":
		return openRelay(ctx, kind+":"+socket, listener)
	case "forwarder":
		return openForwarder(ctx)
	}
	return service{}, fmt.Errorf("no child %q", name)
}

// profile records where the CPU goes, into file if it has a name, until stop.
func profile(file string) (stop func() error, err error) {
	if file == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(file) //nolint:gosec // G304: the file that the user of -profile names
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}

func (s service) obey(orders io.Reader, answers io.Writer) error {
	lines := bufio.NewScanner(orders)
	for lines.Scan() {
		if call, wanted := strings.CutPrefix(lines.Text(), "account "); wanted && s.account != nil {
			user, password := s.account(call)
			fmt.Fprintln(answers, user, password) // who asked notices
			continue
		}
		read := ownUsage
		if lines.Text() == "collect" {
			read = settledUsage
		}
		u, err := read()
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintln(answers, int64(u.cpu), u.resident, u.heap, u.stack, u.goroutines); err != nil {
			return err
		}
	}
	return lines.Err()
}

// settledUsage is ownUsage after a collection that returns all free memory.
func settledUsage() (usage, error) {
	runtime.GC()
	debug.FreeOSMemory()
	return ownUsage()
}

func ownUsage() (usage, error) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return usage{}, err
	}
	resident, err := ownResident()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{
		cpu:        time.Duration(r.Utime.Nano() + r.Stime.Nano()),
		resident:   resident,
		heap:       m.HeapInuse,
		stack:      m.StackInuse,
		goroutines: runtime.NumGoroutine(),
	}, err
}

func ownResident() (uint64, error) { return residentIn("/proc/self/status") }

// residentIn reads VmRSS, in kB, as the kernel counts it for a process. Buffers of sockets in the
// kernel are not part of it.
func residentIn(file string) (uint64, error) {
	status, err := os.ReadFile(file) //nolint:gosec // G304: of a process that bench started
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			var kB uint64
			_, err := fmt.Sscan(rest, &kB)
			return kB << 10, err
		}
	}
	return 0, fmt.Errorf("no VmRSS in %s", file)
}
