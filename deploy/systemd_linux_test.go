package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"parley/internal/vtest"
)

const (
	password = "a-password-of-the-test"
	public   = "9.9.9.9" // the machine has it, and nobody outside sees that
	settings = "/etc/parley/parley.toml"
	redisURL = "redis://parley:" + password + "@127.0.0.1:6379"
)

// guide is docs/operating.md.
func guide(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// from returns the part of a text that matches, or fails.
func from(t *testing.T, text, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("nothing in the guide matches %s", pattern)
	}
	return m[1]
}

// served is a machine on which parley is set up as docs/operating.md has operators do it, with a
// Redis of Debian and an authority that signs certificates.
type served struct {
	*machine
	guide string
}

// TestSystemd boots a small machine, follows docs/operating.md there, and looks whether the units
// do what is said of them: parley becomes ready and works within its rights, somebody who breaks in
// gets no further, and it comes back and goes as it should.
func TestSystemd(t *testing.T) {
	if folder := os.Getenv(intruderVariable); folder != "" {
		intrude(folder)
		return
	}
	server, pebble := required(t, "redis-server", "redis-server", "PARLEY_SYSTEMD"), required(t, "pebble", "pebble", "PARLEY_SYSTEMD")
	required(t, "curl", "curl", "PARLEY_SYSTEMD")
	if _, err := os.Stat("/lib/systemd/system/redis-server.service"); err != nil || !strings.HasPrefix(server, "/usr/") || !strings.HasPrefix(pebble, "/usr/") {
		t.Skip("redis-server and pebble are not those of Debian, whose units this test uses: apt-get install redis-server pebble")
	}
	s := served{newMachine(t), guide(t)}
	s.surroundings()
	s.boot()
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"guide", s.follow},
		{"intruder", s.breakIn},
		{"people", s.people},
		{"killed", s.killed},
		{"redis away", s.redisAway},
		{"stopped", s.stopped},
		{"rewritten", s.rewritten},
		{"booted again", s.bootedAgain},
	} {
		began := time.Now()
		if step.do(); t.Failed() {
			t.Fatalf("%s: failed", step.name)
		}
		t.Logf("%s: %.1f s", step.name, time.Since(began).Seconds())
	}
}

// surroundings are what parley finds on a machine: a network, a Redis that is configured as the guide
// says, somebody who signs, and what an intruder looks for.
func (s served) surroundings() {
	s.place(vtest.Program("parley"), "parley")
	s.write("etc/hosts", "127.0.0.1 localhost\n"+public+" talk.example.org\n")
	s.write("etc/systemd/system/address.service", "[Unit]\nDescription=the network of the test\nBefore=network-online.target\n"+
		"[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=ip address add "+public+"/32 dev lo\n[Install]\nWantedBy=network-online.target\n")
	s.write("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nredis:x:150:150::/var/lib/redis:/usr/sbin/nologin\n")
	s.write("etc/group", "root:x:0:\nredis:x:150:\n")
	s.write("etc/redis/redis.conf", "bind 127.0.0.1\ndir /var/lib/redis\n"+from(s.t, s.guide, "(?s)```\n(aclfile .*?)```"))
	s.write("etc/redis/users.acl", snippet(s.t, "redis-acl", "REPLACE-BY-A-LONG-PASSWORD", password))
	for _, folder := range []string{"var/lib/redis", "var/log/redis"} {
		path := filepath.Join(s.root, folder)
		if err := os.MkdirAll(path, 0o750); err != nil {
			s.t.Fatal(err)
		}
		if err := os.Chown(path, 150, 150); err != nil {
			s.t.Fatal(err)
		}
	}
	dir := filepath.Join(s.root, "etc/pebble")
	if err := os.Mkdir(dir, 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := vtest.CertificateFiles(filepath.Join(dir, "root.pem"), filepath.Join(dir, "key.pem"), "127.0.0.1"); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dir, "root.pem"), 0o644); err != nil {
		s.t.Fatal(err)
	}
	s.write("etc/pebble/config.json", `{"pebble": {"listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
		"certificate": "/etc/pebble/root.pem", "privateKey": "/etc/pebble/key.pem", "httpPort": 80, "tlsPort": 443}}`)
	s.write("home/ana/letter", "dear bo\n")
	s.write("srv/open/for-all", "")
	if err := os.Chmod(filepath.Join(s.root, "srv/open"), 0o777); err != nil {
		s.t.Fatal(err)
	}
}

