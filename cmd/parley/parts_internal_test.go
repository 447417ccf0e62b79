package main

import (
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pion/logging"
	pionturn "github.com/pion/turn/v4"

	"parley/internal/keyring"
	"parley/turn"
)

// TestStopTakesNobodyNew: once the program stops taking visitors its relay makes no new relays,
// while it still carries those that it has.
func TestStopTakesNobodyNew(t *testing.T) {
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	cfg, _, err := load([]string{
		"--listen", "127.0.0.1:0", "--operator-listen", "127.0.0.1:0", "--relay-listen", "127.0.0.1:" + port, "--state", t.TempDir(),
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	cred := credential(t, cfg)
	h, log := newHouse(), slog.New(slog.DiscardHandler)
	_, err = build(t.Context(), h, cfg, log)
	t.Cleanup(func() {
		if err := h.close(); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	held, err := allocate(t, cfg.RelayListen, cred)
	if err != nil {
		t.Fatalf("before the end: %v", err)
	}
	last := h.parts[len(h.parts)-1]
	if err := last.close(); err != nil || last.name != "new visitors" {
		t.Fatalf("the first to be closed is %s, %v", last.name, err)
	}
	if _, err := allocate(t, cfg.RelayListen, cred); err == nil || !strings.Contains(err.Error(), "508") {
		t.Errorf("a new relay after the end began: %v, want 508", err)
	}
	if err := held.CreatePermission(&net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 50000}); err != nil {
		t.Errorf("the relay that was there: %v", err)
	}
}

// credential returns one that the relay of cfg takes, from an earlier one at the same address with the
// same secret.
func credential(t *testing.T, cfg config) turn.Credential {
	t.Helper()
	ring, err := keyring.Load(filepath.Join(cfg.State, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	other, err := turn.Start(turn.Config{
		Listen: cfg.RelayListen, Secret: ring.Derive("relay credentials"), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	return other.Credential("call")
}

// allocate asks a relay for a place.
func allocate(t *testing.T, at netip.AddrPort, c turn.Credential) (*pionturn.Client, error) {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	client, err := pionturn.NewClient(&pionturn.ClientConfig{
		STUNServerAddr: at.String(), TURNServerAddr: at.String(), Conn: conn,
		Username: c.Username, Password: c.Password, Realm: "parley", LoggerFactory: quiet, RTO: 300 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Listen(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		client.Close()
		conn.Close()
	})
	_, err = client.Allocate()
	return client, err
}
