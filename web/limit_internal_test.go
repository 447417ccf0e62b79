package web

import (
	"strconv"
	"testing"
	"time"
)

// TestLimiter walks through one address's life; time is an argument.
func TestLimiter(t *testing.T) {
	l := newLimiter(Limits{Sockets: 8, PerAddress: 3, Burst: 5, Every: time.Second})
	now := time.Unix(1_800_000_000, 0)
	expect := func(address string, want refusal) {
		t.Helper()
		why, wait := l.admit(address, now)
		if why != want || (wait > 0) != (want != admitted) {
			t.Fatalf("%s: %v after %v, want %v", address, why, wait, want)
		}
	}
	// Three sockets are open at once, a fourth is not; giving one back helps.
	for range 3 {
		expect("192.0.2.1", admitted)
	}
	expect("192.0.2.1", tooMany)
	l.release("192.0.2.1")
	expect("192.0.2.1", admitted)
	l.release("192.0.2.1")
	expect("192.0.2.1", admitted)
	// The burst of five is spent; a second brings one.
	l.release("192.0.2.1")
	expect("192.0.2.1", tooOften)
	now = now.Add(time.Second)
	expect("192.0.2.1", admitted)
	// A subscriber of IPv6 is a /64, in whatever way its addresses are written.
	for _, a := range []string{"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:2::1"} {
		expect(a, admitted)
	}
	expect("2001:db8:1:2:3:4:5:6", tooMany)
	expect("2001:db8:1:3::1", admitted)
	expect("::ffff:192.0.2.1", tooOften) // IPv4 in disguise is the address above
	// The node is full for everybody at eight.
	expect("192.0.2.77", admitted)
	expect("192.0.2.78", houseFull)
	if l.open() != 8 {
		t.Errorf("%d open, want 8", l.open())
	}
}

// TestLimiterIsBounded: a hundred thousand addresses leave the table as large as it was, and
// strangers are still let in.
func TestLimiterIsBounded(t *testing.T) {
	l := newLimiter(Limits{Sockets: 2_000_000, PerAddress: 1 << 20, Burst: 1 << 20})
	now := time.Unix(1_800_000_000, 0)
	for i := range 100_000 {
		why, _ := l.admit("2001:db8:"+strconv.FormatInt(int64(i>>8), 16)+":"+strconv.FormatInt(int64(i&255), 16)+"::1", now)
		if why != admitted {
			t.Fatalf("address %d: %v", i, why)
		}
	}
	if len(l.slot) != slots || cap(l.slot) != slots {
		t.Errorf("the table grew to %d", len(l.slot))
	}
}

// TestLimiterForgetsNothingOpen: what is open counts until it is given back, however long that takes.
func TestLimiterForgetsNothingOpen(t *testing.T) {
	l := newLimiter(Limits{PerAddress: 1})
	now := time.Unix(1_800_000_000, 0)
	if why, _ := l.admit("192.0.2.1", now); why != admitted {
		t.Fatal(why)
	}
	if why, _ := l.admit("192.0.2.1", now.Add(1000*time.Hour)); why != tooMany {
		t.Error("an open socket was forgotten")
	}
}