// asParley runs a line of the guide that begins with sudo, which a small machine does not have.
func (s served) asParley(line string) string {
	s.t.Helper()
	rest, found := strings.CutPrefix(line, "sudo -u parley env ")
	if !found {
		s.t.Fatalf("%q does not say as whom", line)
	}
	return s.run(append([]string{
		"setpriv", "--reuid=parley", "--regid=parley", "--clear-groups", "env", "SSL_CERT_FILE=/etc/parley/signed-by.pem",
	}, strings.Fields(rest)...)...)
}

// typed runs lines of the guide, by their first words.
func (s served) typed(first ...string) {
	s.t.Helper()
	for _, words := range first {
		s.run(strings.Fields(from(s.t, s.guide, `(?m)^(`+words+`.*)$`))...)
	}
}

// ready waits until parley lets visitors in.
func (s served) ready() {
	s.t.Helper()
	s.await("a parley that is ready", func() bool {
		_, err := s.try("curl", "--fail", "--silent", "localhost:8081/readyz")
		return err == nil
	})
}

// follow does what docs/operating.md has operators do, in that order.
func (s served) follow() {
	s.run("systemctl", "enable", "address.service")
	s.run("systemctl", "start", "network-online.target")
	s.run("systemctl", "enable", "--now", "redis-server.service")
	s.typed("useradd ")
	s.write(settings, from(s.t, s.guide, "(?s)```toml\n(.*?)```")+"relay-log = true\ndrain = \"4s\"\n"+
		"tls-authority = \"https://127.0.0.1:14000/dir\"\ntls-authority-ca = \"/etc/pebble/root.pem\"\n")
	s.write("etc/parley/redis", redisURL+"\n")
	s.typed("chown root:parley", "chmod 640")
	for name := range units() {
		s.write("etc/systemd/system/"+name, snippet(s.t, "systemd/"+name))
	}
	s.typed("systemctl daemon-reload")
	s.asParley(from(s.t, s.guide, `(?m)^(sudo -u parley .* parley config .*)$`))
	s.run("systemd-run", "--unit=pebble", "--setenv=PEBBLE_VA_NOSLEEP=1", "pebble", "-config", "/etc/pebble/config.json")
	s.await("the authority", func() bool {
		_, err := s.try("curl", "--fail", "--silent", "--cacert", "/etc/pebble/root.pem", "https://127.0.0.1:14000/dir")
		return err == nil
	})
	before := s.run(strings.Fields(strings.ReplaceAll(from(s.t, s.guide, "(?s)```\n(systemd-run .*?)```"), "\\\n", ""))...)
	if !strings.Contains(before, "ok    ports ") || strings.Contains(before, "\nfail ") {
		s.t.Errorf("before the start the doctor says\n%s", before)
	}
	s.typed("systemctl enable")
	s.ready()
	s.await("the relay's test of itself", func() bool { return strings.Contains(s.journal("parley"), "way=TLS") })
	s.run("curl", "--fail", "--silent", "--insecure", "--output", "/etc/parley/signed-by.pem", "https://127.0.0.1:15000/roots/0")
	if page := s.run("curl", "--silent", "--cacert", "/etc/parley/signed-by.pem", "https://talk.example.org/"); !strings.Contains(page, "<html") {
		s.t.Errorf("not the page: %.200s", page)
	}
	after := s.asParley(from(s.t, s.guide, `(?m)^(sudo -u parley .* parley doctor --config .*)$`))
	for _, of := range []string{"page", "tls", "relay", "redis", "redis-password", "redis-eviction", "redis-disk", "ports", "state"} {
		if !regexp.MustCompile(`(?m)^ok +` + of + ` `).MatchString(after) {
			s.t.Errorf("the doctor does not find %s in order:\n%s", of, after)
		}
	}
	if said := s.journal("parley"); strings.Contains(said, "level=ERROR") {
		s.t.Errorf("the log of a first start:\n%s", said)
	}
}

