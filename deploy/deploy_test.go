// Package deploy_test runs what operators are given: the snippets for proxies with the real
// nginx and the real Caddy; boots a machine that systemd runs; lets docker-compose read what is its;
// and reads the rest.
package deploy_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"parley/internal/vtest"
)

func TestMain(m *testing.M) {
	if os.Getenv(intruderVariable) != "" { // as a service of TestSystemd
		os.Exit(m.Run())
	}
	os.Exit(vtest.Build(m, "parley/cmd/parley"))
}

// intruderVariable makes this test binary the program that somebody broke into: its value is a
// folder to which that may write.
const intruderVariable = "PARLEY_INTRUDER"

// Where people come from in these tests: proxies connect from 127.0.0.1.
const (
	visitor = "127.0.0.7"
	forged  = "192.0.2.77" // nobody has it
)

// house is a parley that runs.
type house struct {
	t              *testing.T
	page, operator string // host:port
}

// start runs parley behind whoever is at origin.
func start(t *testing.T, origin, trusted string) *house {
	t.Helper()
	h := &house{t, vtest.FreeAddr(t), vtest.FreeAddr(t)}
	vtest.StartProcess(t, "parley", "--listen", h.page, "--operator-listen", h.operator, "--relay-listen", vtest.FreeAddr(t),
		"--public-url", origin, "--trusted-proxies", trusted, "--state", t.TempDir())
	h.await("http://" + h.operator + "/readyz")
	return h
}

// await asks until the answer is 200.
func (h *house) await(url string) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if status, _, err := ask(ctx, url); err == nil && status == http.StatusOK {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			h.t.Fatalf("%s does not answer", url)
		}
	}
}

// ask asks as the visitor, with more headers in pairs.
func ask(ctx context.Context, url string, headers ...string) (status int, body string, err error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	from := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(visitor)}, Timeout: 10 * time.Second}
	transport := &http.Transport{
		DialContext:       func(ctx context.Context, _, at string) (net.Conn, error) { return from.DialContext(ctx, "tcp4", at) },
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		DisableKeepAlives: true,
	}
	defer transport.CloseIdleConnections()
	a, err := (&http.Client{Transport: transport}).Do(q)
	if err != nil {
		return 0, "", err
	}
	defer a.Body.Close()
	if a.StatusCode == http.StatusSwitchingProtocols {
		return a.StatusCode, "", nil
	}
	text, err := io.ReadAll(a.Body)
	return a.StatusCode, string(text), err
}

// enter opens the WebSocket at a URL, as the page at origin does, and fails unless it opens.
func (h *house) enter(url, origin string, headers ...string) {
	h.t.Helper()
	status, _, err := ask(h.t.Context(), url+"/ws", append([]string{
		"Origin", origin, "Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13",
		"Sec-WebSocket-Key", "cGFybGV5LWRlcGxveS10ZQ==", "Sec-WebSocket-Protocol", "parley.v1",
	}, headers...)...)
	if err != nil || status != http.StatusSwitchingProtocols {
		h.t.Fatalf("the WebSocket at %s: status %d, %v", url, status, err)
	}
}

