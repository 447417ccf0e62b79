package deploy_test

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"parley/internal/vtest"
)

// TestVersion: the program says from which commit it was made, and with which Go.
func TestVersion(t *testing.T) {
	if git, err := os.Stat("../.git"); err != nil || !git.IsDir() { // Go looks for a folder
		t.Skip("this is no clone of the repository, or a second tree of one, so Go records no commit")
	}
	head, err := exec.Command("git", "rev-parse", "HEAD").Output()
	if err != nil {
		t.Fatal(err)
	}
	said, err := exec.Command(vtest.Program("parley"), "version").Output()
	if err != nil {
		t.Fatal(err)
	}
	commit, rest, _ := strings.Cut(string(said), "\n")
	if !strings.HasPrefix(commit, "commit: "+strings.TrimSpace(string(head))) || rest != runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH+"\n" {
		t.Errorf("it says %q, and was made from %s", said, head)
	}
}
