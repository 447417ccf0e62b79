package e2e_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"parley/internal/vtest"
)

// blocks are the parts of a page between ``` lines, with the word behind the first.
var blocks = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

// TestDocsPrivacy runs each command of docs/privacy.md, against a running server and its Redis. Lines
// that begin with #> are part of what the command before them prints.
func TestDocsPrivacy(t *testing.T) {
	page, err := os.ReadFile("../../docs/privacy.md")
	if err != nil {
		t.Fatal(err)
	}
	redis := vtest.StartServer(t)
	server := startParley(t, "--redis", redis.URL())
	s := shell{t: t, dir: t.TempDir(), env: []string{
		"HOME=" + t.TempDir(), "PATH=" + filepath.Dir(vtest.Program("parley")) + string(os.PathListSeparator) + os.Getenv("PATH"),
	}}
	text := strings.NewReplacer("https://talk.example.org", strings.TrimSuffix(server.URL, "/"), "redis://localhost:6379", redis.URL()).Replace(string(page))
	ran := 0
	for _, block := range blocks.FindAllStringSubmatch(text, -1) {
		switch kind, body := block[1], block[2]; kind {
		case "toml":
			if err := os.WriteFile(filepath.Join(s.dir, "processors.toml"), []byte(body), 0o600); err != nil {
				t.Fatal(err)
			}
		case "sh":
			ran += s.run(body)
		default:
			t.Errorf("a block of %q is neither run nor written down", kind)
		}
	}
	if ran < 10 {
		t.Errorf("only %d commands were found", ran)
	}
}

// shell runs the commands of a page.
type shell struct {
	t        *testing.T
	dir, out string
	env      []string
}

// run runs the lines of a block and returns how many commands there were.
func (s *shell) run(block string) (commands int) {
	s.t.Helper()
	for line := range strings.Lines(block) {
		line = strings.TrimSpace(line)
		if says, is := strings.CutPrefix(line, "#> "); is {
			if !strings.Contains(s.out, says) {
				s.t.Errorf("the page says %q, the command\n%s", says, s.out)
			}
			continue
		}
		if variable, is := strings.CutPrefix(line, "export "); is {
			s.env = append(s.env, variable)
			continue
		}
		command := exec.CommandContext(s.t.Context(), "bash", "-o", "pipefail", "-c", line)
		command.Dir, command.Env = s.dir, s.env
		out, err := command.CombinedOutput()
		if s.out = string(out); err != nil {
			s.t.Errorf("%s: %v\n%s", line, err, out)
		}
		commands++
	}
	return commands
}
