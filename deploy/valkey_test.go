package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"parley/internal/vtest"
)

// TestValkeyLine starts the server of the composition by its own line, with the users of redis-acl,
// and a parley that keeps calls in it: the doctor finds nothing to say of it. The server is the one
// that PARLEY_REDIS_PROGRAM names, else redis-server.
func TestValkeyLine(t *testing.T) {
	m := regexp.MustCompile(`(?s)command: >\n\s+valkey-server --bind 127\.0\.0\.1 --port 6379 (.*?)\n    volumes:`).FindStringSubmatch(snippet(t, "compose.yaml"))
	if m == nil {
		t.Fatal("compose.yaml has no line of valkey-server that this test knows")
	}
	const password = "correct-horse-battery-staple-7"
	users := filepath.Join(t.TempDir(), "users.acl")
	text := snippet(t, "redis-acl", "REPLACE-BY-A-LONG-PASSWORD", password)
	if err := os.WriteFile(users, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	args := strings.Fields(strings.ReplaceAll(m[1], "/etc/valkey/users.acl", users))
	for i, arg := range args {
		args[i] = strings.Trim(arg, `"`)
	}
	server := vtest.StartServer(t, args...)
	redis := "redis://parley:" + password + "@" + server.Addr
	page, operator, relay, state := vtest.FreeAddr(t), vtest.FreeAddr(t), vtest.FreeAddr(t), t.TempDir()
	flags := []string{
		"--listen", page, "--operator-listen", operator, "--relay-listen", relay, "--relay-external", "127.0.0.1",
		"--public-url", "http://" + page, "--redis", redis, "--state", state,
	}
	vtest.StartProcess(t, "parley", flags...)
	h := &house{t, page, operator}
	h.await("http://" + operator + "/readyz")
	doctor := exec.Command(vtest.Program("parley"), append([]string{"doctor"}, flags...)...)
	doctor.Env = []string{"HOME=" + t.TempDir()} // ours has PARLEY_ variables of the tests
	said, err := doctor.CombinedOutput()
	t.Logf("%s", said)
	for _, check := range []string{"redis", "redis-password", "redis-version", "redis-eviction", "redis-disk", "redis-keys"} {
		if !regexp.MustCompile(`(?m)^ok +` + check + ` `).Match(said) {
			t.Errorf("the doctor does not find %s in order (%v)", check, err)
		}
	}
	for line := range strings.Lines(string(said)) {
		// In its first minutes a server was not told yet to rewrite its file.
		if !strings.HasPrefix(line, "ok") && strings.Contains(line, " redis") && !strings.Contains(line, " redis-rewrite ") {
			t.Errorf("the doctor complains: %s", line)
		}
	}
}
