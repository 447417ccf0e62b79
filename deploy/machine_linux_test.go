package deploy_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// machine is a small one that systemd boots, in namespaces of its own, beside this one: with its
// programs, read-only, and its own settings, state, processes and network, of which there is nothing
// but loopback. It needs root.
type machine struct {
	t      *testing.T
	root   string   // its files
	local  string   // its /usr/local, which outlives it
	name   string   // which no other has
	groups []string // its control groups
	nspawn *exec.Cmd
	ended  chan struct{}
	said   *bytes.Buffer // read only when it has ended
	leader string        // process 1 there, by its number here
}

// mostLife bounds a machine whose test was killed.
const mostLife = "600"

// newMachine prepares one that does not run yet, or ends the test with the reason why there can be
// none.
func newMachine(t *testing.T) *machine {
	t.Helper()
	for program, debian := range map[string]string{
		"systemd-nspawn": "systemd-container", "nsenter": "util-linux", "timeout": "coreutils", "ip": "iproute2", "setpriv": "util-linux",
	} {
		required(t, program, debian, "PARLEY_SYSTEMD")
	}
	if os.Getuid() != 0 {
		t.Skip("only root can boot a machine with systemd-nspawn")
	}
	dir := t.TempDir()
	m := &machine{t: t, root: filepath.Join(dir, "root"), local: filepath.Join(dir, "local"), name: fmt.Sprintf("parley-test-%d", os.Getpid())}
	t.Cleanup(func() {
		m.stop()
		m.leaveGroups()
	})
	for _, folder := range []string{"usr", "etc/systemd/system", "var/lib", "var/log", "var/tmp", "run", "tmp", "root", "home", "srv", "proc", "sys", "dev"} {
		if err := os.MkdirAll(filepath.Join(m.root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(m.local, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, way := range []string{"bin", "sbin", "lib", "lib32", "lib64", "libx32"} {
		if to, err := os.Readlink("/" + way); err == nil {
			if err := os.Symlink(to, filepath.Join(m.root, way)); err != nil {
				t.Fatal(err)
			}
		}
	}
	m.write("etc/os-release", "ID=parley-test\n")
	m.write("etc/machine-id", strings.Repeat("7061", 8)+"\n")
	m.write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
	m.write("etc/group", "root:x:0:\n")
	m.write("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n")
	if cache, err := os.ReadFile("/etc/ld.so.cache"); err == nil {
		m.write("etc/ld.so.cache", string(cache))
	}
	m.ownGroups()
	if said, err := m.container("/bin/true").CombinedOutput(); err != nil {
		t.Skipf("this machine does not let systemd-nspawn start anything, as in a container with few rights: %v: %s", err, said)
	}
	return m
}

// container is systemd-nspawn in the groups of the machine, with more arguments.
func (m *machine) container(more ...string) *exec.Cmd {
	enter := ""
	for _, group := range m.groups {
		enter += "echo $$ > " + group + "/cgroup.procs && "
	}
	return exec.Command("sh", append([]string{
		"-c", enter + `exec timeout --kill-after=30 ` + mostLife + ` systemd-nspawn "$@"`, "sh",
		"--quiet", "--register=no", "--keep-unit", "--private-network", "--console=pipe", "--resolv-conf=off", "--timezone=off",
		"--machine=" + m.name, "--directory=" + m.root, "--bind-ro=/usr", "--bind=" + m.local + ":/usr/local",
	}, more...)...)
}

// write makes a file that everybody may read.
func (m *machine) write(path, text string) {
	m.t.Helper()
	path = filepath.Join(m.root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		m.t.Fatal(err)
	}
}

// place copies a program into its /usr/local/bin.
func (m *machine) place(program, name string) {
	m.t.Helper()
	text, err := os.ReadFile(program)
	if err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(m.local, "bin", name), text, 0o755); err != nil {
		m.t.Fatal(err)
	}
}

// ownGroups makes control groups below that of this process: systemd takes those in which it is
// started for its own.
func (m *machine) ownGroups() {
	m.t.Helper()
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		m.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		of := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(of) != 3 || of[1] != "" && of[1] != "name=systemd" {
			continue
		}
		for _, at := range []string{"/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"} {
			_, unified := os.Stat(filepath.Join(at, "cgroup.controllers"))
			_, is := os.Stat(filepath.Join(at, "cgroup.procs"))
			if is != nil || (unified == nil) != (of[1] == "") {
				continue
			}
			group := filepath.Join(at, of[2], m.name)
			if err := os.Mkdir(group, 0o755); err != nil {
				m.t.Skipf("this machine gives no control groups, which systemd needs: %v", err)
			}
			m.groups = append(m.groups, group)
			break
		}
	}
}

// leaveGroups removes them with what is below them.
func (m *machine) leaveGroups() {
	for _, group := range m.groups {
		var all []string
		_ = filepath.WalkDir(group, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				all = append(all, path)
			}
			return nil
		})
		for _, path := range slices.Backward(all) {
			if err := syscall.Rmdir(path); err != nil {
				m.t.Errorf("a control group is left: %s: %v", path, err)
			}
		}
	}
}

