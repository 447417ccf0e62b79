package redact_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"parley/internal/redact"
)

// canaries are things that must not survive, in the shapes in which they would slip in.
func canaries() map[string]any {
	return map[string]any{
		"203.0.113.77":                    "dial tcp 203.0.113.77:6379: connect: connection refused",
		"203.0.113.78":                    errors.New("read udp 203.0.113.78:3478->198.51.100.9:1: closed"),
		"198.51.100.9":                    fmt.Errorf("wrapped: %w", errors.New("198.51.100.9")),
		"203.0.113.79":                    netip.MustParseAddr("203.0.113.79"),
		"203.0.113.80":                    &net.TCPAddr{IP: net.IPv4(203, 0, 113, 80), Port: 1},
		"2001:db8::77":                    "listen [2001:db8::77]:443",
		"2001:db8:0:1::78":                errors.New("no route to 2001:db8:0:1::78"),
		"fe80::1":                         "from fe80::1%eth0 port 4",
		"2001:db8::79":                    "read udp 2001:db8::79: no route",
		"2001:db8::80":                    "no route to 2001:db8::80.",
		"2001:db8::81":                    "peer=(2001:db8::81),::1",
		"2001:db8::82":                    "error:2001:db8::82",
		"db8:9:2:3:4:5:6":                 "read:2001:db8:9:2:3:4:5:6",
		"2001:db8:8:2:3:4":                "from 2001:db8:8:2:3:4:203.0.113.5 to",
		"::1":                             "dial ::1",
		"::2":                             "dial ::2: refused",
		"[::1":                            "dial tcp [::1]:6379: connect",
		"::3":                             "::3",
		"fe80::2":                         "fe80::2%eth0: no route",
		"203.0.113.82":                    "peer_203.0.113.82x",
		"::ffff:203.0.113.9":              "peer ::ffff:203.0.113.9 left",
		"203.0.113.81":                    []string{"203.0.113.81"},
		"dGhpcyBpcyBhIHRva2VuIG9mIG91cnM": "welcome dGhpcyBpcyBhIHRva2VuIG9mIG91cnM",
		"UDP 2113937151":                  "a=candidate:1 1 UDP 2113937151 192.168.1.2 5000 typ host",
		"o=mozilla":                       "v=0\r\no=mozilla 1 2 IN IP4 0.0.0.0\r\n",
		"4f2a8a3e-9a1c-4f0e-8a3b-0c1d2e3f4a5b.local": "resolve 4f2a8a3e-9a1c-4f0e-8a3b-0c1d2e3f4a5b.local",
	}
}

// TestCanaries logs every canary as value, in a group, by With, and in the message.
func TestCanaries(t *testing.T) {
	for canary, value := range canaries() {
		var b bytes.Buffer
		log := slog.New(redact.Handler(slog.NewTextHandler(&b, nil)))
		log.Info("plain", slog.Any("detail", value))
		log.Info("group", slog.Group("outer", slog.Any("detail", value)))
		log.With(slog.Any("detail", value)).WithGroup("inner").Info("with")
		log.Info(fmt.Sprint(value)) //nolint:sloglint // a library's message is not ours to choose
		if strings.Contains(b.String(), canary) {
			t.Errorf("%s got through:\n%s", canary, b.String())
		}
		if n := strings.Count(b.String(), "\n"); n != 4 {
			t.Errorf("%s: %d lines, want 4", canary, n)
		}
	}
}

// TestForbiddenNames removes a value that looks harmless by its name alone.
func TestForbiddenNames(t *testing.T) {
	for _, name := range []string{"ip", "remote_addr", "sdp", "candidate", "device", "token", "phrase", "user_agent"} {
		var b bytes.Buffer
		slog.New(redact.Handler(slog.NewJSONHandler(&b, nil))).Info("x", slog.String(name, "harmless"))
		if strings.Contains(b.String(), "harmless") {
			t.Errorf("%s got through: %s", name, b.String())
		}
	}
}

// TestHarmless keeps what an operator needs to read.
func TestHarmless(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(redact.Handler(slog.NewTextHandler(&b, nil)))
	log.Info("the store answers again", slog.Duration("after", 3*time.Second), slog.Int("waiting", 12),
		slog.String("at", "12:34:56"), slog.String("colons", "a: b: c:d:e 1:2:"), slog.String("version", "7.0.15"), slog.String("policy", "volatile-lru"),
		slog.String("setting", "relay-allow-loopback"), slog.Any("error", errors.New("context deadline exceeded")))
	for _, want := range []string{"the store answers again", "after=3s", "waiting=12", "12:34:56", "a: b: c:d:e 1:2:", "7.0.15", "volatile-lru", "relay-allow-loopback", "context deadline exceeded"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q was removed: %s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "[") {
		t.Errorf("something harmless was removed: %s", b.String())
	}
}

// TestWhatRemains: what stands around an address can still be read.
func TestWhatRemains(t *testing.T) {
	for text, want := range map[string]string{
		"read udp 2001:db8::1: no route":              "read udp [address]: no route",
		"dial ::1":                                    "dial [address]",
		"dial tcp [::1]:6379: connect":                "dial tcp [address]: connect",
		"dial tcp [fe80::1%eth0]:6379: i/o timeout":   "dial tcp [address]: i/o timeout",
		"read udp 203.0.113.78:3478->[::]:1: closed":  "read udp [address]->[address]: closed",
		"at 12:34:56: connection reset by peer: done": "at 12:34:56: connection reset by peer: done",
	} {
		if got := redact.Text(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}