// said is what became of the addresses of all who have entered.
func (h *house) said() string {
	h.t.Helper()
	_, body, err := ask(h.t.Context(), "http://"+h.operator+"/metrics")
	if err != nil {
		h.t.Fatal(err)
	}
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^parley_forwarded_total\{how="(\w+)"\} ([1-9]\d*)$`).FindAllStringSubmatch(body, -1) {
		all = append(all, m[1]+" "+m[2])
	}
	return strings.Join(all, ", ")
}

// forgeries are the ways to write an address into a request.
func forgeries() [][]string {
	return [][]string{
		{"X-Forwarded-For", forged},
		{"X-Real-IP", forged},
		{"Forwarded", "for=" + forged},
		{"X-Forwarded-For", forged, "X-Real-IP", forged, "Forwarded", "for=" + forged},
	}
}

// proxies are those for which there is a snippet.
func proxies() map[string]func(t *testing.T, at, to string) {
	return map[string]func(t *testing.T, at, to string){"nginx": startNginx, "caddy": startCaddy}
}

// TestProxies: behind each proxy the page comes, the WebSocket opens, and the address that the
// proxy saw is believed, whatever the visitor wrote. From a proxy that is not named nothing is
// believed.
func TestProxies(t *testing.T) {
	for name, run := range proxies() {
		t.Run(name, func(t *testing.T) {
			at := vtest.FreeAddr(t)
			_, port, _ := strings.Cut(at, ":")
			origin := "https://localhost:" + port
			for _, c := range []struct{ trusted, plain, all string }{
				{"127.0.0.1", "believed 1", "believed 5"},
				{"127.0.0.9", "doubted 1", "doubted 5"},
			} {
				h := start(t, origin, c.trusted)
				t.Run("trusts "+c.trusted, func(t *testing.T) {
					run(t, at, h.page)
					h := &house{t, h.page, h.operator}
					h.await(origin + "/")
					if _, body, err := ask(t.Context(), origin+"/"); err != nil || !strings.Contains(body, "<html") {
						t.Errorf("not the page: %v %.100s", err, body)
					}
					h.enter(origin, origin)
					if got := h.said(); got != c.plain {
						t.Errorf("of a plain visitor: %s, want %s", got, c.plain)
					}
					for _, headers := range forgeries() {
						h.enter(origin, origin, headers...)
					}
					if got := h.said(); got != c.all {
						t.Errorf("with forgeries: %s, want %s", got, c.all)
					}
				})
			}
		})
	}
}

// TestNoProxy: without a proxy, and past it, no header counts.
func TestNoProxy(t *testing.T) {
	for _, trusted := range []string{"", "127.0.0.9"} {
		h := start(t, "http://localhost:1", trusted)
		h.enter("http://"+h.page, "http://localhost:1")
		if got := h.said(); got != "" {
			t.Errorf("a plain visitor: %s", got)
		}
		for _, headers := range forgeries() {
			h.enter("http://"+h.page, "http://localhost:1", headers...)
		}
		if got := h.said(); got != "doubted 4" {
			t.Errorf("with forgeries: %s, want doubted 4", got)
		}
	}
}

// found returns a proxy, or ends the test with what to install.
func found(t *testing.T, program, debian string) string {
	t.Helper()
	return required(t, program, debian, "PARLEY_PROXIES")
}

// required returns a program, or ends the test with what to install: as failed, if the variable
// says so.
func required(t *testing.T, program, debian, variable string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		if os.Getenv(variable) == "require" {
			t.Fatalf("%s is not installed: apt-get install %s", program, debian)
		}
		t.Skipf("%s is not installed: apt-get install %s", program, debian)
	}
	return path
}

// snippet reads a file of this folder and puts others in the place of what operators change.
func snippet(t *testing.T, file string, changes ...string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(string(text), changes[i]) {
			t.Fatalf("%s does not hold %q", file, changes[i])
		}
	}
	return strings.NewReplacer(changes...).Replace(string(text))
}

// certificate writes one for localhost and returns its two files.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	if err := vtest.CertificateFiles(cert, key, "localhost"); err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// supervise runs a program until the test ends.
func supervise(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	said := &strings.Builder{}
	cmd := exec.Command(name, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), env...), said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = cmd.Wait() // how it ended does not matter
		}()
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-done
		}
		if t.Failed() {
			t.Logf("%s said:\n%s", name, said)
		}
	})
}

func startNginx(t *testing.T, at, to string) {
	path, dir := found(t, "nginx", "nginx-light"), t.TempDir()
	cert, key := certificate(t)
	site := snippet(t, "nginx/parley.conf",
		"listen 443 ssl;", "listen "+at+" ssl;", "server_name talk.example.org;", "server_name localhost;",
		"/etc/letsencrypt/live/talk.example.org/fullchain.pem;", cert+";", "/etc/letsencrypt/live/talk.example.org/privkey.pem;", key+";",
		"proxy_pass http://127.0.0.1:8080;", "proxy_pass http://"+to+";")
	as := ""
	if os.Getuid() == 0 {
		as = "user root;\n" // who may write to the folder of the test
	}
	whole := fmt.Sprintf("%sdaemon off;\npid %s/pid;\nerror_log stderr;\nevents {}\nhttp {\n"+
		"client_body_temp_path %[2]s/a;\nproxy_temp_path %[2]s/b;\nfastcgi_temp_path %[2]s/c;\nuwsgi_temp_path %[2]s/d;\nscgi_temp_path %[2]s/e;\n%s}\n", as, dir, site)
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	supervise(t, nil, path, "-c", conf, "-p", dir, "-e", "stderr")
}

func startCaddy(t *testing.T, at, to string) {
	path, dir := found(t, "caddy", "caddy"), t.TempDir()
	cert, key := certificate(t)
	_, port, _ := strings.Cut(at, ":")
	site := snippet(t, "caddy/Caddyfile",
		"talk.example.org {", "https://localhost:"+port+" {\n\tbind 127.0.0.1\n\ttls "+cert+" "+key, "reverse_proxy 127.0.0.1:8080", "reverse_proxy "+to)
	conf := filepath.Join(dir, "Caddyfile")
	if err := os.WriteFile(conf, []byte("{\n\tadmin off\n\tauto_https disable_redirects\n\tstorage file_system "+dir+"\n}\n"+site), 0o600); err != nil {
		t.Fatal(err)
	}
	supervise(t, []string{"HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "XDG_DATA_HOME=" + dir}, path, "run", "--adapter", "caddyfile", "--config", conf)
}

// TestFilesHold reads what no test runs: each image is pinned, each flag and variable that the unit
// and the composition give parley is a setting, Redis is given what the doctor asks of it, no
// secret lies in the tree, and the container is built as docs/privacy.md says.
func TestFilesHold(t *testing.T) {
	compose := snippet(t, "compose.yaml", "--appendonly yes", "--appendonly yes", "--maxmemory-policy noeviction", "--maxmemory-policy noeviction", "--aclfile", "--aclfile")
	build := snippet(t, "Dockerfile", "CGO_ENABLED=0 go build -trimpath -buildvcs=true -o", "CGO_ENABLED=0 go build -trimpath -buildvcs=true -o")
	unit := snippet(t, "systemd/parley.service", "NoNewPrivileges=yes", "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectSystem=strict")
	images := regexp.MustCompile(`(?m)^(?: *image:|FROM) (\S+)`).FindAllStringSubmatch(compose+build, -1)
	if len(images) != 3 {
		t.Errorf("%d images", len(images))
	}
	for _, m := range images {
		if m[1] != "scratch" && !regexp.MustCompile(`:\d+\.\d+\.\d+-`).MatchString(m[1]) {
			t.Errorf("the image %s is not pinned", m[1])
		}
	}
	if m := regexp.MustCompile(`(?m)(?:^ *- |file: )\./\S+`).FindString(compose); m != "" {
		t.Errorf("the composition reads%s of the tree, where a secret would be", m)
	}
	help, err := exec.Command(vtest.Program("parley"), "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	given := regexp.MustCompile(`(?m)^ExecStart=.*|^ *command: \["--.*|PARLEY_[A-Z_]+`).FindAllString(compose+unit, -1)
	names := regexp.MustCompile(`--([a-z-]+)|PARLEY_([A-Z_]+)`).FindAllStringSubmatch(strings.Join(given, "\n"), -1)
	if len(names) < 5 {
		t.Errorf("only %d settings were found", len(names))
	}
	for _, m := range names {
		name := m[1] + strings.ReplaceAll(strings.ToLower(strings.TrimSuffix(m[2], "_FILE")), "_", "-")
		if !strings.Contains(string(help), "--"+name+" ") {
			t.Errorf("%s names no setting of parley", m[0])
		}
	}
}
