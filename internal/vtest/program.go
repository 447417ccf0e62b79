package vtest

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// built is where [Build] puts what it builds, for the processes of one test binary.
const built = "PARLEY_BUILT"

// Build builds commands of this module, runs the tests and returns their exit code: TestMain calls it.
// [StartProcess] and [Program] find the programs by the last part of their path.
func Build(m *testing.M, commands ...string) (code int) {
	dir, err := os.MkdirTemp("", "parley-built")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()                                                                       // left to the system otherwise
	build := exec.Command("go", append([]string{"build", "-o", dir + string(filepath.Separator)}, commands...)...) //nolint:gosec // commands of ours
	build.Stderr = os.Stderr
	if err := errors.Join(build.Run(), os.Setenv(built, dir)); err != nil {
		fmt.Fprintf(os.Stderr, "%v do not build: %v\n", commands, err)
		return 1
	}
	return m.Run()
}

// Process is a program, of those that [Build] built or of the system, which a test starts, kills and
// starts again.
type Process struct {
	Args  []string // of the next Start
	Env   []string // likewise, and all there is: ours has PARLEY_ variables of the tests
	t     testing.TB
	name  string
	cmd   *exec.Cmd
	ended chan struct{}
	says  diary
}

// Program is the path of a program that [Build] built; a whole path stays what it is.
func Program(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(os.Getenv(built), name)
}

// NewProcess is a program with arguments that is not started yet. It ends with the test; when that
// has failed, what the program said is logged.
func NewProcess(t testing.TB, program string, args ...string) *Process {
	p := &Process{Args: args, t: t, name: program}
	t.Cleanup(func() {
		if p.cmd == nil {
			return
		}
		p.Kill()
		if t.Failed() {
			t.Logf("%s %q said:\n%s", p.name, p.Args, p.Said())
		}
	})
	return p
}

// StartProcess starts a program with arguments, as [NewProcess] and Start do.
func StartProcess(t testing.TB, program string, args ...string) *Process {
	t.Helper()
	p := NewProcess(t, program, args...)
	p.Start()
	return p
}

// Start starts the program, or starts it again. It does not wait until it is ready, nor that it
// can start at all.
func (p *Process) Start() {
	p.t.Helper()
	p.cmd = exec.Command(Program(p.name), p.Args...) //nolint:gosec // a program of ours
	p.cmd.Env = append([]string{}, p.Env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.says, &p.says
	p.says.mark()
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) { // Kill waits for it
		_ = cmd.Wait() // killed: the error says just that
		close(ended)
	}(p.cmd, p.ended)
}

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Runs tells whether the process has not ended.
func (p *Process) Runs() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Signal sends a signal; the process may have ended.
func (p *Process) Signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// Kill ends the process as kill -9 does, and waits for its end. It may be repeated.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.ended
}

// Pid is the number of the process.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Said is the end of what the program has printed, in all its runs.
func (p *Process) Said() string { return p.says.text() }

// AwaitSaid returns when the program has printed text since its start, or fails the test.
func (p *Process) AwaitSaid(text string) {
	p.t.Helper()
	late := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(p.says.marked(), text) {
		select {
		case <-tick.C:
		case <-p.ended:
			p.t.Fatalf("%s ended at start:\n%s", p.name, p.Said())
		case <-late:
			p.t.Fatalf("%s does not say %q:\n%s", p.name, text, p.Said())
		}
	}
}

// diary keeps the end of what a process says.
type diary struct {
	mu   sync.Mutex // guards the following fields
	buf  bytes.Buffer
	from int // where the present run begins
}

// mostSaid is how much of it is kept.
const mostSaid = 1 << 20

func (d *diary) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.buf.Len() > mostSaid {
		dropped := len(d.buf.Next(d.buf.Len() / 2))
		d.from = max(0, d.from-dropped)
	}
	return d.buf.Write(p)
}

func (d *diary) text() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.buf.String()
}

// mark says that another run begins.
func (d *diary) mark() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.from = d.buf.Len()
}

// marked is what the present run has said.
func (d *diary) marked() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return string(d.buf.Bytes()[d.from:])
}
