package simulate_test

import (
	"bytes"
	"log/slog"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"parley/internal/simulate"
	"parley/signaling"
	"parley/turn"
)

// startRelay runs a real relay and returns how a call gets its credentials.
func startRelay(t *testing.T) func(call string) signaling.Ice {
	t.Helper()
	relay, err := turn.Start(turn.Config{
		Listen: netip.MustParseAddrPort("127.0.0.1:0"), Secret: []byte("a secret of this test"), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := relay.Close(); err != nil {
			t.Error(err)
		}
	})
	return func(call string) signaling.Ice {
		c := relay.Credential(call)
		return signaling.Ice{Servers: []signaling.IceServer{{URLs: c.URLs, Username: c.Username, Credential: c.Password}}, TTLMS: time.Hour.Milliseconds()}
	}
}

// TestMedia lets six people really connect through a relay: each of them hears the other one.
func TestMedia(t *testing.T) {
	like := calm()
	like.Media, like.Interests = 1, nil
	cfg := simulate.Config{
		Targets: target(t, startParley(t, startRelay(t))), Rate: 100, People: 6, For: 3 * time.Second, Seed: 3,
		Behaviour: like, Limits: simulate.Limits{MinCalls: 3, SoundP99: 2 * time.Second},
	}
	var progress, text bytes.Buffer
	s, err := simulate.Run(t.Context(), cfg, &progress, nil)
	if err != nil {
		t.Fatal(err)
	}
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for _, of := range []string{"pion/webrtc", "pion/ice", "pion/dtls", "pion/srtp"} {
		if bytes.Contains(stacks, []byte(of)) {
			t.Errorf("a goroutine of %s goes on after the run:\n%s", of, stacks)
		}
	}
	if err := s.Print(&text); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s%s", &progress, &text)
	if len(s.Unmet()) > 0 || s.LeftOver > 0 {
		t.Error("see above")
	}
	if n := s.Times[simulate.Sound.String()].Count; n != 2*s.Calls {
		t.Errorf("%d heard the other one in %d calls", n, s.Calls)
	}
	sent, received, lost := s.Counts["sound packets sent"], s.Counts["sound packets received"], s.Counts["sound packets lost"]
	if received < 50*s.Calls || sent < received || lost > sent/50 {
		t.Errorf("%d packets sent, %d received, %d lost", sent, received, lost)
	}
}
