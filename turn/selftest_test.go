package turn_test

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"parley/turn"
)

// TestSelfTest: a relay that works passes by each of its ways, also one that listens on all addresses
// and one on the port of the page, and keeps nothing of it.
func TestSelfTest(t *testing.T) {
	plain := startTLS(t, nil)
	wide := start(t, onBoth)
	page, at, _ := shared(t)
	for _, test := range []struct {
		s    *turn.Server
		ways []turn.Way
		want string
	}{
		{plain, plain.Ways(), "UDP TCP TLS"},
		{wide, wide.Ways(), "UDP TCP"},
		{page, []turn.Way{{Name: "TLS", At: netip.MustParseAddrPort(at), Host: "localhost"}}, "TLS"},
	} {
		var names []string
		for _, way := range test.ways {
			names = append(names, way.Name)
			if err := test.s.SelfTest(t.Context(), way); err != nil {
				t.Error(err)
			}
		}
		if got := strings.Join(names, " "); got != test.want {
			t.Errorf("tried %s, want %s", got, test.want)
		}
		if c := test.s.Counters(); c.Packets < int64(2*len(names)) {
			t.Errorf("%d packets were carried", c.Packets)
		}
		await(t, func() bool { return test.s.Counters().Relays == 0 && test.s.Counters().Streams == 0 })
	}
}

// TestSelfTestFails: what does not work is named, and a relay that says nothing is not waited for
// longer than the context lasts.
func TestSelfTestFails(t *testing.T) {
	s := startTLS(t, nil)
	ways := s.Ways()
	plainly := ways[1]
	plainly.Name = "TLS" // TLS to a port without
	deaf, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	closed, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for _, test := range []struct {
		way  turn.Way
		says string
	}{
		{plainly, "over TLS: handshake: "},
		{turn.Way{Name: "UDP", At: netip.MustParseAddrPort(deaf.LocalAddr().String())}, "over UDP: allocate: "},
		{turn.Way{Name: "TCP", At: netip.MustParseAddrPort(closed.Addr().String())}, "over TCP: dial tcp"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		if err := s.SelfTest(ctx, test.way); err == nil || !strings.HasPrefix(err.Error(), test.says) {
			t.Errorf("%s: %v, want %s...", test.way.Name, err, test.says)
		}
		cancel()
	}
	s.Drain()
	if err := s.SelfTest(t.Context(), ways[0]); err == nil || !strings.Contains(err.Error(), "508") {
		t.Errorf("a relay that stops: %v", err)
	}
}