// breakIn runs the intruder in the place of each program, and as a plain program of the same user.
func (s served) breakIn() {
	ours, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	s.place(ours, "intruder")
	const program, trials = "/usr/local/bin/intruder", "-test.run=^TestSystemd$"
	s.run("touch", "/tmp/of-another", "/var/tmp/of-another", "/dev/a-device")
	plain := s.run("systemd-run", "--quiet", "--pipe", "--wait", "--uid=parley", "--setenv="+intruderVariable+"=/nowhere", program, trials)
	free(s.t, plain)
	for unit, is := range map[string]struct{ folder, rights string }{
		"parley.service":         {"/var/lib/parley", "0000000000000400"}, // CAP_NET_BIND_SERVICE
		"parley-rewrite.service": {"/nowhere", "0000000000000000"},
	} {
		// The unit as it is, but for what it starts, and that it waits for the end of that.
		text := regexp.MustCompile(`(?m)^(ExecStart|Type|EnvironmentFile)=.*\n`).ReplaceAllString(snippet(s.t, "systemd/"+unit), "")
		s.write("etc/systemd/system/intruder-"+unit, strings.Replace(text, "[Service]\n", "[Service]\nType=oneshot\nStandardOutput=file:/run/"+unit+
			"\nEnvironment="+intruderVariable+"="+is.folder+"\nExecStart="+program+" "+trials+"\n", 1))
		s.run("systemctl", "daemon-reload")
		s.run("systemctl", "start", "intruder-"+unit)
		printed := s.run("cat", "/run/"+unit)
		hindered(s.t, printed)
		given := done
		if unit != "parley.service" {
			given = "" // nothing is
		}
		for _, of := range []string{"port 81", "folder"} {
			if strings.Contains(printed, of+": "+done+"\n") != (given == done) {
				s.t.Errorf("%s: %s is wrong:\n%s", unit, of, printed)
			}
		}
		for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"} {
			if !strings.Contains(printed, set+":\t"+is.rights+"\n") {
				s.t.Errorf("%s: %s is not %s:\n%s", unit, set, is.rights, printed)
			}
		}
		if !strings.Contains(printed, "Seccomp:\t2\n") {
			s.t.Errorf("%s: system calls are not filtered:\n%s", unit, printed)
		}
	}
}

// simulate is the command that lets people come.
func (s served) simulate(more ...string) []string {
	return append([]string{
		"env", "SSL_CERT_FILE=/etc/parley/signed-by.pem", "parley", "simulate", "--target", "https://talk.example.org",
		"--languages", "en", "--skip", "0", "--drop", "0", "--vanish", "0", "--media", "1",
	}, more...)
}

// counted is a total on the operators' listener.
func (s served) counted(name string) int {
	s.t.Helper()
	_, rest, _ := strings.Cut(s.run("curl", "--fail", "--silent", "localhost:8081/metrics"), "\n"+name+" ")
	line, _, _ := strings.Cut(rest, "\n")
	n, err := strconv.ParseFloat(line, 64)
	if err != nil {
		s.t.Fatalf("%s is %q", name, line)
	}
	return int(n)
}

// people talk through the relay, one reports; what the relay may write down is read, and the reading
// stands in the audit file. All that is written lies where only parley reads it.
func (s served) people() {
	said := s.run(s.simulate("--people", "6", "--rate", "3", "--for", "8s", "--talk", "2s", "--report", "0.5", "--max-errors", "-1")...)
	for _, name := range []string{"parley_relay_batched_packets_total", "parley_relay_batches_total", `parley_relay_packets_total{way="between"}`} {
		if s.counted(name) == 0 {
			s.t.Errorf("%s is 0 after\n%s", name, said)
		}
	}
	with := func(command string) string {
		return s.asParley("sudo -u parley env PARLEY_REDIS_FILE=/etc/parley/redis parley " + command + " --config " + settings)
	}
	if lines := with("relaylog --reason a-test"); !strings.Contains(lines, public) {
		s.t.Errorf("the relay log: %s", lines)
	}
	if line := with("audit verify"); !strings.Contains(line, "is whole: 1 lines") {
		s.t.Errorf("the audit file: %s", line)
	}
	with("remembered")
	if open := s.run("find", "/var/lib/parley", "-perm", "/077"); open != "" {
		s.t.Errorf("others may read\n%s", open)
	}
	if said := s.journal("parley"); strings.Contains(said, "level=ERROR") || strings.Contains(said, "not permitted") {
		s.t.Errorf("the log:\n%s", said)
	}
}

// killed: what dies is started again.
func (s served) killed() {
	s.run("systemctl", "kill", "--signal=KILL", "parley.service")
	s.await("the next start", func() bool { return s.shows("parley.service", "NRestarts") == "1" })
	s.ready()
}

// redisAway: without Redis parley cannot start, and is tried for longer than systemd would by itself.
func (s served) redisAway() {
	s.run("systemctl", "stop", "redis-server.service")
	s.run("systemctl", "restart", "parley.service")
	const burst = 5 // what systemd allows by itself, in ten seconds
	s.await("more starts than systemd would try", func() bool {
		n, err := strconv.Atoi(s.shows("parley.service", "NRestarts"))
		if state := s.shows("parley.service", "ActiveState"); state == "failed" {
			s.t.Fatalf("systemd gave up after %d starts", n)
		}
		return err == nil && n > burst+3
	})
	s.run("systemctl", "start", "redis-server.service")
	s.ready()
}

