package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestVersion: built as docs/privacy.md has others build it, the program says from which commit it was
// made, and with which Go.
func TestVersion(t *testing.T) {
	if git, err := os.Stat("../.git"); err != nil || !git.IsDir() { // Go looks for a folder
		t.Skip("Go records no commit here: this is no clone of the repository, or a second tree of one")
	}
	head, err := exec.Command("git", "rev-parse", "HEAD").Output()
	if err != nil {
		t.Fatal(err)
	}
	built := filepath.Join(t.TempDir(), "parley")
	if said, err := exec.Command("go", "build", "-buildvcs=true", "-o", built, "parley/cmd/parley").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, said)
	}
	said, err := exec.Command(built, "version").Output()
	if err != nil {
		t.Fatal(err)
	}
	commit, rest, _ := strings.Cut(string(said), "\n")
	if !strings.HasPrefix(commit, "commit: "+strings.TrimSpace(string(head))) || rest != runtime.Version()+" "+runtime.GOOS+"/"+runtime.GOARCH+"\n" {
		t.Errorf("it says %q, and was made from %s", said, head)
	}
}
