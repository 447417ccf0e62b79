package e2e_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// program is the parley binary that all tests of this package start.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "parley-e2e")
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

// parley is one running server process. It keeps its ports and its state folder over a restart.
type parley struct {
	URL   string
	args  []string
	cmd   *exec.Cmd
	mu    sync.Mutex // guards out
	out   strings.Builder
	ready chan struct{}
	done  chan struct{}
}

// startParley starts the program with free ports and extra arguments; it ends with the test.
func startParley(t testing.TB, extra ...string) *parley {
	t.Helper()
	web, operator, relay := freePort(t), freePort(t), freePort(t)
	p := &parley{
		URL: fmt.Sprintf("http://localhost:%d/", web),
		args: append([]string{
			"--listen", fmt.Sprintf("127.0.0.1:%d", web),
			"--operator-listen", fmt.Sprintf("127.0.0.1:%d", operator),
			"--relay-listen", fmt.Sprintf("127.0.0.1:%d", relay),
			"--public-url", fmt.Sprintf("http://localhost:%d", web),
			"--state", t.TempDir(),
		}, extra...),
	}
	p.start(t)
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("parley said:\n%s", p.said())
		}
	})
	return p
}

// start runs the program and returns when it says that it is ready.
func (p *parley) start(t testing.TB) {
	t.Helper()
	p.ready, p.done = make(chan struct{}), make(chan struct{})
	p.cmd = exec.Command(program, p.args...)
	r, w := io.Pipe()
	p.cmd.Stdout, p.cmd.Stderr = w, w
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.listen(r, p.ready)
	go func() {
		_ = p.cmd.Wait() // killed: the error says just that
		w.Close()
		close(p.done)
	}()
	select {
	case <-p.ready:
	case <-p.done:
		t.Fatalf("parley ended at start:\n%s", p.said())
	case <-time.After(20 * time.Second):
		t.Fatalf("parley is not ready after 20 s:\n%s", p.said())
	}
}

func (p *parley) listen(r io.Reader, ready chan struct{}) {
	said := false
	for lines := bufio.NewScanner(r); lines.Scan(); {
		p.mu.Lock()
		fmt.Fprintln(&p.out, lines.Text())
		p.mu.Unlock()
		if !said && strings.Contains(lines.Text(), "ready") {
			said = true
			close(ready)
		}
	}
}

// kill ends the process as kill -9 does, and waits for its end.
func (p *parley) kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.done
}

// said is all that the process has printed so far.
func (p *parley) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// freePort returns a port that was free for TCP and UDP a moment ago.
func freePort(t testing.TB) int {
	t.Helper()
	for range 20 {
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		u, err := net.ListenPacket("udp4", l.Addr().String())
		l.Close()
		if err != nil {
			continue
		}
		u.Close()
		return l.Addr().(*net.TCPAddr).Port
	}
	t.Fatal("no free port")
	return 0
}
