package simulate_test

import (
	"strings"
	"testing"

	sealing "parley/internal/envelope"
)

// TestNobodyCame: a call to which nobody came is none, and the search goes on.
func TestNobodyCame(t *testing.T) {
	s := talks(t, calm())
	s.hears(`{"t":"aborted","n":4,"c":2,"why":"peer"}`)
	if s.p.InCall() || !s.p.Searches() {
		t.Error("it stays in the call")
	}
	s.hears(`{"t":"matched","n":5,"c":2,"match":"m2","role":"answer","shared":[],"language":"en","within_ms":4000}`)
	s.want(`"match":"m2"`)
}

// TestOvertakenKey: what comes before the key that opens it, which was refused and is said again,
// waits for it.
func TestOvertakenKey(t *testing.T) {
	s := talks(t, calm())
	_, mine, _ := strings.Cut(s.writes(), `"box":"`)
	mine, _, _ = strings.Cut(mine, `"`)
	bo, err := sealing.New("r1", "bo", "ana", []byte(strings.Repeat("b", 32)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bo.Open(1, mine); err != nil {
		t.Fatal(err)
	}
	seq, key := bo.Hello()
	second, sealed, err := bo.Seal("whatever it is")
	if err != nil {
		t.Fatal(err)
	}
	relay := func(n int, seq uint64, box string) {
		s.hears(`{"t":"relay","n":%d,"c":3,"from":"bo","seq":%d,"box":%q}`, n, seq, box)
	}
	relay(4, second, sealed)
	if s.sees["envelopes received"] > 0 {
		t.Error("it was opened without a key")
	}
	relay(5, seq, key)
	if s.sees["envelopes received"] != 2 || s.sees["envelopes that do not open"] > 0 {
		t.Error(s.sees)
	}
}
