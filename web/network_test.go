package web_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"parley/signaling"
	"parley/web"
)

// TestNetwork: signaling hears a mark of the network that a visitor comes from, the same for
// neighbours, and nothing that holds the address.
func TestNetwork(t *testing.T) {
	var heard *http.Request
	h := newServer(t, func(c *web.Config) {
		c.Proxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		c.Network = func(p netip.Prefix) string { return "mark of " + p.String() }
		c.Socket = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { heard = r; w.WriteHeader(http.StatusTeapot) })
	}).Public()
	for address, want := range map[string]string{
		"203.0.113.7":                 "203.0.113.0/24",
		"203.0.113.250":               "203.0.113.0/24",
		"203.0.114.7":                 "203.0.114.0/24",
		"::ffff:203.0.113.7":          "203.0.113.0/24",
		"2001:db8:1:2::1":             "2001:db8:1::/48",
		"2001:db8:1:ffff:1:2:3:4":     "2001:db8:1::/48",
		"2001:db8:2::1":               "2001:db8:2::/48",
		"198.51.100.9, 203.0.113.7":   "203.0.113.0/24", // who forges what lies before
		"203.0.113.7, 192.0.2.1":      "203.0.113.0/24", // through two proxies
		"nonsense":                    "192.0.2.0/24",   // what stands before the nonsense
		"203.0.113.7, not-an-address": "192.0.2.0/24",
	} {
		heard = nil
		ask(h, "GET", "/ws", "X-Forwarded-For", address, "X-Real-Ip", address, "Forwarded", "for="+address)
		if heard == nil {
			t.Errorf("%s: not let in", address)
			continue
		}
		if got := signaling.Network(heard.Context()); got != "mark of "+want {
			t.Errorf("%s: %q, want the mark of %s", address, got, want)
		}
		said := heard.RemoteAddr
		for name, values := range heard.Header {
			said += name + strings.Join(values, "")
		}
		if strings.Contains(said, "203.0.") || strings.Contains(said, "2001:db8") || strings.Contains(said, "192.0.2.") {
			t.Errorf("%s: signaling was told %q", address, said)
		}
	}
	h = newServer(t, func(c *web.Config) {
		c.Socket = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { heard = r; w.WriteHeader(http.StatusTeapot) })
	}).Public()
	if ask(h, "GET", "/ws"); signaling.Network(heard.Context()) != "" {
		t.Error("a mark without a key")
	}
}

// TestProxyNotNamed: operators are told once when a proxy that they did not name passes requests
// on, and not when nobody passes any on, or one that they did name.
func TestProxyNotNamed(t *testing.T) {
	for _, c := range []struct {
		says    string
		proxies []netip.Prefix
		headers []string
		want    int
	}{
		{"no proxy", nil, nil, 0},
		{"not named", nil, []string{"X-Forwarded-For", "203.0.113.7"}, 1},
		{"not named, by another header", nil, []string{"Forwarded", "for=203.0.113.7"}, 1},
		{"another is named", []netip.Prefix{netip.MustParsePrefix("198.51.100.0/24")}, []string{"X-Forwarded-For", "203.0.113.7"}, 1},
		{"named", []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, []string{"X-Forwarded-For", "203.0.113.7"}, 0},
	} {
		t.Run(c.says, func(t *testing.T) {
			var log bytes.Buffer
			s := newServer(t, func(cfg *web.Config) {
				cfg.Proxies, cfg.Log = c.proxies, slog.New(slog.NewTextHandler(&log, nil))
			})
			for range 3 {
				ask(s.Public(), "GET", "/ws", c.headers...)
			}
			if n := strings.Count(log.String(), "not in trusted-proxies"); n != c.want {
				t.Errorf("told %d times, want %d: %s", n, c.want, &log)
			}
			if strings.Contains(log.String(), "203.0.113") || strings.Contains(log.String(), "192.0.2") {
				t.Errorf("an address is in the log: %s", &log)
			}
		})
	}
}
