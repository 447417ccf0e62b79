package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"parley/internal/vtest"
)

// units are the files for systemd; each service with the program that it starts, and with the exposure
// that it may have by systemd's own count: from 0, nothing can be taken from it any more, to 10.
func units() map[string]struct {
	starts string
	most   float64
} {
	return map[string]struct {
		starts string
		most   float64
	}{
		"parley.service":         {"/usr/local/bin/parley", 1.7},
		"parley-rewrite.service": {"/usr/bin/redis-cli", 1.5},
		"parley-rewrite.timer":   {},
	}
}

// laidOut writes the units to a folder, with programs that this machine has, each text changed by
// edit.
func laidOut(t *testing.T, edit func(name, text string) string) (files []string) {
	t.Helper()
	dir := t.TempDir()
	for name, unit := range units() {
		text := edit(name, snippet(t, "systemd/"+name))
		if unit.starts != "" {
			if !strings.Contains(text, "ExecStart="+unit.starts) {
				t.Fatalf("%s does not start %s", name, unit.starts)
			}
			text = strings.Replace(text, "ExecStart="+unit.starts, "ExecStart="+vtest.Program("parley"), 1)
		}
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// TestUnits: systemd reads every line of the units, and grades what they leave a program that was
// broken into. TestSystemd starts them.
func TestUnits(t *testing.T) {
	path := required(t, "systemd-analyze", "systemd", "PARLEY_SYSTEMD")
	verify := func(edit func(name, text string) string) string {
		said, err := exec.Command(path, append([]string{"verify", "--man=no"}, laidOut(t, edit)...)...).CombinedOutput()
		if err != nil {
			return string(said) + err.Error()
		}
		return string(said)
	}
	same := func(_, text string) string { return text }
	if said := verify(same); said != "" {
		t.Errorf("systemd-analyze verify says:\n%s", said)
	}
	misspelt := func(_, text string) string { return strings.Replace(text, "ProtectHome=", "ProtectHouse=", 1) }
	if said := verify(misspelt); strings.Count(said, "ProtectHouse") != 2 {
		t.Errorf("control: of a misspelt line in two units it says:\n%s", said)
	}
	level := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`)
	for _, file := range laidOut(t, same) {
		name := filepath.Base(file)
		if units()[name].starts == "" {
			continue
		}
		said, err := exec.Command(path, "security", "--offline=true", "--no-pager", file).CombinedOutput()
		m := level.FindStringSubmatch(string(said))
		if err != nil || m == nil {
			t.Fatalf("systemd-analyze security %s: %v\n%s", name, err, said)
		}
		got, err := strconv.ParseFloat(m[1], 64)
		if err != nil || got > units()[name].most {
			t.Errorf("%s has an exposure of %s, at most %v is wanted:\n%s", name, m[1], units()[name].most, said)
		}
		t.Logf("%s: exposure %s of 10", name, m[1])
	}
}

// TestComposition: docker-compose takes the composition, and what it makes of it is what is meant.
// It starts nothing: that wants a daemon, and images from elsewhere.
func TestComposition(t *testing.T) {
	path := required(t, "docker-compose", "docker-compose", "PARLEY_COMPOSE")
	read := func(text string) (string, error) {
		dir := filepath.Join(t.TempDir(), "deploy")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "compose.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		said, err := exec.Command(path, "-f", file, "config").CombinedOutput()
		return string(said), err
	}
	text := snippet(t, "compose.yaml", "network_mode: host\n    restart: unless-stopped\n    depends_on", "network_mode: host\n    restart: unless-stopped\n    depends_on")
	said, err := read(text)
	if err != nil {
		t.Fatalf("docker-compose config: %v\n%s", err, said)
	}
	for _, want := range []string{"read_only: true", "- no-new-privileges:true", "network_mode: host", "PARLEY_REDIS_FILE: /run/secrets/redis", "file: /etc/parley/redis-url", "valkey-server --bind 127.0.0.1 --port 6379"} {
		if !strings.Contains(said, want) {
			t.Errorf("docker-compose does not make %q of it:\n%s", want, said)
		}
	}
	if said, err := read(strings.Replace(text, "cap_drop:", "cap_drip:", 1)); err == nil || !strings.Contains(said, "cap_drip") {
		t.Errorf("control: of a misspelt line it says %v:\n%s", err, said)
	}
}