// stopped: it ends by itself, beside another node after its calls, or when drain is over. Systemd
// waits for that and kills nothing.
func (s served) stopped() {
	ended := func() {
		s.t.Helper()
		s.run("systemctl", "stop", "parley.service")
		for property, want := range map[string]string{"Result": "success", "ExecMainStatus": "0", "ActiveState": "inactive"} {
			if got := s.shows("parley.service", property); got != want {
				s.t.Errorf("after a stop %s is %s, want %s", property, got, want)
			}
		}
		s.run("systemctl", "start", "parley.service")
		s.ready()
	}
	ended()
	s.run("systemd-run", "--unit=second", "--uid=parley", "--gid=parley", "--setenv=PARLEY_REDIS_FILE=/etc/parley/redis", "/usr/local/bin/parley",
		"--state", "/var/lib/parley", "--public-url", "https://talk.example.org", "--listen", "127.0.0.1:8090", "--operator-listen", "127.0.0.1:8091",
		"--relay-listen", "0.0.0.0:3479", "--relay-external", public)
	s.await("the second node", func() bool {
		_, err := s.try("curl", "--fail", "--silent", "localhost:8091/readyz")
		return err == nil
	})
	s.run(append([]string{"systemd-run", "--unit=people"}, s.simulate("--people", "10", "--rate", "5", "--for", "5m", "--talk", "10m", "--ignore", "0")...)...)
	defer func() { s.run("systemctl", "stop", "people.service") }()
	s.await("a call", func() bool { return s.counted("parley_relay_allocations") > 0 })
	ended()
	if said := s.journal("parley"); !strings.Contains(said, `"this node stops when its calls are over" at_the_latest=4s`) {
		s.t.Errorf("beside another node it does not stay:\n%s", said)
	}
	// As delivered systemd has more patience than parley.
	var limit time.Duration
	for part := range strings.FieldsSeq(s.shows("parley.service", "TimeoutStopUSec")) { // 11min
		d, err := time.ParseDuration(strings.Replace(part, "min", "m", 1))
		if err != nil {
			s.t.Fatal(err)
		}
		limit += d
	}
	help := s.run("parley", "--help")
	drain, err := time.ParseDuration(from(s.t, help, `PARLEY_DRAIN; (\w+) by default`))
	if err != nil || limit <= drain {
		s.t.Errorf("systemd kills after %v, before drain, %v, is over: %v", limit, drain, err)
	}
	s.run("systemctl", "stop", "second.service")
}

// rewritten: a day that was missed is made up for when the timer is started.
func (s served) rewritten() {
	s.write("etc/parley/rewrite", "REDISCLI_AUTH="+password+"\n")
	s.run("chmod", "640", "/etc/parley/rewrite")
	s.write("etc/systemd/system/parley-rewrite.timer.d/now.conf", "[Timer]\nRandomizedDelaySec=0\n")
	s.run("systemctl", "daemon-reload")
	rewrites := func() string {
		s.t.Helper()
		return from(s.t, s.run("env", "REDISCLI_AUTH="+password, "redis-cli", "--user", "parley", "info", "persistence"), `aof_rewrites:(\d+)`)
	}
	before := rewrites()
	s.run("mkdir", "-p", "/var/lib/systemd/timers")
	s.run("touch", "--date=2 days ago", "/var/lib/systemd/timers/stamp-parley-rewrite.timer")
	s.run("systemctl", "enable", "--now", "parley-rewrite.timer")
	s.await("a rewritten file", func() bool { return rewrites() != before })
	s.await("its end", func() bool { return s.shows("parley-rewrite.service", "ActiveState") == "inactive" })
	if got := s.shows("parley-rewrite.service", "Result"); got != "success" {
		s.t.Errorf("the result is %s", got)
	}
	s.write("etc/parley/rewrite", "REDISCLI_AUTH=another\n")
	if said, err := s.try("systemctl", "start", "parley-rewrite.service"); err == nil {
		s.t.Errorf("control: with a wrong password nothing fails: %s", said)
	}
}

// bootedAgain: everything comes by itself, in an order in which nothing fails, with the certificate
// that is kept.
func (s served) bootedAgain() {
	s.stop()
	s.boot()
	s.ready()
	if n := s.shows("parley.service", "NRestarts"); n != "0" {
		s.t.Errorf("it was started %s times more:\n%s", n, s.journal("parley"))
	}
	s.run("curl", "--fail", "--silent", "--output", "/dev/null", "--cacert", "/etc/parley/signed-by.pem", "https://talk.example.org/")
	for _, unit := range []string{"parley-rewrite.timer", "redis-server.service"} {
		if state := s.shows(unit, "ActiveState"); state != "active" {
			s.t.Errorf("%s is %s", unit, state)
		}
	}
	if said := s.journal("parley"); strings.Contains(said, "level=ERROR") {
		s.t.Errorf("the log:\n%s", said)
	}
}
