package turn_test

import (
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/pion/stun/v3"

	"parley/turn"
)

// TestEnds: whoever wants to hears of each relay once, however it ended, with what went through it.
func TestEnds(t *testing.T) {
	var mu sync.Mutex
	var all []turn.Ended
	heard := func() []turn.Ended {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
	s := start(t, func(c *turn.Config) {
		c.Ended = func(e turn.Ended) {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, e)
		}
	})
	ana, bo := sit(t, s, turn.Veil, "call"), sitDown(t, speak(t, s, s.CredentialOf(turn.Open, "call"), overTCP))
	bo.permit(ana.relayed)
	ana.permit(bo.relayed)
	for range 3 {
		ana.send(sendTo(bo.relayed, "seventeen letters"))
		if words, _ := data(t, bo.packet(5*time.Second)); words != "seventeen letters" {
			t.Fatalf("heard %q", words)
		}
	}
	if got := heard(); len(got) != 0 {
		t.Fatalf("%+v before anything ended", got)
	}
	ana.ask(stun.MethodRefresh, lifetime(0))
	await(t, func() bool { return len(heard()) == 1 })
	bo.conn.Close()
	await(t, func() bool { return len(heard()) == 2 })
	for i, want := range []turn.Ended{{Kind: turn.Veil, Sent: 51}, {Kind: turn.Open, Stream: true, Received: 51}} {
		got := heard()[i]
		if time.Since(got.Made) > time.Minute || got.Lasted < 0 || got.Client != netip.MustParseAddr("127.0.0.1") {
			t.Errorf("%+v", got)
		}
		if got.Made, got.Lasted, got.Client = want.Made, want.Lasted, want.Client; got != want {
			t.Errorf("relay %d: %+v, want %+v", i, got, want)
		}
	}
}
