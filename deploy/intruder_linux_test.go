package deploy_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// done is what an act says that nothing hindered.
const done = "done"

// try is one thing that somebody does who has broken into a service.
type try struct {
	line  string // of the unit, that hinders it
	act   func() error
	says  []string // any of these, when it is hindered
	plain bool     // any program of that user may do it
}

// tries are one or more for each line of the units that can be told by what a program may do. The
// paths are those that surroundings makes.
func tries() []try {
	readOnly, hidden, filtered := unix.EROFS.Error(), unix.ENOENT.Error(), unix.EPERM.Error()
	return []try{
		{"ProtectSystem", writes("/srv/open/x"), []string{readOnly}, true},
		{"ProtectHome", reads("/home/ana/letter"), []string{unix.EACCES.Error(), hidden}, true},
		{"PrivateTmp", reads("/tmp/of-another"), []string{hidden}, true},
		{"PrivateTmp", reads("/var/tmp/of-another"), []string{hidden}, true},
		{"PrivateDevices", reads("/dev/a-device"), []string{hidden}, true},
		{"ProtectProc", reads("/proc/1/status"), []string{hidden}, true},
		{"RestrictAddressFamilies", packets, []string{unix.EAFNOSUPPORT.Error()}, false},
		{"RestrictNamespaces", func() error { return unix.Unshare(unix.CLONE_NEWUSER) }, []string{filtered}, false},
		{"RestrictSUIDSGID", setUser, []string{filtered}, true},
		{"LockPersonality", personality, []string{filtered}, true},
		{"MemoryDenyWriteExecute", writtenCode, []string{filtered, unix.EACCES.Error()}, true},
		{"SystemCallFilter=@system-service", trace, []string{filtered}, true},
		{"SystemCallFilter=~@privileged", ownOwner, []string{filtered}, true},
		{"NoNewPrivileges", status("NoNewPrivs:\t0"), []string{"not so"}, true},
		{"UMask", othersRead, []string{"not so"}, true},
	}
}

// intrude tries everything and writes a line for each to standard output.
func intrude(folder string) {
	for _, one := range tries() {
		fmt.Fprintf(os.Stdout, "%s: %s\n", one.line, outcome(one.act()))
	}
	fmt.Fprintf(os.Stdout, "port 81: %s\n", outcome(listens(":81")))
	fmt.Fprintf(os.Stdout, "folder: %s\n", outcome(writes(filepath.Join(folder, "x"))()))
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		fmt.Fprintf(os.Stdout, "no status: %v\n", err)
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "Cap") || strings.HasPrefix(line, "Seccomp:") {
			fmt.Fprint(os.Stdout, line)
		}
	}
}

// outcome is the last part of an error, which says what the system answered.
func outcome(err error) string {
	if err == nil {
		return done
	}
	if number, is := errors.AsType[unix.Errno](err); is {
		return number.Error()
	}
	return err.Error()
}

var errNot = errors.New("not so")

func writes(path string) func() error {
	return func() error {
		err := os.WriteFile(path, []byte("x"), 0o600)
		if err == nil {
			return os.Remove(path)
		}
		return err
	}
}

func reads(path string) func() error {
	return func() error { _, err := os.ReadFile(path); return err }
}

// packets asks for all that comes to this machine, which is forbidden anyhow, with another answer.
func packets() error {
	s, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
	if err == nil {
		return unix.Close(s)
	}
	return err
}

func listens(at string) error {
	l, err := net.Listen("tcp4", at)
	if err == nil {
		return l.Close()
	}
	return err
}

// ownOwner gives a file to whom it belongs to, which anybody may, by a call that is for root.
func ownOwner() error {
	file, err := anywhere()
	if err != nil {
		return err
	}
	return errors.Join(unix.Chown(file, os.Getuid(), os.Getgid()), os.Remove(file))
}

// setUser makes a program that runs as its owner, whoever starts it.
func setUser() error {
	file, err := anywhere()
	if err != nil {
		return err
	}
	return errors.Join(unix.Chmod(file, 0o4755), os.Remove(file))
}

// othersRead makes a file as programs do that ask for nothing special.
func othersRead() error {
	file := filepath.Join(os.TempDir(), "for-others")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		return err
	}
	info, err := os.Stat(file)
	if err == nil && info.Mode().Perm()&0o077 == 0 {
		err = errNot
	}
	return errors.Join(err, os.Remove(file))
}

// anywhere makes a file; each service here has a /tmp.
func anywhere() (string, error) {
	f, err := os.CreateTemp("", "intruder")
	if err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}

func personality() error {
	const linux32 = 8
	if _, _, err := unix.RawSyscall(unix.SYS_PERSONALITY, linux32, 0, 0); err != 0 {
		return err
	}
	return nil
}

// writtenCode makes memory that is written to and run.
func writtenCode() error {
	page, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err == nil {
		return unix.Munmap(page)
	}
	return err
}

// trace asks to debug a process that is not there.
func trace() error {
	if err := unix.PtraceAttach(-1); !errors.Is(err, unix.ESRCH) {
		return err
	}
	return nil
}

func status(line string) func() error {
	return func() error {
		text, err := os.ReadFile("/proc/self/status")
		if err == nil && !strings.Contains(string(text), line+"\n") {
			return errNot
		}
		return err
	}
}

// told is what the intruder printed of each try.
func told(t *testing.T, printed string) []string {
	t.Helper()
	lines := strings.Split(printed, "\n")
	for i, one := range tries() {
		got, found := "", false
		if i < len(lines) {
			got, found = strings.CutPrefix(lines[i], one.line+": ")
		}
		if !found {
			t.Fatalf("the intruder does not tell of %s:\n%s", one.line, printed)
		}
		lines[i] = got
	}
	return lines[:len(tries())]
}

// hindered fails for each try of an intruder in a unit that was not hindered.
func hindered(t *testing.T, printed string) {
	t.Helper()
	for i, got := range told(t, printed) {
		if one := tries()[i]; !slices.Contains(one.says, got) {
			t.Errorf("%s: %q, want one of %q", one.line, got, one.says)
		}
	}
}

// free is the control: fails for each try that was hindered though nothing should.
func free(t *testing.T, printed string) {
	t.Helper()
	for i, got := range told(t, printed) {
		if one := tries()[i]; one.plain && got != done {
			t.Errorf("control: %s hinders a plain program too, %q, so that the test tells nothing", one.line, got)
		}
	}
}