// boot starts it and returns when systemd has started what is enabled.
func (m *machine) boot() {
	m.t.Helper()
	m.said = &bytes.Buffer{}
	m.nspawn = m.container("--boot")
	m.nspawn.Stdout, m.nspawn.Stderr = m.said, m.said
	if err := m.nspawn.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) { // stop waits for it
		_ = cmd.Wait() // its status says how it was ended
		close(ended)
	}(m.nspawn, m.ended)
	m.await("process 1", func() bool { m.leader = m.first(); return m.leader != "" })
	m.await("systemd", func() bool {
		said, _ := m.try("systemctl", "is-system-running", "--wait")
		return strings.Contains(said, "running") || strings.Contains(said, "degraded")
	})
}

// first finds process 1 of the machine: below the one that was started, the one that has a number in
// another namespace.
func (m *machine) first() string {
	for queue := []string{fmt.Sprint(m.nspawn.Process.Pid)}; len(queue) > 0; queue = queue[1:] {
		status, err := os.ReadFile("/proc/" + queue[0] + "/status")
		if err != nil {
			continue
		}
		_, numbers, _ := strings.Cut(string(status), "NSpid:")
		numbers, _, _ = strings.Cut(numbers, "\n")
		if of := strings.Fields(numbers); len(of) > 1 && of[len(of)-1] == "1" {
			return queue[0]
		}
		children, _ := os.ReadFile("/proc/" + queue[0] + "/task/" + queue[0] + "/children")
		queue = append(queue, strings.Fields(string(children))...)
	}
	return ""
}

// stop switches it off. It may be repeated.
func (m *machine) stop() {
	if m.nspawn == nil {
		return
	}
	_ = m.nspawn.Process.Signal(syscall.SIGTERM) // timeout passes it on, and systemd stops its services
	select {
	case <-m.ended:
	case <-time.After(40 * time.Second): // timeout kills it before
		m.t.Error("the machine does not end")
		_ = m.nspawn.Process.Kill()
		<-m.ended
	}
	m.nspawn, m.leader = nil, ""
	if m.t.Failed() {
		m.t.Logf("systemd-nspawn said:\n%s", m.said)
	}
	_ = os.Remove("/run/systemd/nspawn/propagate/" + m.name) // where /run is no tmpfs, systemd-nspawn leaves it
}

// try runs a program there, as root, and returns what it prints.
func (m *machine) try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(m.t.Context(), 2*time.Minute)
	defer cancel()
	there := exec.CommandContext(ctx, "nsenter", append([]string{
		"--target", m.leader, "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--wd",
		"env", "-i", "PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin", "HOME=/root",
	}, args...)...)
	there.WaitDelay = time.Second // for what it may leave behind, which holds its output
	said, err := there.CombinedOutput()
	return string(said), err
}

// run is try of what has to succeed.
func (m *machine) run(args ...string) string {
	m.t.Helper()
	said, err := m.try(args...)
	if err != nil {
		m.t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, said)
	}
	return said
}

// await asks until the answer is yes.
func (m *machine) await(what string, is func() bool) {
	m.t.Helper()
	late := time.After(2 * time.Minute)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-m.ended:
			m.t.Fatalf("the machine ended before %s:\n%s", what, m.said)
		case <-late:
			m.t.Fatalf("%s does not come", what)
		}
	}
}

// shows is one property of a unit.
func (m *machine) shows(unit, property string) string {
	m.t.Helper()
	return strings.TrimSpace(m.run("systemctl", "show", unit, "--value", "--property="+property))
}

// journal is what a unit said since the machine was booted.
func (m *machine) journal(unit string) string {
	m.t.Helper()
	return m.run("journalctl", "--no-pager", "--output=cat", "--unit="+unit)
}
