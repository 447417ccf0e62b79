package chaos_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"parley/internal/vtest"
)

// program is the parley binary that the tests start.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "parley-chaos")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "parley")
	build := exec.Command("go", "build", "-o", program, "parley/cmd/parley")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "parley does not build:", err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir) // left to the system otherwise
	os.Exit(code)
}

// node is one process of parley, with what lies between it and Redis.
type node struct {
	name  string
	host  string // where it listens
	ready string // its /readyz
	takes atomic.Bool
	args  []string
	fault *vtest.Fault // before a Redis of one server; nil otherwise
	proc  *exec.Cmd
	ended chan struct{}
	says  *diary
}

func newNode(t *testing.T, name, public, state string) *node {
	t.Helper()
	operator := freeAddr(t)
	n := &node{name: name, host: freeAddr(t), ready: "http://" + operator + "/readyz", says: &diary{}}
	n.args = []string{
		"--listen", n.host, "--operator-listen", operator, "--relay-listen", freeAddr(t),
		"--public-url", public, "--state", state,
		"--trusted-proxies", "127.0.0.0/8", "--log-level", "warn",
	}
	t.Cleanup(func() {
		n.kill()
		if t.Failed() {
			t.Logf("%s said:\n%s", n.name, n.says.text())
		}
	})
	return n
}

// start starts the process; it does not wait until it is ready, nor that it can start at all.
func (n *node) start(t *testing.T) {
	t.Helper()
	n.proc = exec.Command(program, n.args...)
	n.proc.Env = []string{} // ours has PARLEY_ variables of the tests
	n.proc.Stdout, n.proc.Stderr = n.says, n.says
	if err := n.proc.Start(); err != nil {
		t.Fatal(err)
	}
	n.ended = make(chan struct{})
	go func(proc *exec.Cmd, ended chan struct{}) { // kill and ask wait for it
		_ = proc.Wait()
		close(ended)
	}(n.proc, n.ended)
}

func (n *node) runs() bool {
	select {
	case <-n.ended:
		return false
	default:
		return true
	}
}

func (n *node) signal(s os.Signal) { _ = n.proc.Process.Signal(s) } // it may have ended

// answers tells whether it takes connections.
func (n *node) answers() bool {
	c, err := net.DialTimeout("tcp4", n.host, time.Second)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// kill ends the process as kill -9 does.
func (n *node) kill() {
	n.signal(syscall.SIGKILL)
	<-n.ended
}

// diary keeps the end of what a process says.
type diary struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (d *diary) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.buf.Len() > 1<<20 {
		d.buf.Next(d.buf.Len() / 2)
	}
	return d.buf.Write(p)
}

func (d *diary) text() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := d.buf.Bytes()
	return string(all[max(0, len(all)-8000):])
}

// look asks the node whether it takes people.
func (n *node) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, n.ready, nil)
	if err != nil {
		panic(err) // our own address
	}
	answer, err := http.DefaultClient.Do(q)
	if err == nil {
		answer.Body.Close()
	}
	n.takes.Store(err == nil && answer.StatusCode == http.StatusOK)
}

// balancer leads each connection to a node that says that it is ready, one after the other; to any
// when none does. It asks twice a second.
type balancer struct {
	addr  string
	nodes []*node
	next  atomic.Int64

	work sync.WaitGroup

	mu   sync.Mutex // guards the following field
	open map[net.Conn]*node
}

func newBalancer(t *testing.T) *balancer {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &balancer{addr: l.Addr().String(), open: map[net.Conn]*node{}}
	b.work.Go(func() { b.serve(l) })
	ctx, cancel := context.WithCancel(t.Context())
	b.work.Go(func() { b.look(ctx) })
	t.Cleanup(func() {
		_ = l.Close()
		cancel()
		b.cut(nil)
		b.work.Wait()
	})
	return b
}

func (b *balancer) serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		b.work.Go(func() { b.carry(c) })
	}
}

// lead says where to.
func (b *balancer) lead(nodes []*node) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.nodes = nodes
}

func (b *balancer) all() []*node {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.nodes
}

// look asks all nodes again and again.
func (b *balancer) look(ctx context.Context) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		for _, n := range b.all() {
			n.look(ctx)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// dial reaches some node that takes connections.
func (b *balancer) dial() (net.Conn, *node, error) {
	nodes := b.all()
	for try := range 2 * len(nodes) {
		n := nodes[int(b.next.Add(1))%len(nodes)]
		if try < len(nodes) && !n.takes.Load() {
			continue
		}
		if c, err := net.DialTimeout("tcp4", n.host, time.Second); err == nil {
			return c, n, nil
		}
	}
	return nil, nil, errors.New("no node takes connections")
}

func (b *balancer) carry(from net.Conn) {
	defer from.Close()
	to, n, err := b.dial()
	if err != nil {
		return
	}
	defer to.Close()
	b.mu.Lock()
	b.open[from] = n
	b.mu.Unlock()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		both.Go(func() {
			_, _ = io.Copy(way[1], way[0]) // ends by an error when either is closed
			from.Close()
			to.Close()
		})
	}
	both.Wait()
	b.mu.Lock()
	delete(b.open, from)
	b.mu.Unlock()
}

// cut closes the connections to a node, or all, as a balancer that restarts does.
func (b *balancer) cut(to *node) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	cut := 0
	for c, n := range b.open {
		if to == nil || n == to {
			c.Close()
			cut++
		}
	}
	return cut
}

func freeAddr(t *testing.T) string {
	t.Helper()
	for range 20 {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		u, err := net.ListenPacket("udp4", l.Addr().String())
		l.Close()
		if err == nil {
			u.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no free port")
	return ""
}
