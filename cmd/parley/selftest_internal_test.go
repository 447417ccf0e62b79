package main

import (
	"bytes"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"

	"parley/turn"
)

// TestRelayTestsItself: each way has its line in the log, and one that does not work is an error
// with the reason.
func TestRelayTestsItself(t *testing.T) {
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	relay, err := turn.Start(turn.Config{
		Listen: netip.MustParseAddrPort("127.0.0.1:0"), Secret: []byte("a secret for the test"), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer relay.Close()
	gone, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	ways := relayWays(config{TLS: tlsFiles, RelayName: "localhost"}, relay, gone.Addr())
	for _, way := range ways {
		testWay(t.Context(), relay, way, log)
	}
	lines := strings.Split(strings.TrimSpace(said.String()), "\n")
	if len(lines) != 3 {
		t.Fatalf("%d lines:\n%s", len(lines), said.String())
	}
	for i, want := range []string{
		`level=INFO msg="the relay works, tried from this machine" way=UDP`,
		`level=INFO msg="the relay works, tried from this machine" way=TCP`,
		`level=ERROR msg="the relay does not work, tried from this machine: calls that need this way will not connect" way=TLS error="over TLS: dial tcp`,
	} {
		if !strings.Contains(lines[i], want) {
			t.Errorf("%s\nlacks %s", lines[i], want)
		}
	}
}
