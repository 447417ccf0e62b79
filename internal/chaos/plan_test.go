package chaos_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// plan is the preamble of what takes long: -short leaves it out, and an environment variable may say
// something else than what is usual.
func plan[T any](t *testing.T, variable string, usual T, read func(string) (T, error)) T {
	t.Helper()
	if testing.Short() {
		t.Skip("left out by -short")
	}
	v := os.Getenv(variable)
	if v == "" {
		return usual
	}
	said, err := read(v)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return said
}

// sow returns the seed of a test and prints it; PARLEY_CHAOS_SEED says which.
func sow(t *testing.T) uint64 {
	t.Helper()
	seed := plan(t, "PARLEY_CHAOS_SEED", rand.Uint64(), func(v string) (uint64, error) { return strconv.ParseUint(v, 10, 64) })
	t.Logf("PARLEY_CHAOS_SEED=%d", seed)
	return seed
}
