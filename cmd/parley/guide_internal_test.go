package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"parley/internal/vtest"
)

// TestOperatingGuide runs what docs/operating.md has operators type: each settings file, each line
// that calls parley, and each address that curl asks, while that parley runs. Ports, TLS and what
// is told of the relay come from the environment, which beats the file; Redis is a real one.
func TestOperatingGuide(t *testing.T) {
	text, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	files, lines := blocks(string(text), "toml"), strings.Split(strings.Join(blocks(string(text), "sh"), ""), "\n")
	if len(files) < 2 || len(lines) < 8 {
		t.Fatalf("%d files and %d lines: is the guide read right?", len(files), len(lines))
	}
	dir := t.TempDir()
	for i, file := range files {
		var script strings.Builder
		fmt.Fprint(&script, "env PARLEY_TLS=off\nenv PARLEY_LISTEN=127.0.0.1:$WEB\nenv PARLEY_OPERATOR_LISTEN=127.0.0.1:$OPERATOR\n"+
			"env PARLEY_RELAY_LISTEN=127.0.0.1:$RELAY\nenv PARLEY_RELAY_EXTERNAL=127.0.0.1\nenv PARLEY_PUBLIC_URL=http://localhost:$WEB\n"+
			"env PARLEY_TRUSTED_PROXIES=\n"+
			"exec chmod 600 redis\n"+
			"exec env PARLEY_REDIS_FILE=redis parley --config parley.toml &parley&\nget http://127.0.0.1:$OPERATOR/readyz 200 ready\n")
		for _, line := range lines {
			script.WriteString(typed(t, line))
		}
		// The file alone, as it stands there: a fault would be named.
		script.WriteString("kill -INT parley\nwait parley\nexec env PARLEY_REDIS_FILE=redis parley doctor --config parley.toml\nstdout '^ok +redis +redis://127.0.0.1:[0-9]+ takes writes'\nstdout '^ok +redis-disk '\nstdout '^ok +state +var can be written to'\nexec env")
		for _, name := range []string{"TLS", "LISTEN", "OPERATOR_LISTEN", "RELAY_LISTEN", "RELAY_EXTERNAL", "PUBLIC_URL", "TRUSTED_PROXIES"} {
			fmt.Fprintf(&script, " -u PARLEY_%s", name)
		}
		fmt.Fprintf(&script, " parley config --config parley.toml\n-- parley.toml --\n%s-- redis --\n%s\n", strings.ReplaceAll(file, "/var/lib/parley", "var"),
			vtest.StartServer(t, "--appendonly", "yes").URL())
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("guide%d.txtar", i)), []byte(script.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	testscript.Run(t, testscript.Params{Dir: dir, RequireExplicitExec: true, Setup: setup, Cmds: commands()})
}

// typed is a line of the guide as a line of a script; "" for what is not parley's. Its first
// word is one of a list, so that none is left out unseen.
func typed(t *testing.T, line string) string {
	t.Helper()
	const unit = "sudo -u parley env PARLEY_REDIS_FILE=/etc/parley/redis " // what deploy/systemd/parley.service gives
	as := "exec "
	if rest, found := strings.CutPrefix(line, unit); found {
		line, as = rest, "exec env PARLEY_REDIS_FILE=redis "
	}
	words := strings.Fields(line)
	switch {
	case len(words) == 0, slices.Contains([]string{"go", "useradd", "chown", "chmod", "cp", "systemctl"}, words[0]): // TestSystemd of deploy does them
		return ""
	case words[0] == "parley":
		return as + strings.ReplaceAll(line, "/etc/parley/", "") + "\n"
	case words[0] == "curl" && len(words) == 3:
		at, err := url.Parse("http://" + words[2])
		if err != nil {
			t.Fatal(err)
		}
		return "get http://127.0.0.1:$OPERATOR" + at.Path + " 200 ''\n"
	}
	t.Fatalf("docs/operating.md has operators type %q, which nobody tries", line)
	return ""
}

// blocks are the texts that stand between three backquotes, of one kind.
func blocks(text, kind string) (all []string) {
	for _, m := range regexp.MustCompile("(?s)```"+kind+"\n(.*?)```").FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}
