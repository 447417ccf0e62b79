package turn_test

import (
	"os"
	"os/exec"
	"testing"
)

// plainPath in the environment lets every test of this package run on the plain path.
const plainPath = "PARLEY_RELAY_PLAIN"

func onPlainPath() bool { return os.Getenv(plainPath) != "" }

// Both paths give the same results: this runs the whole suite of this package once more, on the other.
func TestPlainPath(t *testing.T) {
	if onPlainPath() {
		t.Skip("this is it")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-test.run=^Test", "-test.timeout=5m"}
	if testing.Short() {
		args = append(args, "-test.short")
	}
	again := exec.CommandContext(t.Context(), self, args...)
	again.Env = append(os.Environ(), plainPath+"=1")
	if out, err := again.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
